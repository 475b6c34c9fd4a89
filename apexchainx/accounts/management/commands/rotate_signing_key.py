"""A new key signs the tokens from now on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apexchainx.accounts.services import signing


class Command(BaseCommand):
    help = "Make a new key that signs tokens. Tokens of the old one are good until they expire."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say which key would be retired.")

    def handle(self, *_: Any, dry_run: bool, **__: Any) -> None:
        if dry_run:
            self.stdout.write(f"{signing.keyring(0).newest} signs and would be retired.")
            return
        self.stdout.write(f"{signing.rotate().kid} signs from now on.")
