"""Facts are evidence: nobody changes or removes them while their outage is there."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from outages.models import Fact, Outage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outages_fact SET occurred_at = occurred_at - interval '1 hour'",
        "UPDATE outages_fact SET detail = 'x' WHERE kind = 'detected'",
        "DELETE FROM outages_fact",
        "DELETE FROM outages_fact WHERE kind = 'severity'",
        "TRUNCATE outages_fact",
    ],
)
def test_facts_are_append_only(make_outage: Callable[..., Outage], statement: str) -> None:
    outage = make_outage()
    before = list(outage.facts.values())

    with (
        pytest.raises(IntegrityError, match="facts are append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SET LOCAL apexchainx.test_database = 'off'; {statement}")

    assert list(outage.facts.values()) == before


def test_a_deleted_outage_takes_its_facts_along(make_outage: Callable[..., Outage]) -> None:
    outage, other = make_outage(), make_outage()

    outage.delete()

    assert set(Fact.objects.values_list("outage_id", flat=True)) == {other.pk}


def test_a_fact_is_not_about_the_future_and_an_outage_is_resolved_once(
    make_outage: Callable[..., Outage],
) -> None:
    outage = make_outage()
    at = outage.detected_at
    early = Fact(outage=outage, kind="paused", occurred_at=at, recorded_at=at, actor="7")
    early.recorded_at = at.replace(year=at.year - 1)
    with pytest.raises(IntegrityError, match="fact_is_about_what_has_happened"), transaction.atomic():
        early.save()

    Fact.objects.create(outage=outage, kind="resolved", occurred_at=at, recorded_at=at, actor="7")
    with pytest.raises(IntegrityError, match="fact_one_resolution_per_outage"), transaction.atomic():
        Fact.objects.create(outage=outage, kind="resolved", occurred_at=at, recorded_at=at, actor="7")
