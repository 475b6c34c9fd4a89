"""Lists of outages: filtered, sorted, by pages of three styles, in two statements."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import Traveller

from apexchainx.api import counting
from conftest import NOW, PREFIX
from outages.models import Fact, Outage
from outages.serializers.outage import OutageSerializer
from outages.views.lifecycle import told
from payments.services.settling import settle
from sla.models import SLAResult

pytestmark = pytest.mark.django_db
OUTAGES = f"{PREFIX}/outages"
MINUTE = timedelta(minutes=1)
Make = Callable[..., Outage]


@pytest.fixture
def viewer(clock: Traveller, client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("viewer")


@pytest.fixture
def found(viewer: APIClient) -> Callable[..., list[str]]:
    """The ids that a list answers, in its order."""
    return lambda path="", **query: [row["id"] for row in viewer.get(OUTAGES + path, query).json()["results"]]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    counting.Remembered.counts.clear()
    yield
    counting.Remembered.counts.clear()


def test_list_is_newest_first_in_three_styles(viewer: APIClient, make_outage: Make) -> None:
    made = [make_outage(detected_at=NOW - timedelta(minutes=number)).reference for number in range(5)]

    by_offset = viewer.get(OUTAGES, {"limit": 2, "offset": 2}).json()
    assert [row["id"] for row in by_offset["results"]] == made[2:4]
    assert by_offset["outages"] == by_offset["results"]
    assert {key: by_offset[key] for key in by_offset if key not in {"results", "outages"}} == {
        "total": 5,
        "total_exact": True,
        "limit": 2,
        "offset": 2,
        "has_next": True,
        "has_previous": True,
        "next_offset": 4,
        "previous_offset": 0,
    }

    by_page = viewer.get(OUTAGES, {"page": 3, "page_size": 2}).json()
    assert [row["id"] for row in by_page.pop("items")] == made[4:]
    assert by_page == {"total": 5, "total_exact": True, "page": 3, "page_size": 2}

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = viewer.get(OUTAGES, {"cursor": cursor, "limit": "2"}).json()
        seen += [row["id"] for row in page["results"]]
        cursor = page["next_cursor"]
        if len(seen) == 2:
            make_outage(detected_at=NOW + timedelta(minutes=1))
    assert seen == made
    assert page["has_more"] is False


def test_the_three_lists_answer_what_the_serializer_says(
    viewer: APIClient, make_outage: Make, parties: None
) -> None:
    outage = settle(make_outage(detected_at=NOW - 20 * MINUTE).reference).outage
    said = viewer.get(f"{OUTAGES}/{outage.reference}").json()
    expected = OutageSerializer(told().get(pk=outage.pk)).data

    for path, query in (("", {}), ("/search", {"q": "alpha"}), ("/violations", {})):
        [row] = viewer.get(OUTAGES + path, query).json()["outages"]
        assert row == {name: said[name] for name in expected}


def build(make_outage: Make, rows: int) -> None:
    for number in range(rows):
        outage = make_outage(
            team="operations", operator="operator", detected_at=NOW - 20 * MINUTE, site_name=f"Alpha {number}"
        )
        if number % 3:
            settle(outage.reference)
        elif number % 2:
            Fact.objects.create(outage=outage, kind="paused", occurred_at=NOW - MINUTE, actor="7")


@pytest.mark.parametrize("rows", [2, 50])
@pytest.mark.parametrize(
    ("path", "query", "queries"),
    [
        ("", {}, 2),
        ("", {"status": "open", "severity": "critical", "service": "4G", "team": "operations"}, 2),
        ("", {"page": "1", "page_size": "50"}, 2),
        ("", {"cursor": ""}, 2),
        ("", {"sort": "-resolved_at"}, 2),
        ("", {"search": "alpha"}, 3),
        ("", {"search": "alpha", "cursor": ""}, 3),
        ("/search", {"q": "alpha"}, 3),
        ("/search", {"q": "alhpa", "page": "1"}, 3),
        ("/search", {"q": "alpha", "cursor": ""}, 3),
        ("/violations", {}, 2),
        ("/violations", {"cursor": ""}, 2),
    ],
)
def test_a_list_costs_the_same_for_any_number_of_rows(
    rows: int,
    path: str,
    query: dict[str, str],
    queries: int,
    viewer: APIClient,
    make_outage: Make,
    parties: None,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    build(make_outage, rows)
    authentication = 1

    with django_assert_num_queries(queries + authentication):
        answer = viewer.get(OUTAGES + path, query)
    assert answer.status_code == 200


# Totals


def test_a_total_is_exact_up_to_a_bound_and_says_so_beyond(
    viewer: APIClient, make_outage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "EXACT_UP_TO", 3)
    for _ in range(3):
        make_outage()

    def totals() -> list[tuple[int, bool]]:
        answers = (viewer.get(OUTAGES, query).json() for query in ({"limit": "1"}, {"page_size": "1"}))
        return [(answer["total"], answer["total_exact"]) for answer in answers]

    assert totals() == [(3, True), (3, True)]
    make_outage()
    assert totals() == [(4, False), (4, False)]
    make_outage()
    assert totals() == [(4, False), (4, False)]


def test_a_large_count_is_good_for_ten_seconds(
    viewer: APIClient, make_outage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(counting, "EXACT_UP_TO", 1)
    monkeypatch.setattr("apexchainx.api.counting.time.monotonic", lambda: now)
    for _ in range(2):
        make_outage()
    assert viewer.get(OUTAGES).json()["total"] == 2
    make_outage()

    now = 109.9
    assert viewer.get(OUTAGES).json()["total"] == 2
    assert viewer.get(OUTAGES, {"severity": "critical"}).json()["total"] == 3
    now = 110.0
    assert viewer.get(OUTAGES).json()["total"] == 3


def test_a_page_behind_the_last_one_still_tells_the_total(viewer: APIClient, make_outage: Make) -> None:
    make_outage()

    answer = viewer.get(OUTAGES, {"offset": "7"}).json()

    assert (answer["total"], answer["results"], answer["previous_offset"]) == (1, [], 0)


# Sorting

TIMES = [5, 1, None, 3, 1, None, 9, 3]


@pytest.fixture
def eight(make_outage: Make) -> list[Outage]:
    """Some resolved at one time, and two not at all."""
    made = []
    for place, minutes in enumerate(TIMES):
        outage = make_outage(
            site_name=f"Site {'BABCBABC'[place]}",
            severity=("low", "high", "critical", "medium")[place % 4],
            detected_at=NOW - (place % 3) * MINUTE,
        )
        if minutes is not None:
            Outage.objects.filter(pk=outage.pk).update(
                state="resolved", resolved_at=NOW + minutes * MINUTE, mttr_minutes=minutes
            )
        made.append(outage)
    return made


RANKS = {"low": 0, "medium": 1, "high": 2, "critical": 3}
KEYS: dict[str, Callable[[Outage], Any]] = {
    "detected_at": lambda one: one.detected_at,
    "created_at": lambda one: one.detected_at,
    "resolved_at": lambda one: one.resolved_at,
    "mttr_minutes": lambda one: one.mttr_minutes,
    "severity": lambda one: RANKS[one.severity],
    "status": lambda one: one.state,
    "site_name": lambda one: one.site_name,
    "updated_at": lambda one: one.updated_at,
    "id": lambda one: one.pk,
}


def in_order(name: str, *, descending: bool) -> list[str]:
    """Sorted here, nulls last and equal ones by number."""
    rows = list(Outage.objects.all())
    known = [row for row in rows if KEYS[name](row) is not None]
    unknown = [row for row in rows if KEYS[name](row) is None]
    known.sort(key=lambda row: (KEYS[name](row), row.pk), reverse=descending)
    unknown.sort(key=lambda row: row.pk, reverse=descending)
    return [row.reference for row in known + unknown]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", KEYS)
def test_every_sort_in_both_directions_and_by_cursor(
    name: str, descending: bool, viewer: APIClient, found: Callable[..., list[str]], eight: list[Outage]
) -> None:
    expected = in_order(name, descending=descending)
    order = {"sort_order": "desc"} if descending else {}

    assert found(sort=f"-{name}" if descending else name) == expected
    assert found(sort=name, **order) == found(sort_field=name, **order) == expected
    for limit in ("1", "2", "3", "8"):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = viewer.get(OUTAGES, {"sort": name, **order, "cursor": cursor, "limit": limit}).json()
            seen += [row["id"] for row in page["results"]]
            cursor = page["next_cursor"]
        assert seen == expected


def test_a_cursor_is_good_for_its_own_sort(viewer: APIClient, eight: list[Outage]) -> None:
    cursor = viewer.get(OUTAGES, {"cursor": "", "limit": "1"}).json()["next_cursor"]

    answer = viewer.get(OUTAGES, {"cursor": cursor, "sort": "severity"})

    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, "cursor")


def test_inserts_shift_no_page_of_any_sort(viewer: APIClient, make_outage: Make, eight: list[Outage]) -> None:
    expected = in_order("severity", descending=True)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = viewer.get(OUTAGES, {"cursor": cursor, "sort": "-severity", "limit": "3"}).json()
        seen += [row["id"] for row in page["results"]]
        cursor = page["next_cursor"]
        make_outage(severity="critical")

    assert seen == expected


# Filters


def test_filters_by_what_an_outage_is(
    found: Callable[..., list[str]], make_outage: Make, parties: None, acting: Any
) -> None:
    plain = make_outage(severity="low").reference
    told_of = make_outage(
        site_name="Lagos 100%",
        site_id="S-1",
        region="West",
        affected_services=["4G", "Voice"],
        assigned_to="user123",
        team="operator",
    ).reference
    Outage.objects.filter(reference=told_of).update(source="alarm")
    duplicate = make_outage(severity="high").reference
    original = Outage.objects.get(reference=plain)
    Outage.objects.filter(reference=duplicate).update(
        state="resolved", resolved_at=NOW, merged_into=original, recurrence_of=original
    )

    assert found(site_id="S-1") == found(region="WEST") == found(assigned_to="user123") == [told_of]
    assert found(service="4G") == found(source="alarm") == found(site_name="lagos 100%") == [told_of]
    assert found(service="5G") == found(site_id="s-1") == found(site_name="100_") == found(team="no") == []
    assert found(team="operator") == [told_of]
    assert found(team="operations") == [duplicate, plain]
    assert found(operator="operator") == [duplicate, told_of, plain]
    assert found(chronic="true") == found(merged="true") == [duplicate]
    assert found(chronic="false") == found(merged="false") == [told_of, plain]
    assert found(status="open", severity="low", merged="false") == [plain]


@pytest.mark.parametrize(
    ("since", "until"), [("start_date", "end_date"), ("start", "end"), ("date_from", "date_to")]
)
def test_filters_by_time_under_three_names(
    found: Callable[..., list[str]], make_outage: Make, since: str, until: str
) -> None:
    before, late, after = (
        make_outage(detected_at=NOW.replace(day=day, hour=hour)).reference
        for day, hour in ((13, 23), (14, 23), (15, 0))
    )

    assert found(**{since: "2026-01-14", until: "2026-01-14"}) == [late]
    assert found(**{since: "2026-01-15T00:00:00Z"}) == [after]
    assert found(**{until: "2026-01-14T00:00:00+01:00"}) == [before]


def test_filters_by_the_end(found: Callable[..., list[str]], eight: list[Outage]) -> None:
    moment = (NOW + 5 * MINUTE).isoformat().replace("+00:00", "Z")

    assert found(resolved_from=moment, sort="id") == [eight[0].reference, eight[6].reference]
    assert found(resolved_to=moment, sort="id") == [eight[place].reference for place in (0, 1, 3, 4, 7)]


def test_violations_are_of_the_latest_result(
    found: Callable[..., list[str]], make_outage: Make, parties: None
) -> None:
    met, old, new, corrected = (
        settle(make_outage(detected_at=NOW - minutes * MINUTE).reference).outage
        for minutes in (1, 40, 20, 30)
    )
    SLAResult.objects.filter(outage=corrected).update(is_latest=False)
    make_outage(detected_at=NOW - 50 * MINUTE)

    assert found("/violations") == [new.reference, old.reference]
    assert met.reference in found()


def test_a_client_may_not_name_an_outage_like_a_list(viewer: APIClient) -> None:
    assert viewer.get(f"{OUTAGES}/search", {"q": "x"}).json()["results"] == []
    assert viewer.get(f"{OUTAGES}/violations").json()["results"] == []


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "severity": ["urgent", "CRITICAL", "0"],
        "status": ["closed"],
        "source": ["pigeon"],
        "chronic": ["yes", "1"],
        "merged": ["maybe"],
        "site_name": ["x" * 256],
        "site_id": ["x" * 65],
        "region": ["x" * 65],
        "assigned_to": ["x" * 256],
        "team": ["x" * 65],
        "operator": ["x" * 65],
        "service": ["x" * 256],
        "search": ["x" * 201],
        "start_date": ["soon", "2026-01-16T09:30:00", "2026-02-30", "0001-01-01"],
        "end_date": ["soon"],
        "start": ["1"],
        "end": ["-1"],
        "date_from": ["16.01.2026"],
        "date_to": ["2026-13-01"],
        "resolved_from": ["now"],
        "resolved_to": ["²"],
        "sort": ["urgency", "--id", "-", "id;drop", "severity_rank", "reference"],
        "sort_field": ["-id", "urgency"],
        "sort_order": ["up", "DESC"],
        "limit": ["0", "501"],
        "offset": ["-1"],
        "page": ["0"],
        "page_size": ["101"],
        "cursor": ["garbage"],
    }.items(),
)
def test_a_bad_query_is_refused_by_name(viewer: APIClient, name: str, values: list[str]) -> None:
    for value in values:
        answer = viewer.get(OUTAGES, {name: value})

        assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, name)


def test_a_bad_sort_says_what_there_is(viewer: APIClient) -> None:
    details = viewer.get(OUTAGES, {"sort_field": "colour"}).json()["error"]["details"]

    assert sorted(details["allowed_values"]) == sorted(KEYS)
    signed = viewer.get(OUTAGES, {"sort": "colour"}).json()["error"]["details"]["allowed_values"]
    assert sorted(signed) == sorted([*KEYS, *(f"-{name}" for name in KEYS)])
