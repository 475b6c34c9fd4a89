"""What goes in and out of disputes."""

from typing import Any

from rest_framework import serializers

from apexchainx.api.fields import TextField, UuidTextField
from disputes.models import LONGEST_REASON, Dispute


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    id = serializers.CharField(source="reference")
    dispute_id = serializers.CharField(source="reference")
    outage_id = serializers.CharField(source="outage.reference")
    sla_result_id = serializers.UUIDField()
    resolution_notes = serializers.SerializerMethodField()

    class Meta:
        model = Dispute
        fields = (
            "id",
            "dispute_id",
            "outage_id",
            "sla_result_id",
            "status",
            "reason",
            "filed_by",
            "resolution_notes",
            "created_at",
        )
        read_only_fields = fields

    def get_resolution_notes(self, dispute: Dispute) -> str | None:
        return dispute.resolution_notes or None


class FilingSerializer(serializers.Serializer[Any]):
    outage_id = TextField(max_length=64)
    sla_result_id = UuidTextField(
        required=False, allow_null=True, help_text="The outage's latest result unless given."
    )
    reason = TextField(max_length=LONGEST_REASON)
