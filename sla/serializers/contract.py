"""The SLA contract as admins see it, and what they may order."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from apexchainx.api.fields import MoneyField, TextField
from apexchainx.stellar.soroban import Standing
from sla.models import PolicyVersion


class RolesSerializer(serializers.Serializer[Any]):
    admin = serializers.CharField()
    operator = serializers.CharField()
    pending_admin = serializers.CharField(allow_null=True)
    pending_operator = serializers.CharField(allow_null=True)


class ContractTermsSerializer(serializers.Serializer[Any]):
    threshold_minutes = serializers.IntegerField()
    penalty_per_minute = serializers.IntegerField()
    reward_base = serializers.IntegerField()


class PolicyTermsSerializer(serializers.ModelSerializer[PolicyVersion]):
    policy_version = serializers.CharField(source="label")
    penalty_per_minute = MoneyField()
    reward_base = MoneyField()

    class Meta:
        model = PolicyVersion
        fields = ("policy_version", "threshold_minutes", "penalty_per_minute", "reward_base")


class DifferenceSerializer(serializers.Serializer[Any]):
    severity = serializers.CharField()
    is_equal = serializers.BooleanField()
    contract = ContractTermsSerializer(allow_null=True)
    policy = PolicyTermsSerializer(allow_null=True)


class ContractSerializer(serializers.Serializer[Any]):
    """Roles and terms are null and empty where the contract is not open to questions."""

    contract_id = serializers.CharField()
    is_usable = serializers.BooleanField()
    standing = serializers.ChoiceField(source="health.standing", choices=[each.value for each in Standing])
    storage_version = serializers.IntegerField(source="health.storage_version")
    result_schema_version = serializers.IntegerField(source="health.result_schema_version")
    is_paused = serializers.BooleanField(source="health.is_paused")
    pause_reason = serializers.CharField(source="health.pause_reason", allow_blank=True)
    roles = RolesSerializer(allow_null=True)
    config_version_hash = serializers.CharField(allow_null=True)
    terms = DifferenceSerializer(many=True)


class NewAdminSerializer(serializers.Serializer[Any]):
    new_admin = TextField(max_length=56)


class NewOperatorSerializer(serializers.Serializer[Any]):
    new_operator = TextField(max_length=56)


class ConfirmationSerializer(serializers.Serializer[Any]):
    confirm = serializers.BooleanField(help_text="true: after this anybody may initialise the contract anew.")

    def validate_confirm(self, value: bool) -> bool:
        if not value:
            raise ValidationError("Nothing is done unless this is true.")
        return value
