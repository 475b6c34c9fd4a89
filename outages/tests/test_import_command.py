"""Files of any length: read through first, then taken in batches, and gone on with after a break."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connection

from apexchainx.errors import Conflict
from audit.models import AuditEvent
from outages.models import Fact, ImportRun, Outage
from outages.services.importing import Origin, started
from outages.services.reporting import Report, create_all
from outages.services.reporting import create as create_outage
from payments.models import Payment
from payments.services import imports
from sla.models import SLAResult
from webhooks.models import Delivery
from webhooks.services import create, draft

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

HEADER = "site_name,severity,detected_at,mttr_minutes"
# A process of its own that dies in its third batch, before it is committed.
DYING = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from payments.services import imports
pay_all, calls = imports.pay_all, []
def dying(results):
    calls.append(pay_all(results))
    if len(calls) == 3:
        os.kill(os.getpid(), signal.{signal})
    return calls[-1]
imports.pay_all = dying
call_command("import_outages", sys.argv[1], batch=10)
"""


@pytest.fixture
def history(tmp_path: Path) -> Callable[..., Path]:
    """A file of so many resolved outages, with these lines in place of some."""

    def make(rows: int, lines: dict[int, str] | None = None) -> Path:
        usual = (f"Site {number},low,2026-01-10T10:00:00Z,{number % 200}" for number in range(2, rows + 2))
        found = [(lines or {}).get(number, line) for number, line in enumerate(usual, 2)]
        path = tmp_path / "history.csv"
        path.write_text("\n".join([HEADER, *found, ""]))
        return path

    return make


