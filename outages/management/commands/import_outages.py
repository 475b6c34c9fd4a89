"""Outages from a file of any length, in batches that can be taken up again after a break."""

import hashlib
import itertools
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError, CommandParser

from apexchainx import context
from apexchainx.errors import DomainError, Invalid
from apexchainx.management.command import ExampleCommand
from audit.log import unannounced
from outages.models import ImportRun
from outages.serializers.imports import ImportRowSerializer, judge
from outages.serializers.transfers import READERS, Row
from outages.services import importing
from outages.services.importing import Mistake, Origin, RowsRefused
from payments.services import imports

# A list of JSON is read whole, and so it is for small files.
LARGEST_JSON = 100 * 2**20
ENOUGH_MISTAKES = 1000
ROW = ImportRowSerializer()
SECONDS_BETWEEN_LINES = 1.0


class Command(ExampleCommand):
    help = (
        "Import outages from a file. It is read through first: with one wrong row nothing is written. "
        "Then it is taken in batches, each a transaction; after a break the same command goes on."
    )
    examples = (
        "manage.py import_outages history.csv --dry-run",
        "manage.py import_outages history.csv",
        "manage.py import_outages history.jsonl --batch 5000",
        "jq -c '.[]' history.json > history.jsonl && manage.py import_outages history.jsonl",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, help="CSV with our column names, JSON, or JSON lines; in UTF-8"
        )
        parser.add_argument(
            "--format", choices=sorted(READERS), help="as the name of the file ends, by default"
        )
        parser.add_argument(
            "--batch", type=positive, default=1000, help="rows in one transaction (default: %(default)s)"
        )
        parser.add_argument("--dry-run", action="store_true", help="read the file through and write nothing")
        parser.add_argument(
            "--announce", action="store_true", help="tell the subscribers of webhooks, as of new outages"
        )

    def handle(
        self,
        *args: Any,
        file: Path,
        format: str | None,
        batch: int,
        dry_run: bool,
        announce: bool,
        **options: Any,
    ) -> None:
        kind = format or file.suffix.lower().removeprefix(".")
        if kind not in READERS:
            raise CommandError("Say what the file is: --format csv, json or jsonl.")
        with (
            context.acting_as("system", source="command"),
            nullcontext() if announce else unannounced(),
            opened(file, kind) as content,
        ):
            try:
                self.take(Source(content, kind, batch), Origin(file.name[-255:], digest(content)), dry_run)
            except DomainError as refusal:
                self.show(refusal)
                raise CommandError(refusal.message) from refusal
            except KeyboardInterrupt:
                raise CommandError("Stopped. The same command goes on from here.", returncode=130) from None

    def take(self, source: "Source", origin: Origin, is_dry: bool) -> None:
        known = importing.run_of(origin.digest)
        if known and known.status == ImportRun.Status.DONE:
            self.stdout.write(f"This file was imported already: {known.imported} outages.")
            return
        done = known.imported if known else 0
        rows, highest = self.read_through(source, after=done)
        if is_dry:
            self.stdout.write(f"{rows - done} outages would be imported; nothing was written.")
            return
        importing.reserve(highest)
        run = known or importing.started(origin, rows=rows)
        if done:
            self.stderr.write(f"Going on after row {done} of {run.rows}.")
        self.bring_in(source, run)

    def read_through(self, source: "Source", *, after: int) -> tuple[int, int]:
        """How many rows there are, and the highest number that they name.

        Raises RowsRefused where any behind `after` cannot be imported.
        """
        progress, mistakes, rows = Progress(self, "read"), list[Mistake](), after
        with importing.SeenIds() as seen:
            for chunk in source.chunks(after=after):
                lines, found = judge(chunk, ROW)
                try:
                    imports.examine(lines, [*found, *seen.repeated(lines)])
                except RowsRefused as refusal:
                    mistakes += refusal.mistakes
                rows += len(chunk)
                progress.show(rows)
                if len(mistakes) >= ENOUGH_MISTAKES:
                    self.stderr.write("That is enough: the rest of the file was not read.")
                    break
        progress.end(rows)
        if not rows:
            raise Invalid("file", "There is no outage to import.")
        if mistakes:
            raise RowsRefused(mistakes, rows=rows)
        return rows, seen.highest

    def bring_in(self, source: "Source", run: ImportRun) -> None:
        progress = Progress(self, "imported", of=run.rows, begun=run.imported)
        for chunk in source.chunks(after=run.imported):
            plan = imports.examine(*judge(chunk, ROW))
            run = imports.import_batch(run.pk, plan, after=run.imported)
            progress.show(run.imported)
        progress.end(run.imported)
        self.stdout.write(f"{run.imported} outages imported from {run.filename}.")

    def show(self, refusal: DomainError) -> None:
        for mistake in refusal.details.get("errors", ()):
            field = f"{mistake['field']}: " if mistake["field"] else ""
            self.stderr.write(f"line {mistake['row']}: {field}{mistake['message']}")
        if refusal.details.get("more"):
            self.stderr.write(f"and {refusal.details['more']} more")


class Source:
    """A file that is read from its beginning as often as wanted."""

    def __init__(self, content: BinaryIO, kind: str, batch: int) -> None:
        self.content, self.kind, self.batch = content, kind, batch

    def chunks(self, *, after: int) -> Iterator[Sequence[Row]]:
        self.content.seek(0)
        rows = itertools.islice(READERS[self.kind](self.content), after, None)
        while chunk := list(itertools.islice(rows, self.batch)):
            yield chunk


class Progress:
    """A line on standard error now and then: how many rows, how fast, and how long it will take."""

    def __init__(self, command: Command, verb: str, *, of: int = 0, begun: int = 0) -> None:
        self.command, self.verb, self.of, self.begun = command, verb, of, begun
        self.start = self.last = time.monotonic()

    def show(self, rows: int) -> None:
        if time.monotonic() - self.last >= SECONDS_BETWEEN_LINES:
            self.last = time.monotonic()
            self.end(rows)

    def end(self, rows: int) -> None:
        speed = (rows - self.begun) / max(time.monotonic() - self.start, 1e-9)
        left = f" of {self.of}, {(self.of - rows) / speed:.0f} s remain" if self.of and speed else ""
        self.command.stderr.write(f"{rows} rows {self.verb}{left}, {speed:.0f} rows/s")


def positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ArgumentTypeError(f"{text} is no number of rows")
    return int(text)


@contextmanager
def opened(path: Path, kind: str) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as content:
            if kind == "json" and path.stat().st_size > LARGEST_JSON:
                raise CommandError("A list of JSON is read whole; give a file of this size as JSON lines.")
            yield content
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def digest(content: BinaryIO) -> str:
    return hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
