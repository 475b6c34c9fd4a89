"""The SLA contract at a terminal: how it stands, and what sets it up: `manage.py contract`."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from apexchainx.errors import DomainError
from apexchainx.management.command import ExampleCommand
from apexchainx.management.demo_ledger import fund
from apexchainx.stellar import keys, soroban
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.soroban import Standing, Terms
from sla.management.parity import compared, read
from sla.management.setting_up import configure, missing_terms, standing_of, unlike
from sla.serializers.contract import ContractSerializer
from sla.services.contract import Report, report

RETAINED = 150


class Command(ExampleCommand):
    help = "Show, initialise and configure the SLA contract, and hold it against our own arithmetic."
    examples = (
        "manage.py contract status",
        "manage.py contract status --json",
        "manage.py contract init --dry-run",
        "manage.py contract init --friendbot",
        "manage.py contract configure",
        "manage.py contract parity --vectors sla/tests/data/sla_vectors.json",
        "manage.py contract parity --vectors sla/tests/data/sla_vectors.json --apply-config",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(
            dest="verb", required=True, metavar="status | init | configure | parity"
        )
        status = verbs.add_parser("status", help="how it stands; exits 1 where it cannot be used")
        status.add_argument("--json", action="store_true", dest="as_json", help="for programs")
        init = verbs.add_parser("init", help="make our admin and our operator its own; both sign")
        init.add_argument(
            "--friendbot", action="store_true", help="fund both accounts first, on a test network"
        )
        init.add_argument("--dry-run", action="store_true", help="say what would be done")
        config = verbs.add_parser("configure", help="give it the terms of our policies in force")
        config.add_argument("--dry-run", action="store_true", help="say what would be done")
        parity = verbs.add_parser("parity", help="hold it and our arithmetic against a file of vectors")
        parity.add_argument("--vectors", type=Path, required=True, help="a list of cases, JSON")
        parity.add_argument(
            "--apply-config", action="store_true", help="bring the contract to each vector's terms, and back"
        )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        doing: dict[str, Callable[..., None]] = {
            "status": self.status,
            "init": self.init,
            "configure": self.configure,
            "parity": self.parity,
        }
        try:
            doing[verb](**{name: options[name] for name in OWN[verb]})
        except DomainError as error:
            raise CommandError(error.message) from error

    def status(self, *, as_json: bool) -> None:
        found = report()
        document = ContractSerializer(found).data
        self.stdout.write(json.dumps(document, indent=2, default=str) if as_json else table(found))
        if not found.is_usable:
            raise CommandError("The contract cannot be used as it stands.")

    def init(self, *, friendbot: bool, dry_run: bool) -> None:
        admin, operator = key("ADMIN"), key("OPERATOR")
        if admin.address == operator.address:
            raise CommandError("Admin and operator must be two accounts; their secret files hold one.")
        if soroban.health().standing != Standing.NOT_INITIALIZED:
            self._refuse_strangers(admin, operator)
            return
        if dry_run:
            self.stdout.write(f"Would initialise: admin {admin.address}, operator {operator.address}.")
            return
        if friendbot:
            for owner in (admin, operator):
                fund(owner)
        done = soroban.apply(soroban.initialize(operator.address), signer=admin, cosigners=[operator])
        self.stdout.write(f"Initialised in ledger {done.ledger}: {done.hash}")

    def _refuse_strangers(self, admin: KeyPair, operator: KeyPair) -> None:
        roles = soroban.roles()
        if (roles.admin, roles.operator) != (admin.address, operator.address):
            raise CommandError(
                f"It is somebody else's already: admin {roles.admin}, operator {roles.operator}."
            )
        self.stdout.write("It is ours already; nothing to do.")

    def configure(self, *, dry_run: bool) -> None:
        found = standing_of(report())
        if lacking := missing_terms(found):
            raise CommandError(f"The contract knows whole numbers only, or nothing of: {', '.join(lacking)}.")
        wanted, keeps = unlike(found), soroban.retention_limit()
        if not wanted and keeps == RETAINED:
            self.stdout.write("It is configured as our policies are; nothing to do.")
        elif dry_run:
            for severity, terms in wanted.items():
                self.stdout.write(f"Would set {severity}: {said(terms)}")
            self.stdout.write(f"Would keep {RETAINED} results; it keeps {keeps}.")
        else:
            self._configure(wanted, key("ADMIN"), keeps=keeps)

    def _configure(self, wanted: dict[str, Terms], signer: KeyPair, *, keeps: int) -> None:
        for severity, done in configure(wanted, signer):
            self.stdout.write(f"{severity}: {said(wanted[severity])} ({done.hash})")
        if keeps != RETAINED:
            done = soroban.apply(soroban.set_retention_limit(RETAINED), signer=signer)
            self.stdout.write(f"It keeps {RETAINED} results. ({done.hash})")

    def parity(self, *, vectors: Path, apply_config: bool) -> None:
        try:
            cases = read(vectors)
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise CommandError(f"{vectors} holds no vectors: {error}") from error
        passed, failed, skipped = 0, 0, 0
        signer = key("ADMIN") if apply_config else None
        for case, difference in compared(cases, signer):
            if difference is None:
                skipped += 1
            elif difference:
                failed += 1
                self.stdout.write(self.style.ERROR(f"{case.name}: {difference}"))
            else:
                passed += 1
        self.stdout.write(f"{passed} passed, {failed} failed, {skipped} skipped")
        if failed:
            raise CommandError("The contract and our arithmetic do not agree.")


OWN = {
    "status": ("as_json",),
    "init": ("friendbot", "dry_run"),
    "configure": ("dry_run",),
    "parity": ("vectors", "apply_config"),
}


def key(role: str) -> KeyPair:
    """Of that role, from the file that the settings name."""
    name = f"STELLAR_CONTRACT_{role}_SECRET_FILE"
    file = getattr(settings, name)
    if not file:
        raise CommandError(f"Set {name} to the file with the secret key.")
    try:
        return keys.read_secret(Path(file))
    except (OSError, ValueError) as error:
        raise CommandError(f"{name}: {error}") from error


def said(terms: Terms) -> str:
    return (
        f"{terms.threshold_minutes} minutes, penalty {terms.penalty_per_minute}, reward {terms.reward_base}"
    )


def table(found: Report) -> str:
    health, roles = found.health, found.roles
    rows = [("contract", found.contract_id), ("standing", str(health.standing))]
    if health.is_paused:
        rows.append(("paused because", health.pause_reason))
    if roles:
        rows += [("admin", roles.admin), ("operator", roles.operator)]
        rows += [
            ("pending admin", roles.pending_admin or "-"),
            ("pending operator", roles.pending_operator or "-"),
        ]
    for each in found.terms:
        terms = said(each.contract) if each.contract else "none"
        mark = "" if each.is_equal else f"   differs from {each.policy or 'no policy'}"
        rows.append((each.severity, f"{terms}{mark}"))
    return "\n".join(f"{name:<18} {value}" for name, value in rows)
