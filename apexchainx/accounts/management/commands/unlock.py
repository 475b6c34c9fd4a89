"""Open an account again that failed attempts have locked: `manage.py unlock ADDRESS`."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from apexchainx import context
from apexchainx.accounts.models import User
from apexchainx.accounts.services import lockout
from apexchainx.management.command import ExampleCommand


class Command(ExampleCommand):
    help = "Let somebody log in again after too many failed attempts."
    examples = ("manage.py unlock ada@example.com", "manage.py unlock ada@example.com --dry-run")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email", help="the address of the account")
        parser.add_argument("--dry-run", action="store_true", help="say whether it is locked, change nothing")

    def handle(self, *args: Any, email: str, dry_run: bool, **options: Any) -> None:
        address = User.normalize_username(email)
        user = User.objects.filter(email=address).first()
        if user is None:
            raise CommandError(f"No account has the address {address}.")
        if dry_run:
            until = lockout.locked_until(user)
            self.stdout.write(f"{address} is locked until {until:%F %T} UTC." if until else "Not locked.")
            return
        with context.acting_as("system", source="command"):
            lockout.unlock(user)
        self.stdout.write(f"{address} may log in again.")
