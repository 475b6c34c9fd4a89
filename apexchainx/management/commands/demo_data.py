"""Users, accounts on the ledger, owners with wallets and a few outages: `manage.py demo_data --var DIR`."""

import argparse
import json
import secrets
import string
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from apexchainx import context
from apexchainx.accounts.models import Role, User
from apexchainx.accounts.services.users import create_user
from apexchainx.management import demo_ledger
from apexchainx.management.command import ExampleCommand
from apexchainx.management.instance import keypair, write_private
from apexchainx.stellar.keys import KeyPair
from outages.models import Outage, Severity
from outages.services.reporting import Report
from outages.services.reporting import create as create_outage
from payments.services.settling import POOL
from wallets import services as wallets
from wallets.models import Kind, Owner

GRANTS = {"pool": Decimal(1_000_000), "operator": Decimal(100_000)}
PARTIES = (
    (POOL, "ApexChainX pool", Kind.POOL),
    (settings.DEFAULT_TEAM, "Operations team", Kind.TEAM),
    (settings.DEFAULT_OPERATOR, "Network operator", Kind.OPERATOR),
)
STAFF = {Role.ENGINEER, Role.MANAGER, Role.ADMIN}
OUTAGES = (
    ("Lagos Island 07", Severity.HIGH, "Fibre cut between two aggregation sites", ["4G", "5G"], 4),
    ("Kano Central", Severity.MEDIUM, "Packet loss on the microwave backhaul", ["4G"], 18),
    ("Abuja Exchange", Severity.LOW, "One of two power feeds is down", ["fixed line"], 45),
)


@dataclass(frozen=True, slots=True)
class Login:
    email: str
    password: str
    role: str


class Command(ExampleCommand):
    help = "Fill an empty database with something to look at; what is there already is kept."
    examples = ("manage.py demo_data --var var",)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--var", type=Path, required=True, help="where keys/ lies and demo.json goes")

    def handle(self, *args: Any, var: Path, **options: Any) -> None:
        if User.objects.exclude(email__in=[_email(role) for role in Role]).exists():
            self.stdout.write("There are users already: no demo data.")
            return
        if (var / "demo.json").exists():
            self.stdout.write("The demo data is there already.")
            return
        accounts = {name: keypair(var / "keys", name) for name in ("issuer", "pool", "team", "operator")}
        with context.acting_as("system", source="command"):
            _set_up_ledger(accounts)
            _make_wallets(accounts)
            _make_outages()
            logins = [_make_user(role) for role in Role]
        write_private(var / "demo.json", json.dumps(_facts(accounts, logins), indent=2))
        self.stdout.write(f"{len(logins)} users, {len(accounts)} accounts, {len(OUTAGES)} outages.")


def _set_up_ledger(accounts: dict[str, KeyPair]) -> None:
    holders = [account for name, account in accounts.items() if name != "issuer"]
    grants = {accounts[name].address: amount for name, amount in GRANTS.items()}
    demo_ledger.set_up(accounts["issuer"], holders, grants=grants)


def _make_wallets(accounts: dict[str, KeyPair]) -> None:
    for key, name, kind in PARTIES:
        if Owner.objects.filter(key=key).exists():
            continue
        wallets.create_owner(key=key, name=name, kind=kind)
        wallets.register(key, address=accounts[kind].address)
        wallets.approve(key)


def _make_outages() -> None:
    if Outage.objects.exists():
        return
    now = timezone.now()
    for site, severity, description, services, minutes_ago in OUTAGES:
        create_outage(
            Report(
                site_name=site,
                severity=severity,
                description=description,
                affected_services=services,
                detected_at=now - timedelta(minutes=minutes_ago),
            )
        )


def _make_user(role: Role) -> Login:
    """A user of an earlier run that did not get to its end has a password that nobody knows: a new one."""
    login = Login(_email(role), _password(), role)
    existing = User.objects.filter(email=login.email).first()
    if existing:
        existing.set_password(login.password)
        existing.save(update_fields=("password",))
        return login
    user = User(email=login.email, full_name=f"Demo {role.label}", role=role, is_staff=role in STAFF)
    user.is_superuser = role == Role.ADMIN
    create_user(user, password=login.password)
    return login


def _email(role: Role) -> str:
    return f"{role}@example.com"


def _password() -> str:
    """Random, with one of each kind that the policy asks for."""
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits, "-_.+")
    return "".join(secrets.choice(kind) for kind in kinds) + secrets.token_urlsafe(12)


def _facts(accounts: dict[str, KeyPair], logins: list[Login]) -> dict[str, Any]:
    addresses = {name: accounts[name].address for name in ("pool", "team", "operator")}
    users = [asdict(login) for login in logins]
    return {
        "url": settings.APP_BASE_URL,
        "sandbox_url": settings.STELLAR_HORIZON_URL,
        "users": users,
        **addresses,
    }
