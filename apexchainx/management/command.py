"""A command that shows how it is used."""

from argparse import RawDescriptionHelpFormatter
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter


class Verbatim(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's order of arguments, and lines as they were written."""


class ExampleCommand(BaseCommand):
    """`examples` are lines to type, shown at the end of --help."""

    examples: ClassVar[tuple[str, ...]] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        lines = "\n".join(f"  {line}" for line in self.examples)
        return super().create_parser(
            prog_name, subcommand, formatter_class=Verbatim, epilog=f"examples:\n{lines}", **kwargs
        )
