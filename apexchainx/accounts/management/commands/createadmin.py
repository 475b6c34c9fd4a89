"""The first admin, or one more: `manage.py createadmin ADDRESS`."""

import argparse
import getpass
import os
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email

from apexchainx import context
from apexchainx.accounts.models import Role, User
from apexchainx.accounts.passwords import refuse_weak
from apexchainx.accounts.services.users import create_user
from apexchainx.errors import DomainError
from apexchainx.management.command import ExampleCommand

PASSWORD = "DJANGO_SUPERUSER_PASSWORD"  # noqa: S105


class Command(ExampleCommand):
    help = f"Make an admin. The password is asked for, or taken from {PASSWORD}."
    examples = (
        "manage.py createadmin ada@example.com --full-name 'Ada Obi'",
        f"{PASSWORD}=... manage.py createadmin ada@example.com --dry-run",
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="the address to log in with")
        parser.add_argument("--full-name", default="", help="how the admin is called")
        parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")

    def handle(self, *args: Any, email: str, full_name: str, dry_run: bool, **options: Any) -> None:
        address = _free_address(email)
        user = User(email=address, full_name=full_name, role=Role.ADMIN, is_staff=True, is_superuser=True)
        password = os.environ.get(PASSWORD) or _asked_for()
        try:
            if dry_run:
                refuse_weak(password, user)
                self.stdout.write(f"{address} can become an admin. Nothing was written.")
                return
            with context.acting_as("system", source="command"):
                create_user(user, password=password)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{address} is an admin.")


def _free_address(email: str) -> str:
    address = User.normalize_username(email)
    try:
        validate_email(address)
    except ValidationError:
        raise CommandError(f"{email} is no e-mail address.") from None
    if User.objects.filter(email=address).exists():
        raise CommandError(f"There is an account with the address {address} already.")
    return address


def _asked_for() -> str:
    if not sys.stdin.isatty():
        raise CommandError(f"Set {PASSWORD}, or run this in a terminal, where it asks for the password.")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Password (again): "):
        raise CommandError("The two passwords differ.")
    return password
