from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from time_machine import Traveller

from apexchainx.errors import NotReady
from audit.models import AuditEvent
from conftest import NOW
from outages.models import Outage
from outages.services import resolving
from outages.services.locking import locked_open
from sla.models import PolicyVersion, SLAResult
from sla.services import evaluate, policy_for, preview

pytestmark = pytest.mark.django_db


def resolve(reference: str, *, at: datetime | None = None) -> Outage:
    outage = locked_open(reference)
    resolving.resolve(outage, resolving.evidence_of(outage), calendar=None, at=at)
    return outage


def test_a_result_is_computed_under_the_policy_in_force_at_detection(
    clock: Traveller, make_outage: Callable[..., Outage]
) -> None:
    PolicyVersion.objects.filter(severity="critical").update(effective_to=NOW)
    PolicyVersion.objects.create(
        severity="critical",
        version=2,
        threshold_minutes=5,
        penalty_per_minute=10,
        reward_base=100,
        effective_from=NOW,
        published_by="7",
    )
    before, after = make_outage(detected_at=NOW - timedelta(seconds=1)), make_outage(detected_at=NOW)
    clock.shift(timedelta(minutes=6))

    results = [evaluate(resolve(outage.reference)) for outage in (before, after)]

    assert [(result.policy.label, result.amount) for result in results] == [
        ("critical-v1", Decimal(1500)),
        ("critical-v2", Decimal(-10)),
    ]


def test_a_verdict_that_back_dating_has_changed_is_declared(
    clock: Traveller, make_outage: Callable[..., Outage]
) -> None:
    prompt, late_report, late_resolution = (
        make_outage(),
        make_outage(detected_at=NOW - timedelta(minutes=8)),
        make_outage(),
    )
    clock.shift(timedelta(minutes=3))

    assert evaluate(resolve(prompt.reference)).clock_source == "measured"
    assert evaluate(resolve(late_report.reference)).clock_source == "declared"
    clock.shift(timedelta(minutes=10))
    assert (
        evaluate(resolve(late_resolution.reference, at=NOW + timedelta(minutes=3))).clock_source == "declared"
    )


def test_back_dating_that_changes_nothing_is_measured(
    clock: Traveller, make_outage: Callable[..., Outage]
) -> None:
    outage = make_outage(detected_at=NOW - timedelta(minutes=2))
    clock.shift(timedelta(minutes=3))

    result = evaluate(resolve(outage.reference))

    assert (result.mttr_minutes, result.rating, result.clock_source) == (5, "exceptional", "measured")


def test_an_evaluation_states_two_facts(
    acting: None, make_outage: Callable[..., Outage], facts: Callable[..., list[tuple[str, str]]]
) -> None:
    outage = make_outage()

    result = evaluate(resolve(outage.reference))

    assert facts(subject=f"sla:{result.pk}") == [
        ("sla.calculated", f"sla:{result.pk}"),
        ("sla.reward", f"sla:{result.pk}"),
    ]
    stated = AuditEvent.objects.get(event="sla.calculated")
    assert (stated.stream, stated.actor) == (f"outage:{outage.reference}", "7")
    assert stated.data == {
        "outage_id": outage.reference,
        "sla_result_id": str(result.pk),
        "status": "met",
        "mttr_minutes": 0,
        "threshold_minutes": 15,
        "amount": "1500",
        "payment_type": "reward",
        "rating": "exceptional",
        "policy_version": "critical-v1",
        "clock_source": "measured",
    }


def test_an_open_outage_is_not_evaluated(make_outage: Callable[..., Outage]) -> None:
    with pytest.raises(NotReady, match="is not resolved"), transaction.atomic():
        evaluate(make_outage())
    assert not SLAResult.objects.exists()


def test_a_new_result_supersedes_and_the_database_allows_one_latest(
    make_outage: Callable[..., Outage],
) -> None:
    outage = resolve(make_outage().reference)
    first, second = evaluate(outage), evaluate(outage)

    assert list(SLAResult.objects.filter(is_latest=True)) == [second]
    first.refresh_from_db()
    assert not first.is_latest
    with pytest.raises(IntegrityError, match="sla_one_latest_result_per_outage"), transaction.atomic():
        SLAResult.objects.filter(pk=first.pk).update(is_latest=True)


def test_without_a_policy_in_force_there_is_no_verdict() -> None:
    PolicyVersion.objects.filter(severity="low").update(effective_to=NOW)

    with pytest.raises(NotReady, match="No SLA policy for low outages"):
        policy_for("low", at=NOW)


def test_a_preview_writes_nothing(make_outage: Callable[..., Outage]) -> None:
    outage = make_outage(severity="high")
    before = AuditEvent.objects.count()

    found = preview(minutes=95, outage_reference=outage.reference)

    assert (found.policy.label, found.verdict.amount) == ("high-v1", Decimal(-3250))
    assert preview(minutes=10, severity="low").verdict.amount == Decimal(1200)
    with pytest.raises(NotReady, match="Name a severity"):
        preview(minutes=10, outage_reference="OUT404")
    assert (SLAResult.objects.count(), AuditEvent.objects.count()) == (0, before)
