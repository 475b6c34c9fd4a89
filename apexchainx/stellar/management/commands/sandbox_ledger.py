"""Runs the sandbox ledger."""

import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from apexchainx.management.command import ExampleCommand
from apexchainx.stellar.sandbox.server import serve

LONGEST_PERIOD = 3600


class Command(ExampleCommand):
    help = "Run a local ledger that speaks Horizon's language, until SIGTERM or Ctrl-C."
    examples = ("manage.py sandbox_ledger --port 8001 --file var/sandbox.sqlite3 --period 5",)
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
        parser.add_argument("--port", type=int, default=8001, help="port to listen on (default %(default)s)")
        parser.add_argument(
            "--file",
            type=Path,
            default=Path("var/sandbox.sqlite3"),
            help="where the ledger lives (default %(default)s)",
        )
        parser.add_argument(
            "--period",
            type=float,
            default=0,
            help="seconds between ledgers; 0 closes one per submission (default)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, path = options["host"], options["port"], options["file"]
        if not 0 <= options["period"] <= LONGEST_PERIOD:
            raise CommandError(f"--period: from 0 to {LONGEST_PERIOD} seconds.")
        try:
            serve(path, host, port, options["period"], announce=self._announce)
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port} or keep {path}: {error.strerror}.") from error
        except (OverflowError, sqlite3.Error) as error:
            raise CommandError(f"The ledger in {path} cannot run on port {port}: {error}.") from error

    def _announce(self, url: str) -> None:
        self.stdout.write(f"Sandbox ledger listens on {url}")
        self.stdout.flush()
