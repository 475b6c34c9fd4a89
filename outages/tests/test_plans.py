"""At 100,000 outages no page of a list reads them all, and none is put in order on disk."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from pytest_django import DjangoDbBlocker

from apexchainx.api import keyset
from outages.filters import SORTS, OutageFilter, OutagePlaces, SearchFilter
from outages.models import Outage, Word
from outages.views.lists import violated

ROWS = 100_000
FILL = """
INSERT INTO outages_outage (
    site_name, site_id, region, severity, state, description, affected_services, assigned_to, created_by,
    detected_at, recorded_at, resolved_at, mttr_minutes, merged_into_id, recurrence_of_id, resolved_by,
    acknowledged_by, source, fingerprint, root_cause, resolution_notes, correlation_id, updated_at, version,
    reference)
SELECT
    (ARRAY['Lagos', 'Kano', 'Abuja', 'Ibadan'])[1 + n % 4] || ' Tower ' || n % 997, 'SITE' || n % 997,
    'Region ' || n % 50, (ARRAY['critical', 'high', 'medium', 'low'])[1 + n % 4],
    CASE WHEN n % 100 = 0 THEN 'active' ELSE 'resolved' END,
    (ARRAY['Rectifier', 'Battery', 'Antenna', 'Fibre'])[1 + n / 4 % 4] || ' down ' || md5((n % 1000)::text),
    ARRAY[(ARRAY['4G', '5G', 'Voice'])[1 + n % 3], 'Service ' || n % 500],
    'user' || n % 200, '1', at, at, CASE WHEN n % 100 > 0 THEN at + n % 60 * interval '1 minute' END,
    CASE WHEN n % 100 > 0 AND n % 1000 <> 7 THEN n % 60 END,
    CASE WHEN n % 1000 = 7 THEN first.id END, CASE WHEN n % 500 = 9 THEN first.id END, '1', '',
    CASE WHEN n % 400 = 0 THEN 'alarm' ELSE 'api' END, '', '', '', '', at, 1, 'P' || n
FROM generate_series(1, 100000) n,
    LATERAL (SELECT '2026-01-01'::timestamptz - n / 3 * interval '1 minute' AS at) t,
    (SELECT id FROM outages_outage) first
"""


@pytest.fixture(scope="module", autouse=True)
def _many(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Written once for all plans, and taken back at the end."""
    with django_db_blocker.unblock():
        transaction.set_autocommit(False)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
                Outage.objects.create(site_name="Lagos", severity="low", created_by="1", reference="P0")
                cursor.execute(FILL)
                cursor.execute("ANALYZE outages_outage")
            Word.objects.learn()
            yield
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)


def plan(queryset: Any) -> list[dict[str, Any]]:
    statement, parameters = queryset.values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters)
        answer = cursor.fetchone()[0]
    found = json.loads(answer) if isinstance(answer, str) else answer
    return list(nodes(found[0]["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What was carried out."""
    if node["Actual Loops"]:
        yield node
        for child in node.get("Plans", ()):
            yield from nodes(child)


def faults(queryset: Any) -> list[str]:
    found = []
    for node in plan(queryset):
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "outages_outage":
            found.append("reads all outages")
        if node.get("Sort Space Type") == "Disk":
            found.append("sorts on disk")
    return found


def asked(query: str, form: type[OutagePlaces] = OutageFilter) -> Any:
    filters = form(QueryDict(query), queryset=Outage.objects.all())
    assert filters.is_valid(), filters.errors
    return filters.qs


FILTERS = [
    "",
    *(f"status={word}" for word in ("open", "investigating", "resolved")),
    *(f"severity={word}" for word in ("critical", "low")),
    "site_name=tower 99",
    "site_name=nowhere",
    "site_id=SITE7",
    "region=region 7",
    "region=nowhere",
    "assigned_to=user7",
    "assigned_to=nobody",
    "team=operations",
    "team=nobody",
    "operator=operator",
    "service=4G",
    "service=Service 7",
    "service=none",
    "source=api",
    "source=alarm",
    "source=import",
    "chronic=true",
    "chronic=false",
    "merged=true",
    "merged=false",
    "start_date=2025-12-31",
    "start=2025-12-01&end=2025-12-02",
    "date_to=2025-12-01",
    "resolved_from=2025-12-31",
    "resolved_to=2025-11-30",
    "resolved_from=2025-12-01&resolved_to=2025-12-02",
    "status=open&severity=critical&region=region 7&service=4G",
    "search=rectifier",
    "search=rectifier lagos",
    "search=md5",
    "search=P4711",
    "search=SITE77",
    "search=ibadna fibre",
    "search=zyxgate",
]


@pytest.mark.parametrize("query", FILTERS)
def test_every_filter_has_a_way(query: str) -> None:
    assert faults(asked(query)[:50]) == []


@pytest.mark.parametrize("name", SORTS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_every_sort_has_an_index_and_so_has_every_depth(name: str, sign: str) -> None:
    listed = asked(f"sort={sign}{name}")
    ordering, row = keyset.terms(listed), listed[ROWS // 2 : ROWS // 2 + 1].get()
    values = [getattr(row, one.field.attname) for one in ordering]

    [deep] = keyset.after(ordering, values)[:1]

    for page in (listed[:51], listed.filter(deep)[:51]):
        assert faults(page) == []
        assert "Sort" not in [node["Node Type"] for node in plan(page)]
        assert max(node["Actual Rows"] for node in plan(page)) == 51


@pytest.mark.parametrize("name", ["resolved_at", "mttr_minutes"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_what_has_no_value_is_found_at_once(name: str, sign: str) -> None:
    listed = asked(f"sort={sign}{name}")
    row = listed.filter(**{f"{name}__isnull": True})[500]

    [rest] = keyset.after(keyset.terms(listed), [None, row.pk])

    assert faults(listed.filter(rest)[:51]) == []
    assert max(node["Actual Rows"] for node in plan(listed.filter(rest)[:51])) == 51


@pytest.mark.parametrize("text", [query.removeprefix("search=") for query in FILTERS if "search=" in query])
@pytest.mark.parametrize("rest", ["", "&status=open&severity=critical"])
def test_every_search_has_a_way(text: str, rest: str) -> None:
    assert faults(asked(f"q={text}{rest}", SearchFilter)[:50]) == []


def test_violations_have_a_way() -> None:
    assert faults(asked("").filter(violated())[:50]) == []
