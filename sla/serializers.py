"""A result, and where an outage stands against its threshold."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apexchainx.api.fields import MinutesField, MoneyField, TextField
from outages import clock
from outages.models import Severity
from payments.models import Payment
from sla.models import PolicyVersion, SLAResult
from sla.policy import Verdict

ZERO = Decimal(0)
STANDINGS = ("in_progress", "paused", "met", "violated")


class SLAResultSerializer(serializers.ModelSerializer[SLAResult]):
    outage_id = serializers.CharField(source="outage.reference")
    payment_type = serializers.ChoiceField(source="outcome", choices=SLAResult.Outcome.choices)
    performance_rating = serializers.ChoiceField(source="rating", choices=SLAResult.Rating.choices)
    amount = MoneyField()
    penalty_amount = serializers.SerializerMethodField()
    reward_amount = serializers.SerializerMethodField()
    policy_version = serializers.CharField(source="policy.label")

    class Meta:
        model = SLAResult
        fields: tuple[str, ...] = (
            "id",
            "outage_id",
            "severity",
            "status",
            "outcome",
            "payment_type",
            "rating",
            "performance_rating",
            "mttr_minutes",
            "threshold_minutes",
            "amount",
            "penalty_amount",
            "reward_amount",
            "policy_version",
            "is_latest",
            "computed_at",
            "reason_code",
            "decision_trace",
            "clock_source",
        )
        read_only_fields = fields

    def get_penalty_amount(self, result: SLAResult) -> Decimal:
        return max(-result.amount, ZERO)

    def get_reward_amount(self, result: SLAResult) -> Decimal:
        return max(result.amount, ZERO)


class StatusSerializer(serializers.Serializer[Any]):
    """`sla_status` of an outage: one shape, with nulls where a key does not apply."""

    status = serializers.ChoiceField(choices=STANDINGS, allow_null=True)
    mttr_minutes = serializers.IntegerField(allow_null=True)
    threshold_minutes = serializers.IntegerField(allow_null=True)
    time_remaining_minutes = serializers.IntegerField(allow_null=True)
    breach_at = serializers.DateTimeField(allow_null=True)
    penalty_amount = MoneyField(allow_null=True)
    reward_amount = MoneyField(allow_null=True)
    performance_rating = serializers.CharField(allow_null=True)
    rating = serializers.CharField(allow_null=True)
    payment_type = serializers.CharField(allow_null=True)
    smart_contract_invoked = serializers.BooleanField()
    contract_tx_hash = serializers.CharField(allow_null=True)


def concluded(result: SLAResult) -> dict[str, Any]:
    """`sla_status` of an outage that has been judged."""
    return {
        "status": result.status,
        "mttr_minutes": result.mttr_minutes,
        "threshold_minutes": result.threshold_minutes,
        "time_remaining_minutes": None,
        "breach_at": None,
        "penalty_amount": max(-result.amount, ZERO),
        "reward_amount": max(result.amount, ZERO),
        "performance_rating": result.rating,
        "rating": result.rating,
        "payment_type": result.outcome,
        "smart_contract_invoked": False,
        "contract_tx_hash": None,
    }


def running(
    facts: Sequence[clock.Fact],
    *,
    rule: clock.Rule | None,
    windows: Sequence[clock.Window],
    now: datetime,
) -> dict[str, Any]:
    """`sla_status` of an outage that is open; `rule` is None where no policy was in force."""
    status = {**NOTHING, "status": "paused" if clock.is_paused(facts) else "in_progress"}
    if rule is None:
        return status
    counted = clock.measure(facts, until=now, calendar=rule.calendar, windows=windows).mttr_minutes
    return {
        **status,
        "threshold_minutes": rule.threshold_minutes,
        "time_remaining_minutes": max(rule.threshold_minutes - counted, 0),
        "breach_at": clock.breach_at(facts, rule, windows),
    }


# `sla_status` of what is neither open nor judged: an outage that was merged into another one.
NOTHING: dict[str, Any] = {**dict.fromkeys(StatusSerializer().fields), "smart_contract_invoked": False}


class StatusOfOutageSerializer(SLAResultSerializer):
    """`/sla/status/{id}`: the latest result with what became of its money."""

    smart_contract_invoked = serializers.SerializerMethodField()
    contract_tx_hash = serializers.SerializerMethodField()
    payment_executed = serializers.SerializerMethodField()
    payment_tx_hash = serializers.SerializerMethodField()

    class Meta(SLAResultSerializer.Meta):
        fields = (
            *SLAResultSerializer.Meta.fields,
            "smart_contract_invoked",
            "contract_tx_hash",
            "payment_executed",
            "payment_tx_hash",
        )

    def get_smart_contract_invoked(self, _result: SLAResult) -> bool:
        return False

    def get_contract_tx_hash(self, _result: SLAResult) -> str | None:
        return None

    def get_payment_executed(self, result: SLAResult) -> bool:
        payment = getattr(result, "payment", None)
        return isinstance(payment, Payment) and payment.state == Payment.State.PAID

    def get_payment_tx_hash(self, result: SLAResult) -> str | None:
        payment = getattr(result, "payment", None)
        return payment.transaction_hash or None if isinstance(payment, Payment) else None


class TermsSerializer(serializers.ModelSerializer[PolicyVersion]):
    penalty_per_minute = MoneyField()
    reward_base = MoneyField()

    class Meta:
        model = PolicyVersion
        fields = ("threshold_minutes", "penalty_per_minute", "reward_base")


class ConfigsSerializer(serializers.Serializer[Any]):
    critical = TermsSerializer()
    high = TermsSerializer()
    medium = TermsSerializer()
    low = TermsSerializer()


class CalculateSerializer(serializers.Serializer[Any]):
    """With minutes it is a preview that writes nothing; without, the outage's own result is answered."""

    outage_id = TextField(max_length=64, required=False)
    mttr_minutes = MinutesField(required=False)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)


class VerdictSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(allow_null=True)
    severity = serializers.ChoiceField(choices=Severity.choices)
    status = serializers.ChoiceField(choices=SLAResult.Status.choices)
    outcome = serializers.ChoiceField(choices=SLAResult.Outcome.choices)
    payment_type = serializers.ChoiceField(choices=SLAResult.Outcome.choices)
    rating = serializers.ChoiceField(choices=SLAResult.Rating.choices)
    performance_rating = serializers.ChoiceField(choices=SLAResult.Rating.choices)
    mttr_minutes = serializers.IntegerField()
    threshold_minutes = serializers.IntegerField()
    amount = MoneyField()
    policy_version = serializers.CharField()
    reason_code = serializers.CharField()
    decision_trace = serializers.ListField(child=serializers.CharField())


class ContractInvocationSerializer(serializers.Serializer[Any]):
    tx_hash = serializers.CharField()
    status = serializers.CharField()
    gas_cost_xlm = serializers.FloatField()


@extend_schema_serializer(many=False)
class CalculationSerializer(serializers.Serializer[Any]):
    outage_id = serializers.CharField(allow_null=True)
    preview = serializers.BooleanField()
    sla_result = VerdictSerializer()
    contract_invocation = ContractInvocationSerializer(allow_null=True)


def previewed(verdict: Verdict, policy: PolicyVersion, *, minutes: int) -> dict[str, Any]:
    return {
        "id": None,
        "severity": policy.severity,
        "status": verdict.status,
        "outcome": verdict.outcome,
        "payment_type": verdict.outcome,
        "rating": verdict.rating,
        "performance_rating": verdict.rating,
        "mttr_minutes": minutes,
        "threshold_minutes": policy.threshold_minutes,
        "amount": verdict.amount,
        "policy_version": policy.label,
        "reason_code": verdict.reason_code,
        "decision_trace": list(verdict.trace),
    }
