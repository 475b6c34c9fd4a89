"""Files of outages: which columns they have, and how their rows are read."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO

from django.core.files.uploadedfile import UploadedFile
from rest_framework.exceptions import ParseError

from apexchainx.api.parsers import decode
from apexchainx.errors import Invalid
from outages.services.importing import Origin

# What a row may say, and what an export says besides, which an import does not take.
TAKEN = (
    "id",
    "site_name",
    "site_id",
    "region",
    "severity",
    "status",
    "state",
    "detected_at",
    "resolved_at",
    "mttr_minutes",
    "description",
    "root_cause",
    "resolution_notes",
    "affected_services",
    "affected_subscribers",
    "latitude",
    "longitude",
    "assigned_to",
    "team",
    "operator",
)
TOLD = (
    "created_by",
    "correlation_id",
    "sla_status",
    "sla_amount",
    "sla_rating",
    "policy_version",
    "clock_source",
    "payment_id",
    "payment_state",
    "transaction_hash",
)
ALIASES = {
    "services_affected": "affected_services",
    "created_at": "detected_at",
    "start_time": "detected_at",
    "end_time": "resolved_at",
}
# A site and a service in one.
SERVICE = "service_id"
ALLOWED = (*TAKEN, *ALIASES, SERVICE, *TOLD)
SERVICES = re.compile("[;|]")
# Excel, LibreOffice and Google Sheets take a cell that begins so for a formula.
FORMULA = "[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-]"
# The apostrophe that an export has put in front; an apostrophe of the text itself got one more.
GUARDED = re.compile(f"'('*{FORMULA})")
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
LONGEST_CELL = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """What one row states, or why it cannot be read; `row` is its number or its line as people count."""

    index: int
    row: int
    data: Any = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """Rows to import, and where they come from."""

    origin: Origin
    rows: Iterable[Row]


def from_body(data: dict[str, Any]) -> Upload:
    """`{"outages": [...]}`. Raises Invalid where it is none."""
    text = json.dumps(data, sort_keys=True, default=str)
    return Upload(Origin("", hashlib.sha256(text.encode()).hexdigest()), listed(data, "outages"))


def from_file(file: "UploadedFile[Any]") -> Upload:
    """A `.json` or `.csv` file. Raises Invalid where it is neither, or nothing that can be read."""
    name, content = file.name or "", file.read()
    kind = PurePath(name.lower()).suffix.removeprefix(".")
    if kind not in {"csv", "json"}:
        raise Invalid("file", "Send a file whose name ends in .csv or .json.", allowed_values=["csv", "json"])
    origin = Origin(name[-255:], hashlib.sha256(content).hexdigest())
    return Upload(origin, list(READERS[kind](io.BytesIO(content))))


def listed(value: Any, field: str) -> list[Row]:
    rows = value.get("outages") if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise Invalid(field, 'Give a list of outages, as {"outages": [...]}.')
    return [Row(index, index + 1, data) for index, data in enumerate(rows)]


# Formats


def json_rows(file: BinaryIO) -> Iterator[Row]:
    content = file.read()
    refuse_utf_16(content[:2])
    if not content.strip():
        raise Invalid("file", "The file is empty.")
    try:
        value = decode(content.removeprefix(BOM), "The file")
    except ParseError as error:
        raise Invalid("file", str(error.detail)) from error
    yield from listed(value, "file")


def json_lines(file: BinaryIO) -> Iterator[Row]:
    """One object on each line; a line that is none is the mistake of its row."""
    index = 0
    for number, line in enumerate(file, 1):
        if number == 1:
            refuse_utf_16(line[:2])
        content = line.removeprefix(BOM) if number == 1 else line
        if not content.strip():
            continue
        try:
            yield Row(index, number, decode(content, "The line"))
        except ParseError as error:
            yield Row(index, number, problem=str(error.detail))
        index += 1
    if not index:
        raise Invalid("file", "The file is empty.")


def csv_rows(file: BinaryIO) -> Iterator[Row]:
    """Comma separated, in UTF-8, under a header that names our columns."""
    refuse_utf_16(file.read(2))
    file.seek(0)
    wrapped = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        yield from cut_rows(csv.reader(wrapped, strict=True))
    finally:
        wrapped.detach()  # The file is the caller's, to read again or to close.


def cut_rows(lines: Any) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    header: list[str] | None = None
    index, begins = 0, 1
    for cells in readable(lines):
        if header is None:
            header = columns(cells)
        elif cells:
            yield cut(cells, header, index=index, row=begins)
            index += 1
        begins = lines.line_num + 1
    if header is None:
        raise Invalid("file", "The file is empty.")


READERS = {"csv": csv_rows, "json": json_rows, "jsonl": json_lines}


def readable(lines: Any) -> Iterator[list[str]]:
    """The cells of each line. Raises Invalid, with the line, where the file stops being CSV in UTF-8."""
    try:
        yield from lines
    except UnicodeDecodeError as error:
        place = f"after line {lines.line_num}"
        raise Invalid("file", f"The file is not in UTF-8, {place}; save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise Invalid("file", f"Line {lines.line_num} cannot be read as CSV: {error}.") from error


def refuse_utf_16(start: bytes) -> None:
    if start in UTF_16:
        raise Invalid("file", "The file is in UTF-16; save it as UTF-8.")


# Rows


def columns(cells: list[str]) -> list[str]:
    """The names of a header. Raises Invalid, with those that are allowed, for one that we do not know."""
    names = [cell.strip().lower() for cell in cells]
    if any("\0" in name for name in names):
        raise Invalid("file", "The file holds NUL characters, as UTF-16 does; save it as UTF-8.")
    unknown = sorted({name for name in names if name not in ALLOWED})
    twice = sorted({name for name in names if names.count(name) > 1} - set(unknown))
    if unknown:
        said = ", ".join(repr(name[:64]) for name in unknown[:10])
        raise wrong_header(f"The header names {said}, which is no column of ours; separate them by commas.")
    if twice:
        raise wrong_header(f"The header names {', '.join(twice)} twice.")
    if not {"site_name", SERVICE} & set(names):
        raise wrong_header("The header lacks site_name.")
    return names


def wrong_header(message: str) -> Invalid:
    return Invalid("file", f"{message} Allowed are: {', '.join(ALLOWED)}.", allowed_values=list(ALLOWED))


def cut(cells: list[str], header: list[str], *, index: int, row: int) -> Row:
    """An empty cell states nothing."""
    if len(cells) != len(header):
        problem = f"The row has {len(cells)} cells, but the header names {len(header)} columns."
        return Row(index, row, problem=problem)
    stated = {name: text(cell) for name, cell in zip(header, cells, strict=True) if cell.strip()}
    services: dict[str, Any] = {
        name: parts(stated[name]) for name in ("affected_services", "services_affected") if name in stated
    }
    return Row(index, row, stated | services)


def text(cell: str) -> str:
    """As it was before an export guarded it."""
    return cell[1:] if GUARDED.match(cell) else cell


def parts(cell: str) -> list[str]:
    return [part.strip() for part in SERVICES.split(cell) if part.strip()]
