"""From minutes to a result under the policy in force."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apexchainx.errors import NotFound, NotReady
from audit.events import Event
from audit.log import record_all
from outages.clock import whole_minutes
from outages.models import Outage
from sla.models import ClockSource, PolicyVersion, SLAResult
from sla.policy import Verdict, judge


def policy_for(severity: str, *, at: datetime) -> PolicyVersion:
    """The version in force at that moment. Raises NotReady where none was."""
    policy = PolicyVersion.objects.in_force(at).filter(severity=severity).first()
    if policy is None:
        raise NotReady(f"No SLA policy for {severity} outages was in force at {at.isoformat()}.")
    return policy


@transaction.atomic(savepoint=False)
def evaluate(outage: Outage) -> SLAResult:
    """Judge a resolved outage under the policy in force when it was detected; the latest result is this one.

    Raises NotReady for an outage that is not resolved.
    """
    if outage.mttr_minutes is None or outage.resolution_recorded_at is None:
        raise NotReady(f"Outage {outage.reference} is not resolved.")
    policy = policy_for(outage.severity, at=outage.detected_at)
    verdict = judge(outage.mttr_minutes, policy.terms)
    outage.sla_results.filter(is_latest=True).update(is_latest=False)
    result = SLAResult.objects.create(
        outage=outage,
        policy=policy,
        severity=outage.severity,
        status=verdict.status,
        outcome=verdict.outcome,
        rating=verdict.rating,
        mttr_minutes=outage.mttr_minutes,
        threshold_minutes=policy.threshold_minutes,
        amount=verdict.amount,
        reason_code=verdict.reason_code,
        decision_trace=list(verdict.trace),
        clock_source=source(outage, verdict, policy),
    )
    stated = {
        "outage_id": outage.reference,
        "sla_result_id": result.pk,
        "status": result.status,
        "mttr_minutes": result.mttr_minutes,
        "threshold_minutes": result.threshold_minutes,
        "amount": result.amount,
        "payment_type": result.outcome,
        "rating": result.rating,
        "policy_version": policy.label,
        "clock_source": result.clock_source,
    }
    outcome = Event.SLA_REWARD if verdict.is_met else Event.SLA_VIOLATION
    record_all(
        (event, f"sla:{result.pk}", outage.stream, stated) for event in (Event.SLA_CALCULATED, outcome)
    )
    return result


def source(outage: Outage, verdict: Verdict, policy: PolicyVersion) -> ClockSource:
    """Declared where the times of recording lead to another verdict: no typed-in minute moves money alone."""
    recorded = whole_minutes(outage.recorded_at, outage.resolution_recorded_at or timezone.now())
    witnessed = judge(recorded, policy.terms)
    same = (witnessed.status, witnessed.amount) == (verdict.status, verdict.amount)
    return ClockSource.MEASURED if same else ClockSource.DECLARED


@dataclass(frozen=True, slots=True)
class Preview:
    """What a result would say; nothing is written."""

    outage: Outage | None
    policy: PolicyVersion
    verdict: Verdict
    minutes: int


def preview(*, minutes: int, outage_reference: str = "", severity: str = "") -> Preview:
    """Judge declared minutes under the outage's policy, or under today's for a severity.

    Raises NotReady where neither an existing outage nor a severity says which policy applies.
    """
    outage = Outage.objects.filter(reference=outage_reference).first() if outage_reference else None
    severity = severity or (outage.severity if outage else "")
    if not severity:
        raise NotReady("Name a severity, or an outage that exists.", details={"field": "severity"})
    policy = policy_for(severity, at=outage.detected_at if outage else timezone.now())
    return Preview(outage, policy, judge(minutes, policy.terms), minutes)


def result_of(outage_reference: str) -> SLAResult:
    """The latest result of a resolved outage. Raises NotFound, or NotReady while it is open."""
    outage = Outage.objects.filter(reference=outage_reference).first()
    if outage is None:
        raise NotFound(f"There is no outage {outage_reference}.")
    if not outage.is_resolved:
        raise NotReady(f"Outage {outage_reference} is not resolved yet.")
    return outage.sla_results.select_related("policy", "outage").get(is_latest=True)
