"""Two reports of one outage become one, once, and in one direction."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from rest_framework.test import APIClient
from time_machine import Traveller

from apexchainx import context
from apexchainx.errors import Conflict, Invalid, NotReady
from audit.models import AuditEvent
from conftest import NOW, PREFIX
from outages.models import Fact, Outage
from outages.services.merging import merge
from outages.services.pausing import pause
from outages.tests.racing import race
from payments.models import Payment
from payments.services.settling import settle
from sla.models import SLAResult

pytestmark = pytest.mark.django_db
OUTAGES = f"{PREFIX}/outages"
Make = Callable[..., Outage]
Recorded = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def pair(clock: Traveller, acting: context.Context, make_outage: Make) -> tuple[Outage, Outage]:
    """A and B, both open, B detected five minutes later."""
    return (
        make_outage(reference="A", detected_at=NOW - timedelta(minutes=30)),
        make_outage(reference="B", detected_at=NOW - timedelta(minutes=25)),
    )


def states() -> dict[str, tuple[str, str | None, int]]:
    rows = Outage.objects.order_by("pk").values_list(
        "reference", "state", "merged_into__reference", "version"
    )
    return {reference: (state, into, version) for reference, state, into, version in rows}


def test_a_duplicate_ends_without_result_payment_or_fact(pair: tuple[Outage, Outage], parties: None) -> None:
    merge("B", into="A")

    duplicate = Outage.objects.get(reference="B")
    assert states() == {"A": ("active", None, 2), "B": ("resolved", "A", 2)}
    assert (duplicate.resolved_at, duplicate.resolved_by, duplicate.mttr_minutes) == (NOW, "7", None)
    assert [fact.kind for fact in duplicate.facts.all()] == ["detected", "severity"]
    assert (SLAResult.objects.count(), Payment.objects.count()) == (0, 0)


def test_both_streams_tell_of_it(pair: tuple[Outage, Outage], facts: Recorded) -> None:
    merge("B", into="A")

    assert facts(stream="outage:A") == [("outage.created", "outage:A"), ("outage.absorbed", "outage:A")]
    assert facts(stream="outage:B") == [("outage.created", "outage:B"), ("outage.merged", "outage:B")]
    assert AuditEvent.objects.get(event="outage.absorbed").data["duplicate"] == "B"
    merged = AuditEvent.objects.get(event="outage.merged").data
    assert (merged["merged_into"], merged["status"]) == ("A", "resolved")


def test_the_earlier_detection_counts_and_when_it_became_known_is_kept(
    pair: tuple[Outage, Outage], clock: Traveller, facts: Recorded, parties: None
) -> None:
    clock.shift(timedelta(minutes=1))
    merge("A", into="B")

    target = Outage.objects.get(reference="B")
    assert (target.detected_at, target.version) == (NOW - timedelta(minutes=30), 2)
    correction = target.facts.last()
    assert correction is not None
    assert (correction.kind, correction.detail, correction.occurred_at, correction.recorded_at) == (
        "detected",
        "merged A: detected earlier",
        NOW - timedelta(minutes=30),
        NOW + timedelta(minutes=1),
    )
    assert [event for event, _ in facts(stream="outage:B")] == [
        "outage.created",
        "outage.absorbed",
        "outage.detection_corrected",
    ]
    said = AuditEvent.objects.get(event="outage.detection_corrected").data
    assert (said["from"], said["to"], said["reason"]) == (
        "2026-01-16T09:35:00Z",
        "2026-01-16T09:30:00Z",
        "merged A: detected earlier",
    )
    assert settle("B").result.mttr_minutes == 31


def test_a_duplicate_may_be_paused(pair: tuple[Outage, Outage]) -> None:
    pause("B", reason="Storm")
    assert merge("B", into="A").paused_at is None


def test_several_may_be_merged_into_one(pair: tuple[Outage, Outage], make_outage: Make) -> None:
    make_outage(reference="C")
    merge("B", into="A")
    merge("C", into="A")
    assert states() == {"A": ("active", None, 3), "B": ("resolved", "A", 2), "C": ("resolved", "A", 2)}


def assert_refused(reference: str, into: str, refusal: type[Exception], sentence: str) -> None:
    before = (states(), Fact.objects.count(), AuditEvent.objects.count())
    with pytest.raises(refusal, match=sentence):
        merge(reference, into=into)
    assert (states(), Fact.objects.count(), AuditEvent.objects.count()) == before


def test_nothing_is_its_own_duplicate(pair: tuple[Outage, Outage]) -> None:
    assert_refused("A", "A", Invalid, "no duplicate of itself")


def test_the_other_outage_exists(pair: tuple[Outage, Outage]) -> None:
    assert_refused("A", "C", NotReady, "no outage C to merge into")


def test_nothing_is_merged_twice(pair: tuple[Outage, Outage], make_outage: Make) -> None:
    make_outage(reference="C")
    merge("B", into="A")
    assert_refused("B", "C", Conflict, "B was merged into another one")


def test_no_circle(pair: tuple[Outage, Outage]) -> None:
    merge("B", into="A")
    assert_refused("A", "B", Conflict, "B was merged into another one")


def test_no_chain(pair: tuple[Outage, Outage], make_outage: Make) -> None:
    make_outage(reference="C")
    merge("B", into="A")
    assert_refused("A", "C", Conflict, "A has duplicates of its own: B. Merge C into A instead.")


def test_what_is_resolved_takes_and_gives_no_duplicate(pair: tuple[Outage, Outage], parties: None) -> None:
    settle("A")
    assert_refused("A", "B", Conflict, "A is already resolved")
    assert_refused("B", "A", Conflict, "A is already resolved")


def test_a_merged_outage_is_not_resolved(pair: tuple[Outage, Outage], parties: None) -> None:
    merge("B", into="A")
    with pytest.raises(Conflict, match="merged"):
        settle("B")
    assert SLAResult.objects.count() == 0


@pytest.mark.parametrize(
    ("into", "status", "code", "field"),
    [("A", 400, "VALIDATION_ERROR", "into"), ("C", 422, "UNPROCESSABLE_ENTITY", "into")],
)
def test_refusals_name_the_field_over_http(
    pair: tuple[Outage, Outage],
    client_as: Callable[[str], APIClient],
    into: str,
    status: int,
    code: str,
    field: str,
) -> None:
    answer = client_as("engineer").post(f"{OUTAGES}/A/merge", {"into": into})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["details"]["field"]) == (status, code, field)


def test_documents_name_each_other(
    pair: tuple[Outage, Outage], client_as: Callable[[str], APIClient]
) -> None:
    engineer = client_as("engineer")
    merged = engineer.post(f"{OUTAGES}/B/merge", {"into": "A"}).json()

    assert (merged["merged_into"], merged["status"], merged["resolved_at"], merged["mttr_minutes"]) == (
        "A",
        "resolved",
        "2026-01-16T10:00:00Z",
        None,
    )
    assert merged["sla_status"]["status"] is None
    assert merged["clock"]["counted_minutes"] == 25
    assert engineer.get(f"{OUTAGES}/A").json()["duplicates"] == ["B"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_of_two_who_merge_crosswise_one_wins(make_outage: Make, _round: int) -> None:
    make_outage(reference="A")
    make_outage(reference="B")

    outcomes = race([lambda: merge("A", into="B"), lambda: merge("B", into="A")])

    assert sorted(outcomes) == ["CONFLICT", "done"]
    assert Outage.objects.filter(merged_into=None).count() == 1
    assert AuditEvent.objects.filter(event="outage.merged").count() == 1
