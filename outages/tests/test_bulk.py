"""The page's import: what is here already is skipped, and every attempt stays in the history."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from audit.events import PUBLIC, Event
from conftest import NOW
from outages.models import ImportRun, Outage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

PATH = "/api/v1/outages/bulk"
HISTORY = "/api/v1/outages/bulk/history"
HEADER = "service_id,start_time,end_time\r\n"
GOOD = f"{HEADER}VPN,2026-01-10T10:00:00Z,2026-01-10T10:30:00Z\r\n4G,2026-01-11T10:00:00Z,\r\n"
BAD = f"{HEADER}VPN,2026-01-10T10:00:00Z,2026-01-10T09:00:00Z\r\n4G,yesterday,\r\n"
MISTAKES = [
    (2, "resolved_at", "The outage cannot end before it was detected."),
    (
        3,
        "detected_at",
        "Datetime has wrong format. Use one of these formats instead: "
        "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].",
    ),
]


@pytest.fixture
def client(clock: Any, client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


def upload(client: APIClient, content: str, **options: Any) -> Any:
    file = SimpleUploadedFile("january.csv", content.encode())
    return client.post(PATH, {"file": file}, format="multipart", **options)


def history(client: APIClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(HISTORY).json()
    return found


def test_a_service_is_the_site_and_medium(client: APIClient, facts: Callable[..., Any]) -> None:
    response = upload(client, GOOD)

    assert (response.status_code, response.json()) == (200, {"imported": 2, "skipped": 0, "errors": []})
    found = Outage.objects.order_by("id").values_list(
        "site_name", "affected_services", "severity", "mttr_minutes", "source"
    )
    assert list(found) == [
        ("VPN", ["VPN"], "medium", 30, "import"),
        ("4G", ["4G"], "medium", None, "import"),
    ]
    run = ImportRun.objects.get()
    assert facts(event="outage.import_finished") == [("outage.import_finished", f"import:{run.pk}")]
    assert Event.OUTAGES_IMPORTED not in PUBLIC
    assert history(client) == [
        {
            "id": str(run.pk),
            "filename": "january.csv",
            "imported": 2,
            "skipped": 0,
            "error_count": 0,
            "errors": [],
            "created_at": "2026-01-16T10:00:00Z",
        }
    ]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_a_refusal_writes_nothing_but_its_history(
    client: APIClient, facts: Callable[..., Any], headers: dict[str, str]
) -> None:
    before = facts()

    response = upload(client, BAD, headers=headers)

    details = response.json()["error"]["details"]
    assert (response.status_code, details["imported"], details["skipped"]) == (422, 0, 0)
    assert [(one["row"], one["field"], one["message"]) for one in details["errors"]] == MISTAKES
    assert (Outage.objects.count(), facts()) == (0, before)
    [run] = history(client)
    assert (run["imported"], run["skipped"], run["error_count"]) == (0, 0, 2)
    assert [(one["row"], one["field"], one["message"]) for one in run["errors"]] == MISTAKES


def test_a_refusal_that_is_sent_again_is_one_attempt(client: APIClient) -> None:
    answers = [upload(client, BAD, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert len(history(client)) == 1


def test_what_is_here_already_is_skipped(client: APIClient) -> None:
    row = {"id": "OUT500", "site_name": "A", "severity": "low", "detected_at": "2026-01-10T10:00:00Z"}
    client.post(PATH, {"outages": [row]})

    again = client.post(PATH, {"outages": [row, {**row, "id": "OUT501"}]})
    all_known = client.post(PATH, {"outages": [row]})
    other = client.post(PATH, {"outages": [{**row, "severity": "high"}]})

    assert again.json() == {"imported": 1, "skipped": 1, "errors": []}
    assert all_known.json() == {"imported": 0, "skipped": 1, "errors": []}
    assert other.status_code == 422
    assert other.json()["error"]["details"]["errors"] == [
        {"index": 0, "row": 1, "field": "id", "message": "An outage with the id OUT500 exists."}
    ]
    assert Outage.objects.count() == 2
    shown = [(run["imported"], run["skipped"], run["error_count"]) for run in history(client)]
    assert shown == [(0, 0, 1), (0, 1, 0), (1, 1, 0), (1, 0, 0)]


def test_what_is_no_list_of_outages_is_no_attempt(client: APIClient) -> None:
    assert upload(client, "colour\nred\n").status_code == 400
    assert history(client) == []


def test_the_history_shows_fifty(client: APIClient) -> None:
    ImportRun.objects.bulk_create(
        ImportRun(filename=f"{number}.csv", digest="d", status="done", created_by="1", created_at=NOW)
        for number in range(51)
    )

    assert [run["filename"] for run in history(client)] == [f"{number}.csv" for number in range(50, 0, -1)]
