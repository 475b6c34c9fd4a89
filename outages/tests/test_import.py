"""Outages brought in as a list or a file: all or none, and every mistake named."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from audit.models import AuditEvent
from conftest import NOW
from outages.models import Fact, ImportRun, MaintenanceWindow, Outage
from payments.models import Payment
from sla.models import PolicyVersion, SLAResult
from wallets.services import create_owner

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

PATH = "/api/v1/outages/import"
ROW = {"site_name": "DC-West", "severity": "high", "services_affected": ["billing"]}
THEN = "2026-01-10T10:00:00Z"


@pytest.fixture
def client(clock: Any, client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


def send(client: APIClient, *rows: Any, query: str = "", **headers: Any) -> Any:
    return client.post(f"{PATH}{query}", {"outages": list(rows)}, **headers)


def upload(client: APIClient, content: bytes | str, name: str = "history.csv", **options: Any) -> Any:
    body = content.encode() if isinstance(content, str) else content
    return client.post(PATH, {"file": SimpleUploadedFile(name, body)}, format="multipart", **options)


def refused(response: Any) -> list[tuple[int, str, str]]:
    """(index, field, message) of every mistake; nothing was written."""
    assert response.status_code == 422, response.content
    assert [model.objects.count() for model in (Outage, Fact, ImportRun)] == [0, 0, 0]
    assert not AuditEvent.objects.filter(event__startswith="outage.").exists()
    details = response.json()["error"]["details"]
    return [(one["index"], one["field"], one["message"]) for one in details["errors"]]


def invalid(response: Any) -> str:
    assert response.status_code == 400, response.content
    assert not Outage.objects.exists()
    return str(response.json()["detail"])


# What an import makes


def test_open_outages(client: APIClient, facts: Callable[..., Any]) -> None:
    response = send(client, ROW, {**ROW, "site_name": "DC-East", "severity": "medium", "detected_at": THEN})

    one, other = Outage.objects.order_by("id")
    assert (response.status_code, response.json()) == (
        201,
        {
            "dry_run": False,
            "imported": 2,
            "open": 2,
            "resolved": 0,
            "met": 0,
            "violated": 0,
            "net_amount": 0,
            "outages": [one.reference, other.reference],
        },
    )
    assert (one.site_name, one.affected_services, one.source, one.state) == (
        "DC-West",
        ["billing"],
        "import",
        "active",
    )
    assert (one.detected_at, other.detected_at) == (NOW, datetime(2026, 1, 10, 10, tzinfo=UTC))
    run = ImportRun.objects.get()
    assert (run.status, run.rows, run.imported, run.skipped, run.finished_at) == ("done", 2, 2, 0, NOW)
    assert facts(event__startswith="outage.") == [
        ("outage.created", one.stream),
        ("outage.created", other.stream),
        ("outage.import_finished", f"import:{run.pk}"),
    ]


def test_one_that_is_over_is_judged_and_its_payment_is_held(
    client: APIClient, parties: None, facts: Callable[..., Any]
) -> None:
    row = {**ROW, "detected_at": THEN, "resolved_at": "2026-01-10T10:42:30Z", "root_cause": "Fibre cut"}

    response = send(client, {**row, "resolution_notes": "Spliced"})

    outage, result, payment = Outage.objects.get(), SLAResult.objects.get(), Payment.objects.get()
    assert response.json()["net_amount"] == -600
    assert (outage.state, outage.mttr_minutes, outage.root_cause, outage.resolution_notes) == (
        "resolved",
        42,
        "Fibre cut",
        "Spliced",
    )
    assert (result.status, result.amount, result.clock_source) == ("violated", Decimal(-600), "imported")
    assert (payment.state, payment.reason, payment.amount) == ("held", "clock_imported", Decimal(600))
    stated = outage.facts.values_list("kind", "occurred_at", "recorded_at")
    assert list(stated) == [
        ("detected", outage.detected_at, NOW),
        ("severity", outage.detected_at, NOW),
        ("resolved", outage.resolved_at, NOW),
    ]
    assert [event for event, _ in facts(stream=outage.stream)] == [
        "outage.created",
        "outage.resolved",
        "sla.calculated",
        "sla.violation",
        "payment.initiated",
    ]


def test_minutes_alone_end_it_after_so_much_counted_time(client: APIClient) -> None:
    detected = datetime(2026, 1, 10, 10, tzinfo=UTC)
    MaintenanceWindow.objects.create(
        name="Swap",
        site_name="dc-west",
        starts_at=detected + timedelta(minutes=5),
        ends_at=detected + timedelta(minutes=25),
        reason="planned",
        created_by="1",
        approved_by="2",
        approved_at=detected - timedelta(days=1),
    )

    send(client, {**ROW, "detected_at": THEN, "mttr_minutes": 12})

    outage = Outage.objects.get()
    assert (outage.mttr_minutes, outage.resolved_at) == (12, detected + timedelta(minutes=32))


def test_ids_and_owners(client: APIClient) -> None:
    create_owner(key="north", name="North", kind="team")

    response = send(client, ROW, {**ROW, "id": "OUT002", "team": "north"}, {**ROW, "operator": "operator"})

    first, second, third = response.json()["outages"]
    assert second == "OUT002"
    assert len({first, second, third}) == 3
    assert Outage.objects.get(reference="OUT002").team_key == "north"
    assert Outage.objects.get(reference=third).operator is None


def test_what_says_nothing_is_left_out(client: APIClient) -> None:
    empty = dict.fromkeys(("id", "region", "team", "resolved_at", "mttr_minutes", "assigned_to", "location"))

    assert send(client, {**ROW, **empty, "latitude": None}).status_code == 201


def test_a_file_of_json_may_be_a_list_or_an_object(client: APIClient) -> None:
    answers = [upload(client, json.dumps(body), "history.json") for body in ([ROW], {"outages": [ROW, ROW]})]

    assert [answer.json()["imported"] for answer in answers] == [1, 2]
    assert list(ImportRun.objects.values_list("filename", "rows").order_by("id")) == [
        ("history.json", 1),
        ("history.json", 2),
    ]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_csv_under_our_names_and_their_aliases(client: APIClient, mark: bytes) -> None:
    header = (
        "site_name,severity,services_affected,start_time,end_time,latitude,longitude,affected_subscribers"
    )
    row = '"Kano, Central",low,4G; 5G|SMS,2026-01-10T10:00:00Z,2026-01-10T11:00:00+01:00,-6.5,3.25,12'

    response = upload(client, mark + f"{header}\r\n{row}\r\n\r\n".encode())

    outage = Outage.objects.get()
    assert response.status_code == 201
    assert (outage.site_name, outage.affected_services) == ("Kano, Central", ["4G", "5G", "SMS"])
    assert (outage.mttr_minutes, float(outage.latitude or 0), outage.affected_subscribers) == (0, -6.5, 12)


def test_a_cell_that_begins_as_a_formula_is_text(client: APIClient) -> None:
    upload(client, "site_name,severity,description\n=HYPERLINK(1),low,'=1+1\n'Quoted',low,''+x\n")

    found = Outage.objects.order_by("id").values_list("site_name", "description")
    assert list(found) == [("=HYPERLINK(1)", "=1+1"), ("'Quoted'", "'+x")]


def test_a_dry_run_writes_nothing_and_says_what_would_happen(
    client: APIClient, facts: Callable[..., Any]
) -> None:
    before = facts()

    response = send(client, ROW, {**ROW, "detected_at": THEN, "mttr_minutes": 10}, query="?dry_run=true")

    assert response.status_code == 200
    assert response.json() == {
        "dry_run": True,
        "imported": 2,
        "open": 1,
        "resolved": 1,
        "met": 1,
        "violated": 0,
        "net_amount": 1500,
        "outages": [],
    }
    assert (Outage.objects.count(), ImportRun.objects.count(), facts()) == (0, 0, before)


def test_a_dry_run_asks_the_database_too(client: APIClient) -> None:
    response = send(client, {**ROW, "team": "nobody"}, query="?dry_run=true")

    assert refused(response) == [(0, "team", "There is no owner nobody.")]


def test_a_thousand_cost_as_many_statements_as_ten(
    client: APIClient, parties: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    over = {**ROW, "detected_at": THEN, "assigned_to": "amina", "mttr_minutes": 90}
    send(client, ROW)
    for count in (10, 1000):
        with django_assert_num_queries(OPEN_STATEMENTS):
            assert send(client, *[ROW] * count).status_code == 201
        with django_assert_num_queries(RESOLVED_STATEMENTS):
            assert send(client, *[over] * count).status_code == 201

    assert (Outage.objects.count(), Payment.objects.count()) == (2021, 1010)
    assert Fact.objects.count() == 1011 * 2 + 1010 * 4


OPEN_STATEMENTS, RESOLVED_STATEMENTS = 13, 26


# What it refuses


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"severity": "urgent"}, "severity", '"urgent" is not a valid choice.'),
        ({"site_name": "x" * 256}, "site_name", "Ensure this field has no more than 255 characters."),
        ({"site_name": None}, "site_name", "This field is required."),
        (
            {"services_affected": ["s"] * 101},
            "affected_services",
            "Ensure this field has no more than 100 elements.",
        ),
        (
            {"services_affected": ["s" * 256]},
            "affected_services.0",
            "Ensure this field has no more than 255 characters.",
        ),
        (
            {"detected_at": "2026-01-10T10:00:00"},
            "detected_at",
            "Give the time with an offset, such as 2026-01-16T09:30:00Z.",
        ),
        (
            {"detected_at": "2026-01-16T11:00:00Z"},
            "detected_at",
            "The detection lies between 2000-01-01 and now.",
        ),
        (
            {"detected_at": THEN, "resolved_at": "2026-01-16T10:00:01Z"},
            "resolved_at",
            "The outage cannot end in the future.",
        ),
        (
            {"detected_at": THEN, "resolved_at": "2026-01-10T09:59:59Z"},
            "resolved_at",
            "The outage cannot end before it was detected.",
        ),
        (
            {"detected_at": THEN, "mttr_minutes": 60 * 24 * 7},
            "mttr_minutes",
            "The outage cannot end in the future: its clock has counted 8640 minutes, not 10080.",
        ),
        (
            {"detected_at": THEN, "resolved_at": "2026-01-10T11:00:00Z", "mttr_minutes": 12},
            "resolved_at",
            "The declared MTTR is 12 minutes, but the clock measures 60.",
        ),
        ({"status": "resolved"}, "resolved_at", "A resolved outage says resolved_at or mttr_minutes."),
        (
            {"state": "active", "mttr_minutes": 1, "detected_at": THEN},
            "status",
            "An outage that has ended is resolved, not active.",
        ),
        ({"operator": "nobody"}, "operator", "There is no owner nobody."),
        ({"id": "a b"}, "id", "This value does not match the required pattern."),
        ({"created_at": THEN, "detected_at": "2026-01-11T10:00:00Z"}, "detected_at", None),
        ({"latitude": 91, "longitude": 3}, "location.latitude", None),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_one_bad_row_in_a_thousand_refuses_all(
    client: APIClient, wrong: dict[str, Any], field: str, message: str | None
) -> None:
    body = [ROW] * 617 + [{**ROW, **wrong}] + [ROW] * 382

    response = upload(client, json.dumps(body), "a.json")

    [(index, named, said)] = refused(response)
    assert (index, named) == (617, field)
    assert message is None or said == message


def test_a_nul_in_a_cell(client: APIClient) -> None:
    response = upload(client, "site_name,severity,description\na,low,b\na,low,a\x00b\n")

    assert refused(response) == [(1, "description", "Null characters are not allowed.")]


def test_every_bad_row_is_named(client: APIClient) -> None:
    response = send(
        client, {**ROW, "severity": "x", "site_name": ""}, ROW, "text", {**ROW, "team": "a", "operator": "b"}
    )

    assert refused(response) == [
        (0, "severity", '"x" is not a valid choice.'),
        (0, "site_name", "This field may not be blank."),
        (2, "", "Give an object."),
        (3, "operator", "There is no owner b."),
        (3, "team", "There is no owner a."),
    ]
    assert response.json()["detail"] == "3 of 4 rows cannot be imported, so none was."


def test_of_very_many_mistakes_a_hundred_are_shown(client: APIClient) -> None:
    response = send(client, *[{"severity": "y" * 5000}] * 1000)

    details = response.json()["error"]["details"]
    assert (len(refused(response)), details["error_count"], details["more"]) == (100, 2000, 1900)
    assert len(response.content) < 60_000


def test_an_id_that_is_taken_or_stands_twice(client: APIClient, make_outage: Callable[..., Outage]) -> None:
    make_outage(reference="OUT900")

    response = send(client, *({**ROW, "id": key} for key in ("OUT900", "A", "B", "A")))

    assert response.status_code == 422
    assert response.json()["error"]["details"]["errors"] == [
        {"index": 0, "row": 1, "field": "id", "message": "An outage with the id OUT900 exists."},
        {"index": 3, "row": 4, "field": "id", "message": "Row 2 has the id A too."},
    ]
    assert Outage.objects.count() == 1


def test_an_outage_older_than_every_policy(client: APIClient) -> None:
    PolicyVersion.objects.filter(severity="high").update(effective_from=NOW)

    response = send(client, {**ROW, "detected_at": THEN, "mttr_minutes": 1})

    assert refused(response) == [(0, "detected_at", "No SLA policy for high outages was in force then.")]


def test_too_many(client: APIClient, settings: Any) -> None:
    message = "One request imports at most 1000 outages; manage.py import_outages takes more."

    assert invalid(send(client, *[ROW] * 1001)) == message
    assert invalid(upload(client, "site_name,severity\n" + "a,low\n" * 1001)) == message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (b"site_name,severity\n", "There is no outage to import."),
        ("site_name,severity\na,low\n".encode("utf-16"), "The file is in UTF-16; save it as UTF-8."),
        (
            "site_name,severity\na,low\n".encode("utf-16-le"),
            "The file holds NUL characters, as UTF-16 does; save it as UTF-8.",
        ),
        (
            b"site_name,severity\nK\xf6ln,low\n",
            "The file is not in UTF-8, after line 0; save it as CSV UTF-8.",
        ),
        (b"severity\nlow\n", "The header lacks site_name."),
        (b"site_name,site_name\na,b\n", "The header names site_name twice."),
        (
            b"site;severity\na;low\n",
            "The header names 'site;severity', which is no column of ours; separate them by commas.",
        ),
        (b'site_name,severity\n"a,low\n', "Line 2 cannot be read as CSV: unexpected end of data."),
    ],
)
def test_a_csv_that_is_none(client: APIClient, content: bytes, said: str) -> None:
    assert invalid(upload(client, content)).startswith(said)


def test_a_wrong_header_names_the_columns_that_are_allowed(client: APIClient) -> None:
    response = upload(client, "site_name,severity,colour\na,low,red\n")

    allowed = response.json()["error"]["details"]["allowed_values"]
    assert {"site_name", "services_affected", "created_at", "start_time", "end_time", "service_id"} < set(
        allowed
    )


def test_rows_are_numbered_by_their_lines(client: APIClient) -> None:
    content = 'site_name,severity,description\n\n"two\nlines",low,x\na,low\nb,low,c,d\nc,urgent,\n'

    response = upload(client, content)

    assert [(one["index"], one["row"], one["message"]) for one in details(response)] == [
        (1, 5, "The row has 2 cells, but the header names 3 columns."),
        (2, 6, "The row has 4 cells, but the header names 3 columns."),
        (3, 7, '"urgent" is not a valid choice.'),
    ]


def details(response: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.json()["error"]["details"]["errors"]
    return found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "The file is empty."),
        ("{", "The file is not valid JSON: "),
        ("5", 'Give a list of outages, as {"outages": [...]}.'),
        ('{"outages": {}}', 'Give a list of outages, as {"outages": [...]}.'),
        ("[]", "There is no outage to import."),
        ('[{"a": NaN}]', "The file is not valid JSON: NaN is not a number"),
        ("[" * 5000, "The JSON is nested too deeply."),
    ],
)
def test_a_json_file_that_is_none(client: APIClient, content: str, said: str) -> None:
    assert invalid(upload(client, content, "history.json")).startswith(said)


@pytest.mark.parametrize("name", ["history.xlsx", "history", "csv"])
def test_another_kind_of_file(client: APIClient, name: str) -> None:
    assert invalid(upload(client, "x", name)) == "Send a file whose name ends in .csv or .json."


@pytest.mark.parametrize("body", [{}, {"outages": None}, {"outages": "x"}, {"outages": []}])
def test_a_body_without_a_list(client: APIClient, body: Any) -> None:
    invalid(client.post(PATH, body))


def test_dry_run_is_true_or_false(client: APIClient) -> None:
    assert invalid(send(client, ROW, query="?dry_run=maybe")) == "Say true or false."


# Forms


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Send one file, in the field named file."),
        ({"file": "text"}, "Send one file, in the field named file."),
        ({"upload": SimpleUploadedFile("a.csv", b"x")}, "Send one file, in the field named file."),
    ],
)
def test_a_form_without_the_file(client: APIClient, fields: Any, said: str) -> None:
    assert invalid(client.post(PATH, fields, format="multipart")) == said


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary="])
def test_a_form_without_a_boundary(client: APIClient, kind: str) -> None:
    invalid(client.generic("POST", PATH, "--x\r\n\r\n--x--\r\n", content_type=kind))


def test_forms_go_nowhere_else(client: APIClient) -> None:
    response = client.post("/api/v1/outages", ROW, format="multipart")

    assert (response.status_code, response.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_file_over_ten_megabytes(client: APIClient) -> None:
    response = upload(client, b"x" * (10 * 2**20 + 1))

    assert (response.status_code, response.json()["detail"]) == (413, "File exceeds 10 MB limit")


# Once


def test_the_same_form_under_another_boundary_is_the_same_request(client: APIClient) -> None:
    answers = [post_form(client, boundary, "site_name,severity\na,low\n") for boundary in ("one", "two")]
    other = post_form(client, "two", "site_name,severity\nb,low\n")

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert Outage.objects.count() == 1


def post_form(client: APIClient, boundary: str, content: str) -> Any:
    head = 'Content-Disposition: form-data; name="file"; filename="a.csv"'
    body = f"--{boundary}\r\n{head}\r\n\r\n{content}\r\n--{boundary}--\r\n"
    kind = f"multipart/form-data; boundary={boundary}"
    return client.generic("POST", PATH, body, content_type=kind, headers={"Idempotency-Key": "k"})


def test_a_failure_in_the_middle_leaves_nothing(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, facts: Callable[..., Any]
) -> None:
    def fail(*_: object) -> None:
        raise IntegrityError("no payment today")

    monkeypatch.setattr("payments.services.imports.pay_all", fail)
    before = facts()

    response = send(client, ROW, {**ROW, "detected_at": THEN, "mttr_minutes": 10})

    assert response.status_code == 500
    assert (Outage.objects.count(), ImportRun.objects.count(), facts()) == (0, 0, before)
