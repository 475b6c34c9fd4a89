"""API keys from the command line."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apexchainx import context
from apexchainx.accounts.models import EVERY_SCOPE, ApiKey
from apexchainx.accounts.services import keys
from apexchainx.errors import DomainError
from apexchainx.management.command import ExampleCommand


class Command(ExampleCommand):
    help = "Make, list and revoke the keys that programs call with. A key is shown once."
    examples = (
        "manage.py apikey create --name ci --scope outages:read --scope sla:read",
        "manage.py apikey create --name backup --scope audit:read --expires 2030-01-01T00:00:00Z --dry-run",
        "manage.py apikey list",
        "manage.py apikey revoke 7b5a1c1e-3f4d-4a7e-9c77-000000000001",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="create | list | revoke")
        create = verbs.add_parser("create", help="make a key and write it to standard output, once")
        create.add_argument("--name", default="", help="what it is for")
        create.add_argument(
            "--scope",
            action="append",
            default=[],
            dest="scopes",
            metavar="SCOPE",
            help=f"what it opens, as often as needed: {', '.join(sorted(EVERY_SCOPE))}",
        )
        create.add_argument("--expires", type=moment, help="ISO 8601 with an offset; never, if left out")
        create.add_argument("--dry-run", action="store_true", help="check everything and make nothing")
        verbs.add_parser("list", help="all keys, newest first; never the keys themselves")
        revoke = verbs.add_parser("revoke", help="refuse a key from now on")
        revoke.add_argument("id", help="as list shows it")

    def handle(self, *_: Any, verb: str, **options: Any) -> None:
        verbs: dict[str, Callable[..., None]] = {
            "create": self.make,
            "list": self.show,
            "revoke": self.revoke,
        }
        try:
            with context.acting_as("system", source="command"):
                verbs[verb](**options)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal

    def make(
        self, *, name: str, scopes: list[str], expires: datetime | None, dry_run: bool, **_: Any
    ) -> None:
        if dry_run:
            keys.check(frozenset(scopes), expires)
            self.stdout.write(f"A key would be made for {', '.join(scopes) or 'nothing'}.")
            return
        new = keys.create_key(name=name, scopes=scopes, expires_at=expires)
        self.stderr.write(f"Key {new.key.pk}. Store it securely; it will not be shown again.")
        self.stdout.write(new.raw)

    def show(self, **_: Any) -> None:
        for key in ApiKey.objects.select_related("created_by"):
            state = state_of(key, timezone.now())
            scopes = ",".join(key.scopes) or "-"
            self.stdout.write(f"{key.pk}  {key.prefix}...  {state:8}  {scopes}  {key.name}")

    def revoke(self, *, id: str, **_: Any) -> None:
        key = keys.revoke(id, among=ApiKey.objects.all())
        self.stdout.write(f"Key {key.pk} is revoked.")


def state_of(key: ApiKey, at: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= at else "live"


def moment(text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ArgumentTypeError("Give the time with an offset, such as 2030-01-01T00:00:00Z.")
    return found
