"""Run a command beside an embedded PostgreSQL: `manage.py with_postgres [--var DIR] -- COMMAND...`."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import CommandError

from apexchainx import embedded_postgres
from apexchainx.management.command import ExampleCommand
from apexchainx.supervisor import die_with_parent


class Command(ExampleCommand):
    help = "Run a command with DATABASE_URL set, starting a throw-away PostgreSQL when it is not set already."
    examples = (
        "manage.py with_postgres -- python -m pytest",
        "manage.py with_postgres --durable --var var -- python manage.py shell",
    )
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--var", type=Path, help="keep the data here (default: a temporary directory)")
        parser.add_argument("--durable", action="store_true", help="survive a power cut, more slowly")
        parser.add_argument("command", nargs=argparse.REMAINDER)

    def handle(self, *args: Any, var: Path | None, durable: bool, command: list[str], **options: Any) -> None:
        words = command[1:] if command[:1] == ["--"] else command
        if not words:
            raise CommandError("Say what to run: with_postgres -- COMMAND ...")
        signal.signal(signal.SIGTERM, _end)
        try:
            with _database_url(var, durable=durable) as url:
                code = _run(words, url)
        except embedded_postgres.PostgresError as error:
            raise CommandError(str(error)) from error
        sys.exit(code)


def _end(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


@contextmanager
def _database_url(var: Path | None, *, durable: bool) -> Iterator[str]:
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    if var:
        with embedded_postgres.running(var, durable=durable) as url:
            yield url
        return
    directory = Path(tempfile.mkdtemp(prefix="apexchainx-"))
    try:
        with embedded_postgres.running(directory, durable=False) as url:
            yield url
    finally:
        embedded_postgres.remove(directory)


def _run(words: list[str], url: str) -> int:
    """The command's exit code; SIGINT and SIGTERM are passed on, and only its end is ours."""
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    try:
        child = subprocess.Popen(  # noqa: S603
            words,
            env={**os.environ, "DATABASE_URL": url},
            process_group=None if has_terminal else 0,
            preexec_fn=die_with_parent,  # noqa: PLW1509
        )
    except FileNotFoundError:
        raise CommandError(f"No such command: {words[0]}") from None

    def forward(number: int, _frame: object) -> None:
        """A terminal sends Ctrl-C to both of us: once is enough."""
        if not (has_terminal and number == signal.SIGINT):
            child.send_signal(number)

    signal.signal(signal.SIGINT, forward)
    signal.signal(signal.SIGTERM, forward)
    code = child.wait()
    return code if code >= 0 else 128 - code
