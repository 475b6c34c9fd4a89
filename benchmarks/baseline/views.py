"""A model viewset, and the end of an outage row by row."""

from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import AuditEvent
from benchmarks.baseline.serializers import (
    ListedOutageSerializer,
    NewOutageSerializer,
    WholeOutageSerializer,
)
from outages import clock
from outages.models import Fact, MaintenanceWindow, Outage
from outages.services.reporting import first_facts, told
from payments.models import Payment
from payments.serializers import PaymentSerializer
from sla.models import ClockSource, PolicyVersion, SLAResult
from sla.policy import judge
from sla.serializers import SLAResultSerializer
from sla.services.evaluation import said
from wallets.models import Wallet


def with_relations() -> QuerySet[Outage]:
    latest = SLAResult.objects.filter(is_latest=True).select_related(
        "policy__calendar", "payment__outage", "invocation"
    )
    related = ("team", "operator", "merged_into", "recurrence_of")
    found: QuerySet[Outage] = Outage.objects.select_related(*related)
    return found.prefetch_related(Prefetch("sla_results", queryset=latest, to_attr="latest_results"), "facts")


class OutageViewSet(viewsets.ModelViewSet[Outage]):
    serializer_class = ListedOutageSerializer
    lookup_field = "reference"
    filter_backends = (SearchFilter,)
    search_fields = (
        "site_name",
        "site_id",
        "reference",
        "description",
        "root_cause",
        "resolution_notes",
        "affected_services",
    )

    def get_queryset(self) -> QuerySet[Outage]:
        found, severity = with_relations(), self.request.query_params.get("severity")
        return found.filter(severity=severity) if severity else found

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(WholeOutageSerializer(self.get_object()).data)

    @transaction.atomic
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        body = NewOutageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        outage = body.save(created_by=str(request.user.pk))
        for fact in first_facts(outage):
            fact.save()
        log(request, outage, "outage.created", told(outage))
        return Response(ListedOutageSerializer(with_relations().get(pk=outage.pk)).data, status=201)

    @action(detail=True, methods=["post"])
    @transaction.atomic
    def resolve(self, request: Request, reference: str) -> Response:
        outage = Outage.objects.select_for_update(of=("self",)).get(reference=reference)
        if outage.is_resolved:
            return Response({"detail": "It is resolved."}, status=409)
        now = timezone.now()
        Fact(
            outage=outage, kind="resolved", occurred_at=now, recorded_at=now, actor=str(request.user.pk)
        ).save()
        facts = [fact.plain for fact in outage.facts.all()]
        windows = [
            window.plain
            for window in MaintenanceWindow.objects.in_effect().filter(sla_relevant=False)
            if window.concerns(outage)
        ]
        policy = PolicyVersion.objects.in_force(outage.detected_at).get(severity=outage.severity)
        minutes = clock.measure(facts, calendar=policy.rule.calendar, windows=windows).mttr_minutes
        outage.state, outage.resolved_at, outage.mttr_minutes = "resolved", now, minutes
        outage.resolved_by, outage.resolution_notes = (
            str(request.user.pk),
            dict(request.data).get("resolution_notes", ""),
        )
        outage.save()
        log(request, outage, "outage.resolved", {**told(outage), "mttr_minutes": minutes})
        result = judged(outage, policy)
        for event in ("sla.calculated", "sla.reward" if result.status == "met" else "sla.violation"):
            log(request, outage, event, said(result))
        payment = pay(result)
        log(request, outage, "payment.initiated", payment.facts)
        return Response(
            {
                "outage": ListedOutageSerializer(with_relations().get(pk=outage.pk)).data,
                "sla": SLAResultSerializer(result).data,
                "payment": PaymentSerializer(payment).data,
            }
        )


def judged(outage: Outage, policy: PolicyVersion) -> SLAResult:
    verdict = judge(outage.mttr_minutes or 0, policy.terms)
    SLAResult.objects.filter(outage=outage).update(is_latest=False)
    result = SLAResult(
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
        clock_source=ClockSource.MEASURED,
    )
    result.save()
    return result


def pay(result: SLAResult) -> Payment:
    is_reward = result.outcome == "reward"
    owner = result.outage.team_key if is_reward else result.outage.operator_key
    wallet = Wallet.objects.filter(owner__key=owner, status="approved").first()
    payment = Payment(
        source_key=f"sla:{result.pk}",
        type=result.outcome,
        sla_result=result,
        outage=result.outage,
        payer="pool" if is_reward else owner,
        payee=owner if is_reward else "pool",
        amount=abs(result.amount),
        asset_code="USDC",
        to_address=wallet.address if wallet else "",
        state="parked" if is_reward else "awaiting_payer",
        reason="no_wallet" if is_reward else "payer_has_not_paid",
    )
    payment.save()
    return payment


def log(request: Request, outage: Outage, event: str, data: dict[str, Any]) -> None:
    data = {name: value if isinstance(value, int) else str(value) for name, value in data.items()}
    AuditEvent(
        event=event,
        subject=outage.stream,
        stream=outage.stream,
        actor=str(request.user.pk),
        source="api",
        data=data,
    ).save()
