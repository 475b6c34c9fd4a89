"""What is promised now, and what minutes would earn or cost."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apexchainx.api.fields import MinutesField, MoneyField, TextField
from outages.models import Severity
from sla.models import ContractInvocation, PolicyVersion, SLAResult
from sla.policy import Verdict

STROOPS = Decimal(10_000_000)
INVOCATION_STATUSES = ("pending", "confirmed", "mismatch", "refused")


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


class ContractInvocationSerializer(serializers.Serializer[ContractInvocation]):
    """The status is pending until a ledger has shown what came of it; hash and cost are null until then."""

    tx_hash = serializers.CharField(source="seen_hash", allow_null=True)
    status = serializers.SerializerMethodField()
    gas_cost_xlm = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(choices=INVOCATION_STATUSES))
    def get_status(self, invocation: ContractInvocation) -> str:
        return "pending" if invocation.is_unfinished else invocation.state

    @extend_schema_field(MoneyField(allow_null=True))
    def get_gas_cost_xlm(self, invocation: ContractInvocation) -> Decimal | None:
        return None if invocation.fee is None else invocation.fee / STROOPS


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
