"""Rows of outages that somebody brings in: what is wrong with them, and the record of what became of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apexchainx import context
from apexchainx.errors import Conflict, NotReady
from audit.events import Event
from audit.log import record
from outages.models import ImportRun, Outage
from outages.services.reporting import Report
from wallets.models import Owner

# So many mistakes are shown, of however many there are.
MOST_MISTAKES = 100


@dataclass(frozen=True, slots=True)
class Line:
    """What one row says, its place in the list from 0, and its number as people count."""

    index: int
    row: int
    report: Report


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a row cannot become an outage."""

    index: int
    row: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What was brought in: a file's name, if it had one, and the SHA-256 of its content."""

    filename: str
    digest: str


class RowsRefused(NotReady):
    """Some rows are wrong, and so none was taken."""

    def __init__(self, mistakes: Sequence[Mistake], *, rows: int, skipped: int = 0) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: (mistake.index, mistake.field))
        self.rows, self.skipped = rows, skipped
        super().__init__(
            f"{len({mistake.index for mistake in mistakes})} of {rows} rows cannot be imported, so none was.",
            details={
                "imported": 0,
                "skipped": skipped,
                "errors": self.shown,
                "error_count": len(mistakes),
                "more": len(mistakes) - len(self.shown),
            },
        )

    @property
    def shown(self) -> list[dict[str, Any]]:
        return [asdict(mistake) for mistake in self.mistakes[:MOST_MISTAKES]]


def here_already(lines: Iterable[Line]) -> set[int]:
    """The indexes of rows whose id stands for an outage of the same site, severity and detection."""
    known = known_by(lines)
    return {
        line.index
        for line in lines
        if (outage := known.get(line.report.reference))
        and (outage.site_name, outage.severity, outage.detected_at)
        == (line.report.site_name, line.report.severity, line.report.detected_at)
    }


def misplaced_ids(lines: Sequence[Line]) -> Iterator[Mistake]:
    """An id that an outage has, or that an earlier row states."""
    known, first = known_by(lines), dict[str, int]()
    for line in lines:
        reference = line.report.reference
        if reference in first:
            message = f"Row {first[reference]} has the id {reference} too."
            yield Mistake(line.index, line.row, "id", message)
        elif reference in known:
            yield Mistake(line.index, line.row, "id", f"An outage with the id {reference} exists.")
        if reference:
            first.setdefault(reference, line.row)


def known_by(lines: Iterable[Line]) -> dict[str, Outage]:
    stated = [line.report.reference for line in lines if line.report.reference]
    if not stated:
        return {}
    outages = Outage.objects.only("reference", "site_name", "severity", "detected_at")
    return {outage.reference: outage for outage in outages.filter(reference__in=stated)}


def unknown_owners(lines: Sequence[Line]) -> Iterator[Mistake]:
    named = [
        (line, field, key)
        for line in lines
        for field, key in (("team", line.report.team), ("operator", line.report.operator))
        if key
    ]
    if not named:
        return
    keys = {key for _, _, key in named}
    known = set(Owner.objects.filter(key__in=keys).values_list("key", flat=True))
    for line, field, key in named:
        if key not in known:
            yield Mistake(line.index, line.row, field, f"There is no owner {key}.")


class SeenIds:
    """The ids of a whole file, kept in a temporary table: a file may hold more of them than memory.

    `highest` is the largest number among those that look like ours.
    """

    def __init__(self) -> None:
        self.highest = 0

    def __enter__(self) -> "SeenIds":
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE import_ids (id text PRIMARY KEY, row integer NOT NULL)")
        return self

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE import_ids")

    def repeated(self, lines: Iterable[Line]) -> list[Mistake]:
        """Those with an id that an earlier call has seen; the statement does not see what it adds itself."""
        stated = {line.report.reference: line for line in lines if line.report.reference}
        if not stated:
            return []
        self.highest = max([self.highest, *(int(found[1]) for found in map(OURS.fullmatch, stated) if found)])
        with connection.cursor() as cursor:
            cursor.execute(REPEATED, [list(stated), [line.row for line in stated.values()]])
            return [
                Mistake(stated[key].index, stated[key].row, "id", f"Row {row} has the id {key} too.")
                for key, row in cursor.fetchall()
            ]


def reserve(highest: int) -> None:
    """Leave the numbers up to here to the file that names them: nothing else is given one of them."""
    if not highest:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval('outages_reference', greatest(last_value, %s)) FROM outages_reference", [highest]
        )


OURS = re.compile(r"OUT(\d{3,9})", re.ASCII)
REPEATED = """
WITH stated AS (SELECT * FROM unnest(%s::text[], %s::integer[]) AS stated(id, row)),
added AS (INSERT INTO import_ids SELECT * FROM stated ON CONFLICT DO NOTHING)
SELECT id, import_ids.row FROM import_ids JOIN stated USING (id)
"""


def run_of(digest: str) -> ImportRun | None:
    """The run that has taken this file or is about to; one that goes on comes first."""
    runs = ImportRun.objects.filter(digest=digest).exclude(status=ImportRun.Status.REFUSED)
    return runs.order_by("-status", "-id").first()


def started(origin: Origin, *, rows: int) -> ImportRun:
    """Raises Conflict where somebody else has just begun with the same file."""
    run = ImportRun(
        filename=origin.filename,
        digest=origin.digest,
        status=ImportRun.Status.RUNNING,
        rows=rows,
        created_by=context.current().actor,
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict("Somebody else imports this file.") from error
    return run


def finished(origin: Origin, *, rows: int, imported: int, skipped: int) -> ImportRun:
    """A list was taken as a whole; the caller's transaction has done it."""
    run = ImportRun(
        filename=origin.filename,
        digest=origin.digest,
        status=ImportRun.Status.DONE,
        rows=rows,
        imported=imported,
        skipped=skipped,
        created_by=context.current().actor,
        finished_at=timezone.now(),
    )
    run.save(force_insert=True)
    tell(run)
    return run


def refused(origin: Origin, refusal: RowsRefused) -> ImportRun:
    """A list was not taken. Nothing happened to any outage, so the log has nothing to say."""
    return ImportRun.objects.create(
        filename=origin.filename,
        digest=origin.digest,
        status=ImportRun.Status.REFUSED,
        rows=refusal.rows,
        skipped=refusal.skipped,
        error_count=len(refusal.mistakes),
        errors=refusal.shown,
        created_by=context.current().actor,
        finished_at=timezone.now(),
    )


def tell(run: ImportRun) -> None:
    record(
        Event.OUTAGES_IMPORTED,
        run.subject,
        filename=run.filename,
        digest=run.digest,
        rows=run.rows,
        imported=run.imported,
        skipped=run.skipped,
    )
