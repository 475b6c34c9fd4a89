"""A result, and where an outage stands against its threshold."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from apexchainx.api.fields import MoneyField
from outages import clock
from payments.models import Payment
from sla.models import SLAResult

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
        **contract_seen(result),
    }


def contract_seen(result: SLAResult) -> dict[str, Any]:
    """Whether a ledger has shown the contract's answer, and where. A hash that nobody has seen is none."""
    seen_hash = result.asked.seen_hash if result.asked else None
    return {"smart_contract_invoked": seen_hash is not None, "contract_tx_hash": seen_hash}


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

    def get_smart_contract_invoked(self, result: SLAResult) -> bool:
        return bool(contract_seen(result)["smart_contract_invoked"])

    def get_contract_tx_hash(self, result: SLAResult) -> str | None:
        return result.asked.seen_hash if result.asked else None

    def get_payment_executed(self, result: SLAResult) -> bool:
        payment = getattr(result, "payment", None)
        return isinstance(payment, Payment) and payment.state == Payment.State.PAID

    def get_payment_tx_hash(self, result: SLAResult) -> str | None:
        payment = getattr(result, "payment", None)
        return payment.transaction_hash or None if isinstance(payment, Payment) else None
