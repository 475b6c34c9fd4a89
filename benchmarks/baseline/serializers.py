"""Nested model serializers; what they say of an outage is what our lists say."""

from typing import Any

from django.utils.functional import cached_property
from rest_framework import serializers

from audit.models import AuditEvent
from outages.models import Fact, MaintenanceWindow, Outage
from outages.serializers.outage import OutageSerializer, Reading
from outages.services.resolving import Evidence
from sla.models import SLAResult
from sla.serializers import SLAResultSerializer
from sla.services.evaluation import Governing


class ListedOutageSerializer(OutageSerializer):
    """An outage of a list; facts come with the queryset, policies and windows are read once for all."""

    @cached_property
    def windows(self) -> list[MaintenanceWindow]:
        return list(MaintenanceWindow.objects.in_effect().filter(sla_relevant=False))

    @cached_property
    def governing(self) -> Governing:
        """Of all outages at once: the one serializer of a list is asked for each of them."""
        holder: Any = self if self.instance is not None else self.parent
        asked = holder.instance
        return Governing([asked] if isinstance(asked, Outage) else asked)

    def reading(self, outage: Outage) -> Reading:
        windows = [window.plain for window in self.windows if window.concerns(outage)]
        facts = [fact.plain for fact in outage.facts.all()]
        rule = self.governing.rules(outage).get(outage.severity)
        return Reading(Evidence(tuple(facts), tuple(windows)), rule)


class EntrySerializer(serializers.ModelSerializer[AuditEvent]):
    class Meta:
        model = AuditEvent
        fields = ("id", "event", "actor", "data", "recorded_at")


class FactSerializer(serializers.ModelSerializer[Fact]):
    class Meta:
        model = Fact
        fields = ("kind", "detail", "occurred_at", "recorded_at", "actor")


class WholeOutageSerializer(ListedOutageSerializer):
    """One outage, with what has happened to it."""

    sla_result = serializers.SerializerMethodField()
    facts = FactSerializer(many=True)
    timeline = serializers.SerializerMethodField()

    class Meta(OutageSerializer.Meta):
        fields = (*OutageSerializer.Meta.fields, "sla_result", "facts", "timeline")

    def get_sla_result(self, outage: Outage) -> Any:
        result = SLAResult.objects.filter(outage=outage, is_latest=True).first()
        return SLAResultSerializer(result).data if result else None

    def get_timeline(self, outage: Outage) -> Any:
        return EntrySerializer(AuditEvent.objects.filter(stream=outage.stream), many=True).data


class NewOutageSerializer(serializers.ModelSerializer[Outage]):
    id = serializers.CharField(source="reference", required=False)

    class Meta:
        model = Outage
        fields = (
            "id",
            "site_name",
            "site_id",
            "region",
            "severity",
            "description",
            "affected_services",
            "affected_subscribers",
            "assigned_to",
            "detected_at",
        )
