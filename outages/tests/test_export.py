"""Outages as files: every column, no formulas, constant memory, and back again by an import."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from rest_framework.test import APIClient

from conftest import NOW
from outages.models import Outage
from outages.serializers import exports
from outages.serializers.exports import ExportedSerializer, columns, copied
from outages.serializers.transfers import TAKEN, TOLD
from payments.models import Payment
from payments.services.settling import settle
from sla.models import SLAResult

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

PATH = "/api/v1/outages/export"
THEN = datetime(2026, 1, 16, 9, 0, tzinfo=UTC)


@pytest.fixture
def client(clock: Any, client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("viewer")


@pytest.fixture
def settled(clock: Any, acting: Any, make_outage: Callable[..., Outage], parties: None) -> Outage:
    outage = make_outage(
        reference="OUT700",
        site_id="S1",
        region="North",
        description='He said "down", twice;\nand again',
        affected_services=["4G", "5G"],
        affected_subscribers=12,
        latitude="-6.5",
        longitude="3.25",
        assigned_to="amina",
        detected_at=THEN,
    )
    settle(outage.reference, minutes=25, notes="Spliced", root_cause="Fibre cut")
    return outage


def content(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def rows_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(response).decode())))


def test_json_is_one_array_with_result_and_payment(client: APIClient, settled: Outage) -> None:
    response = client.get(f"{PATH}?format=json")

    assert (response["Content-Type"], response["Content-Disposition"]) == (
        "application/json",
        'attachment; filename="outages-2026-01-16.json"',
    )
    payment, result = Payment.objects.get(), SLAResult.objects.get()
    [row] = json.loads(content(response))
    assert row == {
        "id": "OUT700",
        "site_name": "Cell Tower Alpha",
        "site_id": "S1",
        "region": "North",
        "severity": "critical",
        "status": "resolved",
        "state": "resolved",
        "detected_at": "2026-01-16T09:00:00Z",
        "resolved_at": "2026-01-16T09:25:00Z",
        "mttr_minutes": 25,
        "description": 'He said "down", twice;\nand again',
        "root_cause": "Fibre cut",
        "resolution_notes": "Spliced",
        "affected_services": ["4G", "5G"],
        "affected_subscribers": 12,
        "latitude": -6.5,
        "longitude": 3.25,
        "assigned_to": "amina",
        "created_by": "7",
        "team": "operations",
        "operator": "operator",
        "correlation_id": "test-correlation",
        "sla_status": "violated",
        "sla_amount": -1000,
        "sla_rating": "poor",
        "policy_version": result.policy.label,
        "clock_source": "declared",
        "payment_id": payment.reference,
        "payment_state": "held",
        "transaction_hash": "",
    }


def test_csv_has_the_same_columns(client: APIClient, settled: Outage) -> None:
    response = client.get(f"{PATH}?format=csv")

    assert (response["Content-Type"], response["Content-Disposition"]) == (
        "text/csv; charset=utf-8",
        'attachment; filename="outages-2026-01-16.csv"',
    )
    [row] = rows_of(response)
    assert (row["affected_services"], row["sla_amount"], row["latitude"]) == ("4G;5G", "-1000", "-6.5")
    assert row["description"] == 'He said "down", twice;\nand again'


def test_every_list_of_columns_is_the_same() -> None:
    assert set(columns("csv")) == set(columns("json")) == set(TAKEN) | set(TOLD)
    assert list(columns("csv")) == list(ExportedSerializer().fields)


def test_an_open_outage_and_none(client: APIClient, make_outage: Callable[..., Outage]) -> None:
    assert content(client.get(f"{PATH}?format=json")) == b"[]\n"
    assert rows_of(client.get(PATH)) == []
    make_outage()

    [row] = json.loads(content(client.get(f"{PATH}?format=json")))

    empty = {name for name, value in row.items() if value is None}
    assert empty == {
        "resolved_at",
        "mttr_minutes",
        "affected_subscribers",
        "latitude",
        "longitude",
        "assigned_to",
        "sla_status",
        "sla_amount",
        "sla_rating",
        "policy_version",
        "clock_source",
        "payment_id",
        "payment_state",
        "transaction_hash",
    }


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(1)",
        "\tx",
        "\rx",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        "'=1",
        "''@x",
        "a=1",
        "'quoted'",
    ],
)
def test_no_text_begins_as_a_formula_and_all_come_back(
    client: APIClient, client_as: Callable[[str], APIClient], make_outage: Callable[..., Outage], text: str
) -> None:
    make_outage(site_name=text, description=text, affected_services=[text, "4G"])

    response = client.get(PATH)
    file = content(response)

    [row] = csv.DictReader(io.StringIO(file.decode(), newline=""))
    assert row["site_name"] == row["description"]
    assert not row["site_name"].startswith(tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20"))
    assert row["affected_services"] == f"{row['site_name']};4G"
    assert row["site_name"] == (text if text in {"a=1", "'quoted'"} else f"'{text}")


def test_the_filters_of_the_list(client: APIClient, make_outage: Callable[..., Outage]) -> None:
    make_outage(reference="A", severity="low", detected_at=THEN)
    make_outage(reference="B", severity="high", detected_at=NOW, region="North")
    make_outage(reference="C", severity="high", detected_at=THEN)

    def found(query: str) -> list[str]:
        return [row["id"] for row in rows_of(client.get(f"{PATH}?{query}"))]

    assert found("format=csv") == ["B", "C", "A"]
    assert found("severity=high&status=open") == ["B", "C"]
    assert found("region=north") == ["B"]
    assert found("end_date=2026-01-16T09:30:00Z") == ["C", "A"]
    assert found("site_name=100%25") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [("format=xml", "format"), ("severity=urgent", "severity"), ("start_date=x", "start_date")],
)
def test_a_bad_parameter_is_named(client: APIClient, query: str, field: str) -> None:
    response = client.get(f"{PATH}?{query}")

    assert (response.status_code, response.json()["error"]["details"]["field"]) == (400, field)
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("accept", ["text/csv", "application/json", "text/html", "*/*"])
def test_the_format_decides_whatever_is_accepted(client: APIClient, accept: str) -> None:
    response = client.get(f"{PATH}?format=csv", headers={"Accept": accept})

    assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
    response.close()


def test_a_head_reads_nothing(
    client: APIClient, make_outage: Callable[..., Outage], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_outage()
    monkeypatch.setattr("outages.views.transfers.copied", None)

    response: Any = client.head(f"{PATH}?format=json")

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response["Content-Disposition"] == 'attachment; filename="outages-2026-01-16.json"'
    assert b"".join(response.streaming_content) == b""


def test_it_comes_in_pieces(make_outage: Callable[..., Outage], monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        make_outage(description="x" * 1000)
    monkeypatch.setattr(exports, "CHUNK", 2500)

    pieces = list(copied(Outage.objects.all(), "json"))

    assert len(json.loads(b"".join(pieces))) == 5
    assert [len(piece) > 2500 for piece in pieces] == [True, True, False]


@pytest.mark.django_db(transaction=True)
def test_a_client_that_goes_away_leaves_no_transaction(
    make_outage: Callable[..., Outage], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        make_outage()
    monkeypatch.setattr(exports, "CHUNK", 10)
    pieces = copied(Outage.objects.all(), "csv")
    next(pieces)
    has_begun = connection.in_atomic_block
    assert has_begun

    pieces.close()  # type: ignore[attr-defined]

    is_over = not connection.in_atomic_block
    assert is_over
    assert connection.connection.info.transaction_status.name == "IDLE"
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("30s",)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_can_be_imported(
    client_as: Callable[[str], APIClient], settled: Outage, make_outage: Callable[..., Outage], form: str
) -> None:
    make_outage(reference="OPEN-1", site_name="=1+1", affected_services=["Voice"], detected_at=NOW)
    engineer = client_as("engineer")
    before = content(engineer.get(f"{PATH}?format={form}"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("UPDATE outages_outage SET reference = 'was-' || reference")

    file = SimpleUploadedFile(f"again.{form}", before)
    answer = engineer.post("/api/v1/outages/import", {"file": file}, format="multipart")

    assert answer.status_code == 201, answer.content
    again = [row for row in told(engineer) if not row["id"].startswith("was-")]
    original = [{**row, "id": row["id"].removeprefix("was-")} for row in told(engineer) if row not in again]
    weaker = {"created_by", "correlation_id", "clock_source", "payment_id"}
    assert [strip(row, weaker) for row in again] == [strip(row, weaker) for row in original]
    assert [row["clock_source"] for row in again] == [None, "imported"]


def told(client: APIClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(content(client.get(f"{PATH}?format=json")))
    return found


def strip(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


# The command


def test_the_command_writes_a_file_whole(
    make_outage: Callable[..., Outage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_outage(reference="A", severity="low", detected_at=THEN)
    make_outage(reference="B", severity="high", detected_at=NOW)
    out = tmp_path / "outages.json"
    options = {"start_date": "2026-01-16", "end_date": "2026-01-16", "severity": "high", "status": "open"}

    call_command("export_outages", format="json", out=str(out), **options)

    assert [row["id"] for row in json.loads(out.read_text())] == ["B"]
    assert [path.name for path in tmp_path.iterdir()] == ["outages.json"]
    assert "0.0 MiB in " in capsys.readouterr().err


def test_the_command_leaves_the_old_file_where_it_fails(
    make_outage: Callable[..., Outage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "outages.csv"
    out.write_text("old")

    def broken(*_: Any) -> Any:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("outages.management.commands.export_outages.copied", broken)

    with pytest.raises(CommandError, match=r"outages.csv cannot be written: No space left on device."):
        call_command("export_outages", out=str(out))

    assert out.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["outages.csv"]


@pytest.mark.parametrize(("flag", "word"), [("--from", "yesterday"), ("--to", "2026-02-30")])
def test_the_command_names_a_bad_date(tmp_path: Path, flag: str, word: str) -> None:
    with pytest.raises(CommandError, match=f"^{flag}: Give an ISO 8601 time"):
        call_command("export_outages", flag, word, "--out", str(tmp_path / "x"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_has_had_enough_is_no_failure(make_outage: Callable[..., Outage]) -> None:
    for _ in range(200):
        make_outage(description="x" * 4000)
    there = connection.settings_dict
    database = f"postgresql://{there['USER']}@{there['HOST']}:{there['PORT']}/{there['NAME']}"
    command = f"{sys.executable} manage.py export_outages --out - | head -c 10"

    done = subprocess.run(  # noqa: S603
        ["bash", "-o", "pipefail", "-c", command],  # noqa: S607
        env={"PATH": os.environ["PATH"], "DEBUG": "true", "DATABASE_URL": database},
        cwd=configured.BASE_DIR,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, b"id,site_na")
    assert b"Traceback" not in done.stderr
