"""The mark on an outage whose site had the same cause not long ago."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction

from apexchainx import context
from audit.models import AuditEvent
from conftest import NOW
from outages.models import Outage
from outages.services.locking import locked
from outages.services.rca import analyse
from outages.services.recurrence import mark_recurrence
from payments.services.settling import settle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("acting")]

Make = Callable[..., Outage]
CUT = "Fibre cut"


@pytest.fixture
def resolved(clock: time_machine.Traveller, make_outage: Make) -> Make:
    """An outage that began so many days ago and was over ten minutes later."""

    def make(days: float, cause: str = CUT, **fields: Any) -> Outage:
        detected = NOW - timedelta(days=days)
        outage = make_outage(detected_at=detected, **fields)
        return settle(outage.reference, at=detected + timedelta(minutes=10), root_cause=cause).outage

    return make


def chronic() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(event="outage.chronic").order_by("id"))


def mark_of(outage: Outage) -> str | None:
    found = Outage.objects.get(pk=outage.pk).recurrence_of
    return found.reference if found else None


def test_the_same_cause_at_the_same_site_repeats(resolved: Make) -> None:
    first = resolved(60)
    second = resolved(30, "fibre cut!")
    third = resolved(1, "FIBRE  CUT.")

    assert [mark_of(first), mark_of(second), mark_of(third)] == [None, first.reference, second.reference]
    assert [(fact.subject, fact.stream) for fact in chronic()] == [
        (second.stream, second.stream),
        (third.stream, third.stream),
    ]
    assert chronic()[1].data == {
        "outage_id": third.reference,
        "site_name": "Cell Tower Alpha",
        "severity": "critical",
        "status": "resolved",
        "detected_at": "2026-01-15T10:00:00Z",
        "recurrence_of": second.reference,
        "root_cause": "FIBRE  CUT.",
        "occurrences": 3,
    }


@pytest.mark.parametrize(
    ("days", "cause", "site"),
    [
        (91.5, CUT, "Cell Tower Alpha"),
        (10, "Power loss", "Cell Tower Alpha"),
        (10, CUT, "Cell Tower Beta"),
        (10, "...", "Cell Tower Alpha"),
        (10, "", "Cell Tower Alpha"),
    ],
)
def test_another_time_cause_or_site_is_no_recurrence(
    resolved: Make, days: float, cause: str, site: str
) -> None:
    resolved(days, cause, site_name=site)
    second = resolved(1, cause if cause in {"", "..."} else CUT)

    assert mark_of(second) is None
    assert chronic() == []


def test_the_window_is_a_setting(resolved: Make, settings: Any) -> None:
    settings.CHRONIC_WINDOW_DAYS = 5
    first, second, third = resolved(11.5), resolved(6), resolved(1)

    assert [mark_of(first), mark_of(second), mark_of(third)] == [None, None, second.reference]


def test_a_duplicate_does_not_count(resolved: Make) -> None:
    first = resolved(2)
    duplicate = resolved(1)
    Outage.objects.filter(pk=duplicate.pk).update(merged_into=first, mttr_minutes=None, recurrence_of=None)

    assert mark_of(resolved(0.5)) == first.reference
    assert chronic()[-1].data["occurrences"] == 2


def test_asked_again_it_is_told_once(resolved: Make) -> None:
    resolved(2)
    second = resolved(1)
    version = Outage.objects.get(pk=second.pk).version
    with transaction.atomic():
        mark_recurrence(locked(second.reference))

    assert len(chronic()) == 1
    assert Outage.objects.get(pk=second.pk).version == version


def test_a_cause_that_no_longer_repeats_clears_the_mark(resolved: Make) -> None:
    first = resolved(2)
    second = resolved(1)
    assert mark_of(second) == first.reference

    analyse(second.reference, root_cause="Power loss")

    assert mark_of(second) is None
    assert len(chronic()) == 1


def test_an_analysis_finds_the_recurrence(resolved: Make) -> None:
    first = resolved(2)
    second = resolved(1, "")
    with context.acting_as("8", source="api"):
        analyse(second.reference, root_cause=CUT)

    assert mark_of(second) == first.reference
    [fact] = chronic()
    assert (fact.actor, fact.data["recurrence_of"]) == ("8", first.reference)
