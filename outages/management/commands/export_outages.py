"""Outages as a file, for managers."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError, CommandParser

from apexchainx.management.command import ExampleCommand
from outages.filters import WORDS, OutageFilter
from outages.models import Outage, Severity
from outages.serializers.exports import FORMATS, copied

SECONDS_BETWEEN_LINES = 1.0


class Command(ExampleCommand):
    help = "Write outages with their SLA results and payments to a file, newest first."
    examples = (
        "manage.py export_outages --format csv --from 2026-01-01 --to 2026-01-31 --out january.csv",
        "manage.py export_outages --format json --severity critical --status resolved --out -",
        "manage.py export_outages --out - | gzip > outages.csv.gz",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=FORMATS, default="csv", help="(default: %(default)s)")
        parser.add_argument(
            "--from", dest="start_date", default="", help="detected then or later: a date, or ISO 8601"
        )
        parser.add_argument(
            "--to", dest="end_date", default="", help="detected then or before; of a date the whole day"
        )
        parser.add_argument("--severity", choices=Severity.values, default="")
        parser.add_argument("--status", choices=list(WORDS), default="")
        parser.add_argument("--out", required=True, help="the file, or - for standard output")

    def handle(self, *args: Any, format: str, out: str, **options: Any) -> None:
        chosen = OutageFilter(
            {name: options[name] for name in ("start_date", "end_date", "severity", "status")},
            queryset=Outage.objects.all(),
        )
        for name, sentences in chosen.form.errors.items():
            flag = {"start_date": "--from", "end_date": "--to"}.get(name, f"--{name}")
            raise CommandError(f"{flag}: {sentences[0]}")
        pieces = self.counted(copied(chosen.qs, format))
        try:
            if out == "-":
                to_standard_output(pieces)
            else:
                to_file(pieces, Path(out))
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error

    def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces; how much there is of them goes to standard error."""
        size, start = 0, time.monotonic()
        last = start
        for piece in pieces:
            size += len(piece)
            yield piece
            if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
                last = time.monotonic()
                self.stderr.write(f"{size / 2**20:.1f} MiB, {size / 2**20 / (last - start):.1f} MiB/s")
        self.stderr.write(f"{size / 2**20:.1f} MiB in {time.monotonic() - start:.1f} s")


def to_standard_output(pieces: Iterator[bytes]) -> None:
    """Until the reader has had enough, which is no failure."""
    out: BinaryIO = sys.stdout.buffer
    try:
        out.writelines(pieces)
        out.flush()
    except BrokenPipeError:
        # What Python would flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def to_file(pieces: Iterator[bytes], path: Path) -> None:
    """Whole, or not at all: it has another name until it is complete."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
