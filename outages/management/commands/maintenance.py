"""Maintenance windows from the command line."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from apexchainx import context
from apexchainx.errors import DomainError
from apexchainx.management.command import ExampleCommand
from outages.models import MaintenanceWindow
from outages.models.evidence import PLACES
from outages.serializers.maintenance import PlanSerializer
from outages.services import maintenance

Status = MaintenanceWindow.Status


class Command(ExampleCommand):
    help = "List, plan, approve and withdraw maintenance windows: work that an outage's clock does not count."
    examples = (
        "manage.py maintenance list --status approved",
        'manage.py maintenance plan --name "Core upgrade" --region West --reason "Firmware 7.2" '
        "--starts 2026-02-01T22:00:00Z --ends 2026-02-02T02:00:00Z",
        'manage.py maintenance plan --name "Mast repair" --site "Cell Tower Alpha" --reason Storm '
        "--starts 2026-02-01T22:00:00Z --ends 2026-02-02T02:00:00Z --sla-relevant --dry-run",
        "manage.py maintenance approve MW001",
        "manage.py maintenance withdraw MW001 --dry-run",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="list | plan | approve | withdraw")
        listing = verbs.add_parser("list", help="newest first")
        listing.add_argument("--status", choices=Status.values, help="only these")
        planning = verbs.add_parser("plan", help="a draft, which no clock knows before its approval")
        planning.add_argument("--name", required=True)
        place = planning.add_mutually_exclusive_group(required=True)
        place.add_argument("--site", dest="site_name", metavar="NAME")
        place.add_argument("--region", metavar="NAME")
        place.add_argument("--service", metavar="NAME")
        planning.add_argument("--starts", required=True, dest="starts_at", metavar="TIME", help="ISO 8601")
        planning.add_argument("--ends", required=True, dest="ends_at", metavar="TIME", help="with an offset")
        planning.add_argument("--reason", required=True)
        planning.add_argument("--sla-relevant", action="store_true", help="the clock runs on")
        approval = verbs.add_parser("approve", help="let the clock know of it")
        withdrawal = verbs.add_parser("withdraw", help="let it count no longer")
        for verb in (approval, withdrawal):
            verb.add_argument("id", help="as list shows it: MW001")
        for verb in (planning, approval, withdrawal):
            verb.add_argument("--dry-run", action="store_true", help="check everything and write nothing")

    def handle(self, *_: Any, verb: str, dry_run: bool = False, **options: Any) -> None:
        verbs: dict[str, Callable[..., None]] = {
            "list": self.show,
            "plan": self.plan,
            "approve": self.approve,
            "withdraw": self.withdraw,
        }
        try:
            with context.acting_as("system", source="command"), transaction.atomic():
                verbs[verb](**options)
                if dry_run:
                    self.stdout.write("Dry run: nothing is written.")
                    transaction.set_rollback(True)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal

    def show(self, *, status: str | None, **_: Any) -> None:
        windows = MaintenanceWindow.objects.all()
        for window in windows.with_status(status) if status else windows:
            self.stdout.write(line(window))

    def plan(self, **options: Any) -> None:
        names = (*PLACES, "name", "reason", "starts_at", "ends_at", "sla_relevant")
        body = PlanSerializer(data={name: options[name] for name in names if options[name] is not None})
        if not body.is_valid():
            problems = (f"{name}: {' '.join(texts)}" for name, texts in body.errors.items())
            raise CommandError("\n".join(problems))
        self.stdout.write(line(maintenance.plan(maintenance.Plan(**body.validated_data))))

    def approve(self, *, id: str, **_: Any) -> None:
        self.stdout.write(line(maintenance.approve(id)))

    def withdraw(self, *, id: str, **_: Any) -> None:
        self.stdout.write(line(maintenance.withdraw(id, may_rule=True)))


def line(window: MaintenanceWindow) -> str:
    span = f"{window.starts_at:%Y-%m-%dT%H:%MZ}..{window.ends_at:%Y-%m-%dT%H:%MZ}"
    kind = next(place for place in PLACES if getattr(window, place))
    counts = "counts" if window.sla_relevant else "excluded"
    place = f"{kind}={getattr(window, kind)}"
    return f"{window.reference}  {window.status:9}  {span}  {counts:8}  {place}  {window.name}"
