"""From minutes to a result under the policy in force."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apexchainx.bulk import insert
from apexchainx.errors import NotFound, NotReady
from audit.events import Event
from audit.log import record_all
from outages import clock
from outages.models import Outage, Severity, Source
from outages.services.resolving import Evidence, evidence_of
from sla.models import ClockSource, PolicyVersion, SLAResult
from sla.policy import Verdict, judge
from sla.services.contract import ask_all


def policy_for(severity: str, *, at: datetime) -> PolicyVersion:
    """The version in force at that moment. Raises NotReady where none was."""
    policy = PolicyVersion.objects.in_force(at).filter(severity=severity).first()
    if policy is None:
        raise none_in_force(severity, at)
    return policy


def none_in_force(severity: str, at: datetime) -> NotReady:
    return NotReady(f"No SLA policy for {severity} outages was in force at {at.isoformat()}.")


class Governing:
    """The policies that judge outages, by severity and detection, read with one statement."""

    def __init__(self, outages: Iterable[Outage]) -> None:
        detections = [outage.detected_at for outage in outages]
        self.versions = list(self.between(min(detections), max(detections))) if detections else []

    def between(self, first: datetime, last: datetime) -> QuerySet[PolicyVersion]:
        return PolicyVersion.objects.select_related("calendar").filter(
            Q(effective_to__isnull=True) | Q(effective_to__gt=first), effective_from__lte=last
        )

    def find(self, severity: str, at: datetime) -> PolicyVersion | None:
        return next((one for one in self.versions if one.severity == severity and one.was_in_force(at)), None)

    def policy(self, outage: Outage) -> PolicyVersion:
        """Raises NotReady where none was in force."""
        found = self.find(outage.severity, outage.detected_at)
        if found is None:
            raise none_in_force(outage.severity, outage.detected_at)
        return found

    def rules(self, outage: Outage) -> dict[str, clock.Rule]:
        """What each severity promised when the outage was detected."""
        found = {severity: self.find(severity, outage.detected_at) for severity in Severity.values}
        return {severity: policy.rule for severity, policy in found.items() if policy}


@transaction.atomic(savepoint=False)
def evaluate(outage: Outage, *, evidence: Evidence | None = None) -> SLAResult:
    """Judge a resolved outage under the policy in force when it was detected; the latest result is this one.

    Raises NotReady for an outage that is not resolved.
    """
    return evaluate_all([outage], [evidence or evidence_of(outage)], Governing([outage]))[0]


@transaction.atomic(savepoint=False)
def evaluate_all(
    outages: Sequence[Outage], evidence: Sequence[Evidence], governing: Governing
) -> list[SLAResult]:
    """As `evaluate`, all or none, with one statement for each kind of row."""
    results = [judged(outage, facts, governing) for outage, facts in zip(outages, evidence, strict=True)]
    SLAResult.objects.filter(outage__in=outages, is_latest=True).update(is_latest=False)
    insert(results)
    ask_all(results)
    record_all(
        (event, f"sla:{result.pk}", result.outage.stream, said(result))
        for result in results
        for event in (Event.SLA_CALCULATED, outcome_of(result))
    )
    return results


def judged(outage: Outage, evidence: Evidence, governing: Governing) -> SLAResult:
    if outage.mttr_minutes is None:
        raise NotReady(f"Outage {outage.reference} is not resolved.")
    policy = governing.policy(outage)
    verdict = judge(outage.mttr_minutes, policy.terms)
    return SLAResult(
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
        clock_source=source(outage, evidence, verdict, governing),
    )


def source(outage: Outage, evidence: Evidence, verdict: Verdict, governing: Governing) -> ClockSource:
    """Declared where the times of recording lead to another verdict: no typed-in minute moves money alone."""
    if outage.source == Source.IMPORT:
        return ClockSource.IMPORTED
    rules = governing.rules(outage)
    seen = clock.witness(evidence.facts, rules=rules, windows=evidence.windows)
    policy = governing.find(seen.severity, outage.detected_at)
    if policy is None:
        return ClockSource.DECLARED
    witnessed = judge(seen.minutes, policy.terms)
    same = (witnessed.status, witnessed.amount) == (verdict.status, verdict.amount)
    return ClockSource.MEASURED if same else ClockSource.DECLARED


def outcome_of(result: SLAResult) -> Event:
    return Event.SLA_REWARD if result.status == SLAResult.Status.MET else Event.SLA_VIOLATION


def said(result: SLAResult) -> dict[str, Any]:
    """What every event about a result says."""
    return {
        "outage_id": result.outage.reference,
        "sla_result_id": result.pk,
        "status": result.status,
        "mttr_minutes": result.mttr_minutes,
        "threshold_minutes": result.threshold_minutes,
        "amount": result.amount,
        "payment_type": result.outcome,
        "rating": result.rating,
        "policy_version": result.policy.label,
        "clock_source": result.clock_source,
    }


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
    return outage.sla_results.select_related("policy", "outage", "invocation").get(is_latest=True)
