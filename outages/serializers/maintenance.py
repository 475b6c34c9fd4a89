"""A maintenance window as clients write and read it."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.utils.serializer_helpers import ReturnDict

from apexchainx.api.fields import AwareDateTimeField, TextField
from outages.models import MaintenanceWindow
from outages.models.evidence import PLACES
from outages.services.maintenance import overlaps_of


class PlanSerializer(serializers.Serializer[Any]):
    """Exactly one of `site_name`, `region` and `service`; a change that names one gives up the others."""

    name = TextField(max_length=200)
    site_name = TextField(max_length=255, required=False, allow_blank=True)
    region = TextField(max_length=64, required=False, allow_blank=True)
    service = TextField(max_length=255, required=False, allow_blank=True)
    starts_at = AwareDateTimeField()
    ends_at = AwareDateTimeField()
    sla_relevant = serializers.BooleanField(
        required=False, help_text="True where the clock runs on. False, the default, where it stops."
    )
    reason = TextField(max_length=500)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As `outages.services.maintenance.Plan` names them; what a whole plan leaves out, it empties."""
        if not self.partial:
            attrs.setdefault("sla_relevant", False)
        if not self.partial or any(place in attrs for place in PLACES):
            attrs = {**dict.fromkeys(PLACES, ""), **attrs}
        return attrs


class MaintenanceWindowSerializer(serializers.ModelSerializer[MaintenanceWindow]):
    """One window. `overlaps` of many come with the context."""

    id = serializers.CharField(source="reference")
    status = serializers.ChoiceField(choices=MaintenanceWindow.Status.choices)
    overlaps = serializers.SerializerMethodField(help_text="Others in effect at the same place and time.")

    class Meta:
        model = MaintenanceWindow
        fields: tuple[str, ...] = (
            "id",
            "name",
            "site_name",
            "region",
            "service",
            "starts_at",
            "ends_at",
            "sla_relevant",
            "reason",
            "status",
            "created_by",
            "created_at",
            "approved_by",
            "approved_at",
            "withdrawn_by",
            "withdrawn_at",
            "overlaps",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_overlaps(self, window: MaintenanceWindow) -> list[str]:
        overlaps: dict[int, list[str]] = self.context["overlaps"]
        return overlaps[window.pk]


def described(windows: Sequence[MaintenanceWindow]) -> list[ReturnDict[str, Any]]:
    """The documents of any number of windows, with one statement."""
    context = {"overlaps": overlaps_of(windows)}
    return [MaintenanceWindowSerializer(window, context=context).data for window in windows]