def run(path: Path, *flags: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_outages", str(path), *flags, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refused(path: Path, *flags: str) -> tuple[str, list[str]]:
    """The last word, and what was said of the lines; nothing was written."""
    err = io.StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("import_outages", str(path), *flags, stdout=io.StringIO(), stderr=err)
    assert [model.objects.count() for model in (Outage, Fact, ImportRun)] == [0, 0, 0]
    return str(refusal.value), [line for line in err.getvalue().splitlines() if " rows read" not in line]


def test_a_file_is_taken_in_batches(
    history: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, parties: None
) -> None:
    sizes, import_batch = list[int](), imports.import_batch

    def counted(run_id: int, plan: imports.Plan, *, after: int) -> ImportRun:
        sizes.append(len(plan.lines))
        return import_batch(run_id, plan, after=after)

    monkeypatch.setattr(imports, "import_batch", counted)

    out, err = run(history(25), "--batch", "10")

    assert (sizes, out) == ([10, 10, 5], "25 outages imported from history.csv.\n")
    assert "25 rows imported of 25, 0 s remain, " in err
    found = ImportRun.objects.get()
    assert (found.status, found.rows, found.imported, found.created_by) == ("done", 25, 25, "system")
    assert (Outage.objects.count(), SLAResult.objects.count(), Payment.objects.count()) == (25, 25, 25)
    assert AuditEvent.objects.filter(event="outage.import_finished", subject=found.subject).count() == 1


def test_the_same_file_is_taken_once(history: Callable[..., Path]) -> None:
    path = history(3)
    run(path)

    assert run(path) == ("This file was imported already: 3 outages.\n", "")
    assert Outage.objects.count() == 3


def test_json_lines_and_a_list(tmp_path: Path) -> None:
    row = '{"site_name": "A", "severity": "low"}'
    lines, whole = tmp_path / "a.jsonl", tmp_path / "b.json"
    lines.write_text(f"{row}\n\n{row}\n")
    whole.write_text(f"[{row}]")

    assert run(lines)[0] == "2 outages imported from a.jsonl.\n"
    assert run(whole)[0] == "1 outages imported from b.json.\n"
    other = tmp_path / "c.txt"
    other.write_text(f"\ufeff{row}\n{row}\n{row}\n")
    assert run(other, "--format", "jsonl")[0] == "3 outages imported from c.txt.\n"


def test_a_dry_run(history: Callable[..., Path]) -> None:
    out, _ = run(history(12), "--dry-run", "--batch", "5")

    assert out == "12 outages would be imported; nothing was written.\n"
    assert (Outage.objects.count(), ImportRun.objects.count()) == (0, 0)


def test_wrong_lines_are_named_before_anything_is_written(history: Callable[..., Path]) -> None:
    path = history(
        1000,
        {
            3: "A,urgent,2026-01-10T10:00:00Z,5",
            500: "A,low,2026-01-10T10:00:00Z",
            1001: "A,low,2026-01-17T10:00:00Z,5",
        },
    )

    assert refused(path, "--batch", "100") == (
        "3 of 1000 rows cannot be imported, so none was.",
        [
            'line 3: severity: "urgent" is not a valid choice.',
            "line 500: The row has 3 cells, but the header names 4 columns.",
            "line 1001: detected_at: The detection lies between 2000-01-01 and now.",
        ],
    )


def test_an_id_that_stands_twice_in_different_batches(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    ids = ["A", "B", "C", "A", "D", "B"]
    path.write_text("\n".join(["id,site_name,severity", *(f"{key},x,low" for key in ids)]))

    assert refused(path, "--batch", "2")[1] == [
        "line 5: id: Row 2 has the id A too.",
        "line 7: id: Row 3 has the id B too.",
    ]


def test_rows_without_an_id_leave_alone_what_later_rows_have(tmp_path: Path) -> None:
    """The database numbers the first batch, and the second one names the very next number."""
    following = int(create_outage(Report(site_name="A", severity="low")).reference.removeprefix("OUT")) + 1
    path = tmp_path / "mixed.csv"
    path.write_text(f"id,site_name,severity\n,B,low\nOUT{following:03d},C,low\n,D,low\n")

    call_command("import_outages", str(path), batch=1)

    numbers = {"A": following - 1, "B": following + 1, "C": following, "D": following + 2}
    assert dict(Outage.objects.values_list("site_name", "reference")) == {
        site: f"OUT{number:03d}" for site, number in numbers.items()
    }


def test_where_a_range_of_numbers_is_taken_the_next_is_behind_it() -> None:
    first = int(create_outage(Report(site_name="A", severity="low")).reference.removeprefix("OUT"))
    taken = range(first + 1, first + 151)
    create_all([Report(reference=f"OUT{number:03d}", site_name="B", severity="low") for number in taken])

    given = [create_outage(Report(site_name="C", severity="low")).reference for _ in range(2)]

    assert given == [f"OUT{first + 151:03d}", f"OUT{first + 152:03d}"]


def test_of_very_many_mistakes_some_are_shown(history: Callable[..., Path]) -> None:
    path = history(1500, dict.fromkeys(range(2, 1502), "A,urgent,,"))

    said, lines = refused(path, "--batch", "400")

    assert said == "1200 of 1200 rows cannot be imported, so none was."
    assert (lines[0], lines[-1]) == ("That is enough: the rest of the file was not read.", "and 1100 more")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "The file is empty."),
        ("a.csv", b"site_name,severity\n", "There is no outage to import."),
        ("a.csv", "site_name\n".encode("utf-16"), "The file is in UTF-16; save it as UTF-8."),
        ("a.jsonl", b"\n", "The file is empty."),
        ("a.xlsx", b"PK", "Say what the file is: --format csv, json or jsonl."),
        ("missing.csv", None, "missing.csv cannot be read: No such file or directory."),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    assert refused(path)[0].endswith(said)


def test_a_header_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("site_name,colour\na,b\n")

    assert refused(path)[0].startswith("The header names 'colour', which is no column of ours; ")


@pytest.mark.parametrize("batch", ["0", "-1", "x"])
def test_a_batch_has_rows(history: Callable[..., Path], batch: str) -> None:
    assert refused(history(1), "--batch", batch)[0].endswith(f"{batch} is no number of rows")


@pytest.mark.parametrize(("flags", "deliveries"), [((), 0), (("--announce",), 2)])
def test_subscribers_are_told_only_where_it_is_said(
    history: Callable[..., Path],
    settings: Any,
    flags: tuple[str, ...],
    deliveries: int,
) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE_NETWORKS = settings.WEBHOOK_ALLOW_HTTP = True
    create(draft(url="http://127.0.0.1:8080/hook", events=["outage.created"]))

    run(history(2), *flags)

    assert Delivery.objects.count() == deliveries
    assert AuditEvent.objects.filter(event="outage.created").count() == 2


def test_somebody_else_at_the_same_file(history: Callable[..., Path]) -> None:
    origin = Origin("a.csv", "0" * 64)
    begun = started(origin, rows=5)

    with pytest.raises(Conflict, match=r"Somebody else imports this file."):
        started(origin, rows=5)
    with pytest.raises(Conflict, match=r"Somebody else imports the same file: it stands at row 0."):
        imports.import_batch(begun.pk, imports.Plan((), ()), after=3)

    assert Outage.objects.count() == 0


@pytest.mark.parametrize(("number", "code"), [("SIGKILL", -9), ("SIGINT", 1)])
@pytest.mark.django_db(transaction=True)
def test_a_break_loses_and_doubles_nothing(history: Callable[..., Path], number: str, code: int) -> None:
    path = history(35)

    broken = subprocess.run(  # noqa: S603
        [sys.executable, "-c", DYING.format(signal=number), str(path)],
        env=environment(),
        cwd=configured.BASE_DIR,
        capture_output=True,
        check=False,
    )

    stood = ImportRun.objects.get()
    assert (broken.returncode, stood.status, stood.imported) == (code, "running", 20), broken.stderr
    assert (Outage.objects.count(), SLAResult.objects.count()) == (20, 20)
    out, err = run(path, "--batch", "7")

    assert out == "35 outages imported from history.csv.\n"
    assert "Going on after row 20 of 35." in err
    names = list(Outage.objects.order_by("id").values_list("site_name", flat=True))
    assert names == [f"Site {line}" for line in range(2, 37)]
    assert (SLAResult.objects.count(), Fact.objects.filter(kind="resolved").count()) == (35, 35)
    created = AuditEvent.objects.filter(event="outage.created")
    assert created.values("subject").distinct().count() == created.count() == 35
    [done] = ImportRun.objects.all()
    assert (done.status, done.imported) == ("done", 35)


def environment() -> dict[str, str]:
    there = connection.settings_dict
    return {
        "PATH": os.environ["PATH"],
        "DEBUG": "true",
        "DATABASE_URL": f"postgresql://{there['USER']}@{there['HOST']}:{there['PORT']}/{there['NAME']}",
        "DJANGO_SETTINGS_MODULE": "apexchainx.settings",
    }
