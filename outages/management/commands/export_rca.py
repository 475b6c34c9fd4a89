"""Write a root cause analysis as a Markdown document: `manage.py export_rca OUT001`."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from apexchainx.errors import NotFound
from apexchainx.management.command import ExampleCommand
from outages.serializers.rca_document import document
from outages.services.rca import published


class Command(ExampleCommand):
    help = "Write the published root cause analysis of an outage, with its evidence, as Markdown."
    examples = ("manage.py export_rca OUT001", "manage.py export_rca OUT001 --out OUT001-rca.md")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("outage", help="the id of the outage")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write here, not to the terminal")

    def handle(self, *args: Any, outage: str, out: Path | None, **options: Any) -> None:
        try:
            text = document(published(outage))
        except NotFound as refusal:
            raise CommandError(refusal.message) from refusal
        if out is None:
            self.stdout.write(text, ending="")
            return
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{out}: {len(text.splitlines())} lines.")
