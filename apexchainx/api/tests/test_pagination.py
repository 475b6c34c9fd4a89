"""The three paging styles, on the audit log; `outages` stands for the lists that have a second name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import signing
from rest_framework.test import APIClient

from apexchainx import context
from apexchainx.api import keyset
from apexchainx.api.keyset import after
from audit.events import Event
from audit.log import record_all
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

PATH = "/api/v1/audit"
AT = datetime(2026, 1, 16, 9, 30, tzinfo=UTC)


@pytest.fixture
def client(client_as: Callable[[str], APIClient]) -> Any:
    return client_as("auditor")


@pytest.fixture
def seven(client: Any) -> list[str]:
    """Seven facts; their subjects, newest first."""
    add(*(f"n:{number}" for number in range(7)))
    return [f"n:{number}" for number in reversed(range(7))]


def add(*subjects: str) -> None:
    with context.acting_as("7"):
        record_all((Event.OUTAGE_UPDATED, subject, "", {}) for subject in subjects)


def subjects(rows: list[dict[str, Any]]) -> list[str]:
    return [row["subject"] for row in rows]


def envelope(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in {"results", "items"}}


@pytest.mark.parametrize(
    ("query", "span", "expected"),
    [
        ("", (0, 7), (50, 0, False, False, None, None)),
        ("?limit=3", (0, 3), (3, 0, True, False, 3, None)),
        ("?limit=3&offset=3", (3, 6), (3, 3, True, True, 6, 0)),
        ("?limit=3&offset=2", (2, 5), (3, 2, True, True, 5, 0)),
        ("?limit=3&offset=6", (6, 7), (3, 6, False, True, None, 3)),
        ("?limit=7", (0, 7), (7, 0, False, False, None, None)),
        ("?limit=500&offset=100", (7, 7), (500, 100, False, True, None, 0)),
    ],
)
def test_limit_and_offset(client: Any, seven: list[str], query: str, span: Any, expected: Any) -> None:
    body = client.get(PATH + query).json()

    names = ("limit", "offset", "has_next", "has_previous", "next_offset", "previous_offset")
    assert envelope(body) == {"total": 7, "total_exact": True, **dict(zip(names, expected, strict=True))}
    assert subjects(body["results"]) == seven[slice(*span)]


@pytest.mark.parametrize(
    ("query", "span", "page", "size"),
    [
        ("?page=1", (0, 7), 1, 20),
        ("?page_size=3", (0, 3), 1, 3),
        ("?page=2&page_size=3", (3, 6), 2, 3),
        ("?page=3&page_size=3", (6, 7), 3, 3),
        ("?page=9&page_size=100", (7, 7), 9, 100),
        ("?page=007&page_size=3", (7, 7), 7, 3),
    ],
)
def test_page_and_page_size(
    client: Any, seven: list[str], query: str, span: Any, page: int, size: int
) -> None:
    body = client.get(PATH + query).json()

    assert envelope(body) == {"total": 7, "total_exact": True, "page": page, "page_size": size}
    assert subjects(body["items"]) == seven[slice(*span)]


def test_a_cursor_walks_the_list_once_though_rows_come_in(client: Any, seven: list[str]) -> None:
    cursor: str | None = ""
    found, pages = [], 0
    while cursor is not None:
        body = client.get(PATH, {"cursor": cursor, "limit": 3}).json()
        assert set(body) == {"results", "next_cursor", "has_more"}
        assert body["has_more"] is (body["next_cursor"] is not None)
        found += subjects(body["results"])
        cursor = body["next_cursor"]
        pages += 1
        add("newer:1")

    assert found == seven
    assert pages == 3


def test_the_last_page_is_the_last_though_it_is_full(client: Any, seven: list[str]) -> None:
    body = client.get(PATH, {"cursor": "", "limit": 7}).json()

    assert (len(body["results"]), body["has_more"], body["next_cursor"]) == (7, False, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name, values in {
            "limit": [
                "0",
                "501",
                "-1",
                "1.5",
                "abc",
                "",
                "1e2",
                "10" + "0" * 22,
                "٣",
                "²",
                "+1",
                "0x1",
                "null",
            ],
            "offset": ["-1", "2147483649", str(2**63), "9" * 5_000, "x"],
            "page": ["0", "-1", "21474837", "1" + "0" * 23, "x", ""],
            "page_size": ["0", "101", "x", "1e9"],
        }.items()
        for value in values
    ],
)
def test_a_number_out_of_bounds_is_400_and_named(client: Any, name: str, value: str) -> None:
    response = client.get(PATH, {name: value})

    details = response.json()["error"]["details"]
    assert (response.status_code, details["field"], list(details["fields"])) == (400, name, [name])
    assert details["fields"][name][0].startswith("Give a whole number from ")


def test_the_largest_numbers_are_empty_pages(client: Any, seven: list[str]) -> None:
    assert client.get(PATH, {"offset": 2**31}).json()["results"] == []
    assert client.get(PATH, {"page": 21_474_836, "page_size": 100}).json()["items"] == []


@pytest.mark.parametrize(
    "cursor",
    [
        "garbage",
        "Mg",
        "a:b:c",
        "é",
        "ZZZZ:1uXyz:AAAA",
        "\ufffd",
        "1" * 5_000,
    ],
)
def test_a_cursor_that_this_list_has_not_given_is_400(client: Any, cursor: str) -> None:
    response = client.get(PATH, {"cursor": cursor})

    assert response.status_code == 400
    assert response.json()["error"]["details"] == {
        "fields": {"cursor": ["This is no cursor of this list."]},
        "field": "cursor",
    }


@pytest.mark.parametrize(
    ("salt", "status"),
    [
        ("cursor audit.AuditEvent -id", 200),
        ("cursor audit.AuditEvent id", 400),
        ("cursor payments.Payment -id", 400),
        ("django.core.signing", 400),
    ],
)
def test_our_signature_is_not_enough(client: Any, salt: str, status: int) -> None:
    assert client.get(PATH, {"cursor": signing.dumps(["2"], salt=salt)}).status_code == status


def test_a_cursor_of_another_list_is_refused(
    client: Any, make_outage: Callable[..., Any], seven: list[str]
) -> None:
    for _ in range(2):
        make_outage()
    theirs = client.get("/api/v1/outages", {"cursor": "", "limit": 1}).json()["next_cursor"]
    ours = client.get(PATH, {"cursor": "", "limit": 1}).json()["next_cursor"]

    assert client.get("/api/v1/outages", {"cursor": theirs}).status_code == 200
    assert client.get(PATH, {"cursor": theirs}).status_code == 400
    assert client.get("/api/v1/outages", {"cursor": ours}).status_code == 400


def test_rows_that_tie_are_neither_lost_nor_repeated(client: Any, make_outage: Callable[..., Any]) -> None:
    """Outages are ordered by time, then number: some have one time, and the oldest is not the first."""
    minutes = [5, 5, 9, 1, 5, 1, 7]
    outages = [make_outage(detected_at=AT + timedelta(minutes=minute)) for minute in minutes]
    references = [outages[index].reference for index in (2, 6, 4, 1, 0, 5, 3)]

    cursor: str | None = ""
    found = []
    while cursor is not None:
        body = client.get("/api/v1/outages", {"cursor": cursor, "limit": 2}).json()
        found += [row["id"] for row in body["results"]]
        cursor = body["next_cursor"]

    assert found == references


@pytest.mark.parametrize(
    "ordering",
    [
        ("-id",),
        ("subject", "id"),
        ("-subject", "-id"),
        ("-stream", "subject", "-id"),
        ("stream", "-subject", "id"),
    ],
)
def test_after_a_row_come_those_that_the_ordering_puts_there(ordering: tuple[str, ...]) -> None:
    with context.acting_as("7"):
        pairs = [(subject, stream) for stream in "bac" for subject in "yxz"] * 2
        record_all((Event.OUTAGE_UPDATED, subject, stream, {}) for subject, stream in pairs)
    ordered = AuditEvent.objects.order_by(*ordering)

    rows = list(ordered)
    for place, row in enumerate(rows):
        values = [getattr(row, name.lstrip("-")) for name in ordering]
        parts = after(keyset.terms(ordered), values)
        assert [found for part in parts for found in ordered.filter(part)] == rows[place + 1 :]


def test_unknown_parameters_change_nothing(client: Any, seven: list[str]) -> None:
    assert client.get(PATH, {"colour": "red", "format": "csv", "limit[]": "1"}).json()["total"] == 7


def test_a_second_name_for_the_results(client: Any, make_outage: Callable[..., Any]) -> None:
    make_outage()

    body = client.get("/api/v1/outages").json()

    assert body["outages"] == body["results"]
    assert len(body["results"]) == 1
    assert set(client.get("/api/v1/outages?page=1").json()) == {
        "items",
        "total",
        "total_exact",
        "page",
        "page_size",
    }


@pytest.mark.parametrize(
    ("query", "queries"), [("?limit=2", 3), ("?page=1&page_size=2", 3), ("?cursor=&limit=2", 2)]
)
def test_a_page_costs_the_same_whatever_stands_behind_it(
    client: Any, seven: list[str], django_assert_num_queries: Any, query: str, queries: int
) -> None:
    with django_assert_num_queries(queries):
        client.get(PATH + query)
    add(*(f"more:{number}" for number in range(50)))
    with django_assert_num_queries(queries):
        client.get(PATH + query.replace("=2", "=50"))
    assert AuditEvent.objects.count() == 57
