"""Root cause analyses and their follow-ups, as clients write and read them."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers

from apexchainx.api.fields import TextField
from outages.models import FollowUp, RootCauseAnalysis
from outages.services.rca import Promise

MOST_ITEMS = 100


class NewFollowUpSerializer(serializers.Serializer[Any]):
    action = TextField(max_length=500)
    owner = TextField(max_length=255)
    due_on = serializers.DateField()


class NewRcaSerializer(serializers.Serializer[Any]):
    """An analysis, published unless it says that it is a draft. Follow-ups join those the outage has."""

    root_cause = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH)
    contributing_factors = serializers.ListField(
        child=TextField(max_length=500), max_length=MOST_ITEMS, required=False
    )
    remediation = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True)
    follow_ups = serializers.ListField(child=NewFollowUpSerializer(), max_length=MOST_ITEMS, required=False)
    status = serializers.ChoiceField(choices=RootCauseAnalysis.Status.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As `outages.services.rca.analyse` names them."""
        status = attrs.pop("status", RootCauseAnalysis.Status.PUBLISHED)
        promises = [Promise(**item) for item in attrs.pop("follow_ups", ())]
        return {**attrs, "follow_ups": promises, "is_draft": status == RootCauseAnalysis.Status.DRAFT}


class PublicationSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="Of the draft; without it, the newest."
    )


class FollowUpSerializer(serializers.ModelSerializer[FollowUp]):
    outage_id = serializers.CharField(source="outage.reference")
    done = serializers.BooleanField(source="is_done")
    overdue = serializers.SerializerMethodField()

    class Meta:
        model = FollowUp
        fields = (
            "outage_id",
            "number",
            "action",
            "owner",
            "due_on",
            "done",
            "overdue",
            "done_at",
            "done_by",
            "created_at",
            "created_by",
        )
        read_only_fields = fields

    def get_overdue(self, item: FollowUp) -> bool:
        return not item.is_done and item.due_on < timezone.now().date()


class FollowUpChangeSerializer(serializers.Serializer[Any]):
    done = serializers.BooleanField()


class RcaSerializer(serializers.ModelSerializer[RootCauseAnalysis]):
    """One version, with the follow-ups of its outage as they stand now."""

    outage_id = serializers.CharField(source="outage.reference")
    follow_ups = FollowUpSerializer(source="outage.follow_ups", many=True)

    class Meta:
        model = RootCauseAnalysis
        fields = (
            "outage_id",
            "version",
            "status",
            "root_cause",
            "contributing_factors",
            "remediation",
            "follow_ups",
            "created_at",
            "created_by",
        )
        read_only_fields = fields
