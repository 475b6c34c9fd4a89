"""Import and export as a stock Django REST project does them: model serializers in loops, one save per row.

The same tables, rows and answers as ours.
"""

import csv
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TextIO

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from rest_framework import serializers

from audit.models import AuditEvent
from outages.models import Fact, Outage
from payments.models import Payment
from sla.models import PolicyVersion, SLAResult
from sla.policy import judge


class NewOutage(serializers.ModelSerializer[Outage]):
    class Meta:
        model = Outage
        fields = (
            "site_name",
            "severity",
            "description",
            "affected_services",
            "detected_at",
            "resolved_at",
            "mttr_minutes",
            "assigned_to",
        )


@transaction.atomic
def import_rows(rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        minutes = row.get("mttr_minutes")
        body = NewOutage(data=row)
        body.is_valid(raise_exception=True)
        ended = {}
        if minutes is not None:
            at = body.validated_data["detected_at"] + timedelta(minutes=minutes)
            ended = {"resolved_at": at, "state": "resolved", "resolved_by": "1"}
        outage = body.save(created_by="1", source="import", **ended)
        outage.refresh_from_db()
        state_facts(outage)
        told = {"outage_id": outage.reference, "site_name": outage.site_name, "severity": outage.severity}
        record("outage.created", outage.stream, outage.stream, told)
        if minutes is not None:
            record("outage.resolved", outage.stream, outage.stream, {**told, "mttr_minutes": minutes})
            settle(outage)


def state_facts(outage: Outage) -> None:
    stated = [("detected", "", outage.detected_at), ("severity", outage.severity, outage.detected_at)]
    if outage.assigned_to:
        stated.append(("assigned", outage.assigned_to, outage.detected_at))
    if outage.resolved_at:
        stated.append(("resolved", "", outage.resolved_at))
    for kind, detail, at in stated:
        Fact.objects.create(outage=outage, kind=kind, detail=detail, occurred_at=at, actor="1")


def settle(outage: Outage) -> None:
    policy = PolicyVersion.objects.in_force(timezone.now()).get(severity=outage.severity)
    verdict = judge(outage.mttr_minutes or 0, policy.terms)
    result = SLAResult.objects.create(
        outage=outage,
        policy=policy,
        severity=outage.severity,
        status=verdict.status,
        outcome=verdict.outcome,
        rating=verdict.rating,
        mttr_minutes=outage.mttr_minutes or 0,
        threshold_minutes=policy.threshold_minutes,
        amount=verdict.amount,
        reason_code=verdict.reason_code,
        decision_trace=list(verdict.trace),
        clock_source="imported",
    )
    said = {"outage_id": outage.reference, "status": result.status, "amount": str(result.amount)}
    record("sla.calculated", f"sla:{result.pk}", outage.stream, said)
    record(f"sla.{'reward' if verdict.is_met else 'violation'}", f"sla:{result.pk}", outage.stream, said)
    payment = Payment.objects.create(
        source_key=f"sla:{result.pk}",
        type=result.outcome,
        sla_result=result,
        outage=outage,
        payer="pool",
        payee="operations",
        amount=abs(result.amount),
        asset_code="USDC",
        state="held",
        reason="clock_imported",
    )
    record("payment.initiated", f"payment:{payment.reference}", outage.stream, said)


def record(event: str, subject: str, stream: str, data: dict[str, Any]) -> None:
    AuditEvent.objects.create(event=event, subject=subject, stream=stream, actor="1", source="api", data=data)


class ResultSerializer(serializers.ModelSerializer[SLAResult]):
    policy_version = serializers.CharField(source="policy.label")

    class Meta:
        model = SLAResult
        fields = ("status", "amount", "rating", "policy_version", "clock_source")


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    id = serializers.CharField(source="reference")

    class Meta:
        model = Payment
        fields = ("id", "state", "transaction_hash")


class OutageSerializer(serializers.ModelSerializer[Outage]):
    id = serializers.CharField(source="reference")
    status = serializers.CharField()
    team = serializers.CharField(source="team_key")
    operator = serializers.CharField(source="operator_key")
    sla = serializers.SerializerMethodField()
    payment = serializers.SerializerMethodField()

    class Meta:
        model = Outage
        fields = (
            "id",
            "site_name",
            "site_id",
            "region",
            "severity",
            "status",
            "state",
            "detected_at",
            "resolved_at",
            "mttr_minutes",
            "description",
            "root_cause",
            "resolution_notes",
            "affected_services",
            "affected_subscribers",
            "latitude",
            "longitude",
            "assigned_to",
            "created_by",
            "team",
            "operator",
            "correlation_id",
            "sla",
            "payment",
        )

    def get_sla(self, outage: Outage) -> Any:
        return [ResultSerializer(result).data for result in outage.latest]  # type: ignore[attr-defined]

    def get_payment(self, outage: Outage) -> Any:
        results = outage.latest  # type: ignore[attr-defined]
        return [PaymentSerializer(result.payment).data for result in results if hasattr(result, "payment")]


def export(outages: QuerySet[Outage], out: TextIO) -> None:
    """As CSV, with the related rows fetched for 2,000 outages at a time."""
    latest = SLAResult.objects.filter(is_latest=True).select_related("policy", "payment")
    told = outages.select_related("team", "operator").prefetch_related(
        Prefetch("sla_results", queryset=latest, to_attr="latest")
    )
    writer = csv.writer(out)
    for outage in told.iterator(chunk_size=2000):
        row = dict(OutageSerializer(outage).data)
        [result] = row.pop("sla") or [{}]
        [payment] = row.pop("payment") or [{}]
        cells = [*row.values(), *result.values(), *payment.values()]
        writer.writerow([guarded(cell) for cell in cells])


def guarded(cell: Any) -> Any:
    text = ";".join(cell) if isinstance(cell, list) else cell
    return f"'{text}" if isinstance(text, str) and text.startswith(tuple("=+-@\t\r")) else text
