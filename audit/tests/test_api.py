from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apexchainx import context
from audit.events import Event
from audit.log import record

pytestmark = pytest.mark.django_db

PATH = "/api/v1/audit"


@pytest.fixture
def client(client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("auditor")


@pytest.fixture
def three() -> list[str]:
    """A day apart: an outage by 7, a wallet by 8, a payment by the system; their ids as text."""
    said = [
        ("7", "abc", "2026-01-15T12:00:00Z", Event.OUTAGE_CREATED, "outage:OUT001", "outage:OUT001"),
        ("8", "def", "2026-01-16T12:00:00Z", Event.WALLET_REGISTERED, "wallet:operations", ""),
        ("system", "abc", "2026-01-17T12:00:00Z", Event.PAYMENT_INITIATED, "payment:PAY001", "outage:OUT001"),
    ]
    return [state(*fact) for fact in said]


def state(actor: str, correlation_id: str, at: str, event: Event, subject: str, stream: str) -> str:
    with context.acting_as(actor, source="api", correlation_id=correlation_id):
        fact = record(event, subject, stream=stream, site_name="Alpha")
    # The log takes no UPDATE, so the test turns its guard off for a moment.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_append_only")
        cursor.execute("UPDATE audit_auditevent SET recorded_at = %s WHERE id = %s", (at, fact.pk))
        cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER audit_append_only")
    return str(fact.pk)


def found(client: APIClient, **query: str) -> list[str]:
    response = client.get(PATH, query)
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_a_fact_as_it_is_answered(client: APIClient, three: list[str]) -> None:
    oldest = client.get(PATH).json()["results"][-1]

    assert oldest == {
        "id": three[0],
        "event_type": "outage.created",
        "subject": "outage:OUT001",
        "stream": "outage:OUT001",
        "actor_id": "7",
        "impersonator_id": None,
        "source": "api",
        "correlation_id": "abc",
        "timestamp": "2026-01-15T12:00:00Z",
        "data": {"site_name": "Alpha"},
    }


def test_newest_first(client: APIClient, three: list[str]) -> None:
    assert found(client) == three[::-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"correlation_id": "abc"}, [2, 0]),
        ({"event_type": "wallet.registered"}, [1]),
        ({"actor_id": "8"}, [1]),
        ({"actor_id": "system"}, [2]),
        ({"subject": "outage:OUT001"}, [0]),
        ({"stream": "outage:OUT001"}, [2, 0]),
        ({"start": "2026-01-16"}, [2, 1]),
        ({"end": "2026-01-16"}, [1, 0]),
        ({"start": "2026-01-16T12:00:00Z", "end": "2026-01-16T12:00:00Z"}, [1]),
        ({"start": "2026-01-16T14:00:00+02:00"}, [2, 1]),
        ({"end": "2026-01-16T11:59:59.999999Z"}, [0]),
        ({"start": "2026-01-18"}, []),
        ({"correlation_id": "abc", "stream": "outage:OUT001", "end": "2026-01-16"}, [0]),
        ({"subject": "outage:%"}, []),
        ({"subject": "' OR 1=1 --"}, []),
        ({"correlation_id": ""}, [2, 1, 0]),
        ({"unknown": "x"}, [2, 1, 0]),
    ],
)
def test_filters(client: APIClient, three: list[str], query: dict[str, str], expected: list[int]) -> None:
    assert found(client, **query) == [three[index] for index in expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event_type", "outage.exploded"),
        ("start", "yesterday"),
        ("start", "2026-01-16T09:30:00"),
        ("end", "9999-12-31T23:59:59-14:00"),
        ("correlation_id", "x" * 129),
        ("actor_id", "x" * 255),
        ("subject", "x" * 129),
        ("stream", "x" * 129),
    ],
)
def test_a_value_that_no_row_could_have_is_400_and_named(client: APIClient, name: str, value: str) -> None:
    response = client.get(PATH, {name: value})

    details = response.json()["error"]["details"]
    assert (response.status_code, details["field"], list(details["fields"])) == (400, name, [name])


def test_an_unknown_event_is_answered_with_the_known_ones(client: APIClient) -> None:
    details = client.get(PATH, {"event_type": "outage.exploded"}).json()["error"]["details"]

    assert details["allowed_values"] == Event.values


@pytest.mark.parametrize(
    ("role", "status"),
    [("viewer", 403), ("engineer", 403), ("manager", 403), ("auditor", 200), ("admin", 200)],
)
def test_auditors_and_admins_read(client_as: Callable[[str], APIClient], role: str, status: int) -> None:
    assert client_as(role).get(PATH).status_code == status


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes(client_as: Callable[[str], APIClient], facts: Any, method: str) -> None:
    client = client_as("admin")

    response = getattr(client, method)(PATH, {"event_type": "outage.created", "subject": "outage:OUT001"})

    assert response.status_code == 405
    assert facts() == []


def test_each_paging_style_filters(client: APIClient, three: list[str]) -> None:
    query = {"stream": "outage:OUT001"}

    assert client.get(PATH, query).json()["total"] == 2
    assert client.get(PATH, {**query, "page": "1"}).json()["total"] == 2
    first = client.get(PATH, {**query, "cursor": "", "limit": "1"}).json()
    second = client.get(PATH, {**query, "cursor": first["next_cursor"], "limit": "1"}).json()
    assert [row["id"] for row in first["results"] + second["results"]] == [three[2], three[0]]
    assert second["has_more"] is False


@pytest.mark.parametrize("rows", [2, 50])
def test_a_list_costs_three_questions(client: APIClient, django_assert_num_queries: Any, rows: int) -> None:
    with context.acting_as("7"):
        for number in range(rows):
            record(Event.OUTAGE_UPDATED, f"outage:{number}")

    with django_assert_num_queries(3):
        assert len(found(client, start="2026-01-01", actor_id="7")) == rows


def test_times_are_utc(client: APIClient, three: list[str]) -> None:
    moments = [datetime.fromisoformat(row["timestamp"]) for row in client.get(PATH).json()["results"]]

    assert moments == [datetime(2026, 1, day, 12, tzinfo=UTC) for day in (17, 16, 15)]
