"""One outage, whole: its clock with the evidence, its money, its analysis and its timeline."""

from datetime import datetime
from typing import Any, cast

from django.utils import timezone
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from audit.models import AuditEvent
from outages import clock
from outages.models import Fact, Outage, RootCauseAnalysis
from outages.serializers.outage import OutageSerializer, Reading, latest, payment_of, reading_of
from outages.serializers.rca import RcaSerializer
from outages.serializers.timeline import TimelineEntrySerializer, planned, recorded
from sla.serializers import SLAResultSerializer


class SegmentSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(allow_null=True, help_text="Null while it goes on.")
    reason = serializers.CharField(help_text="Why it does not count; empty where it does.")


class FactSerializer(serializers.ModelSerializer[Fact]):
    class Meta:
        model = Fact
        fields = ("kind", "detail", "occurred_at", "recorded_at", "actor")
        read_only_fields = fields


class ClockSerializer(serializers.Serializer[Any]):
    """The wall time cut into what counts and what does not, up to now or to the end, and its evidence."""

    counted_minutes = serializers.IntegerField()
    counted = SegmentSerializer(many=True)
    excluded = SegmentSerializer(many=True)
    facts = FactSerializer(many=True)


class OutageDetailSerializer(OutageSerializer):
    """The whole story of one outage. `published_analyses` and what lists need come with the queryset."""

    duplicates = serializers.SerializerMethodField()
    is_chronic = serializers.SerializerMethodField()
    clock = serializers.SerializerMethodField()
    sla_result = serializers.SerializerMethodField()
    rca = serializers.SerializerMethodField()
    timeline = serializers.SerializerMethodField()

    class Meta(OutageSerializer.Meta):
        fields = (
            *OutageSerializer.Meta.fields,
            "acknowledged_by",
            "duplicates",
            "is_chronic",
            "clock",
            "sla_result",
            "rca",
            "timeline",
        )

    @cached_property
    def the_reading(self) -> Reading:
        """Of the one outage, for everything that is said of its clock."""
        return reading_of(cast("Outage", self.instance))

    def reading(self, _outage: Outage) -> Reading:
        return self.the_reading

    def get_duplicates(self, outage: Outage) -> list[str]:
        return [duplicate.reference for duplicate in outage.duplicates.all()]

    def get_is_chronic(self, outage: Outage) -> bool:
        return outage.recurrence_of_id is not None

    @extend_schema_field(ClockSerializer)
    def get_clock(self, outage: Outage) -> Any:
        evidence, rule = self.the_reading.evidence, self.the_reading.rule
        now = timezone.now()
        measured = clock.measure(
            evidence.facts,
            until=outage.resolved_at or now,
            calendar=rule.calendar if rule else None,
            windows=evidence.windows,
        )
        return {
            "counted_minutes": measured.mttr_minutes,
            "counted": [segment_of(one, now) for one in measured.counted],
            "excluded": [segment_of(one, now) for one in measured.excluded],
            "facts": FactSerializer(outage.facts, many=True).data,
        }

    @extend_schema_field(SLAResultSerializer(allow_null=True))
    def get_sla_result(self, outage: Outage) -> Any:
        result = latest(outage)
        return SLAResultSerializer(result).data if result else None

    @extend_schema_field(RcaSerializer(allow_null=True))
    def get_rca(self, outage: Outage) -> Any:
        """The newest version that is published."""
        analyses: list[RootCauseAnalysis] = outage.published_analyses  # type: ignore[attr-defined]
        return RcaSerializer(analyses[0]).data if analyses else None

    @extend_schema_field(TimelineEntrySerializer(many=True))
    def get_timeline(self, outage: Outage) -> Any:
        entries = AuditEvent.objects.stream(outage.stream)
        return [*map(recorded, entries), *coming(outage, self.the_reading)]


def segment_of(segment: clock.Segment, now: datetime) -> dict[str, Any]:
    end = None if segment.end == now else segment.end
    return {"start": segment.start, "end": end, "reason": segment.reason}


def coming(outage: Outage, reading: Reading) -> list[dict[str, Any]]:
    """What is planned for the outage's timeline."""
    breach_at = None
    if reading.rule and not outage.is_resolved:
        breach_at = clock.breach_at(reading.evidence.facts, reading.rule, reading.evidence.windows)
    return planned(outage, breach_at=breach_at, payment=payment_of(outage))


class UpdatedOutageSerializer(OutageDetailSerializer):
    """`sla_triggered` says whether the update ended the outage; the view tells."""

    message = serializers.SerializerMethodField()
    sla_triggered = serializers.SerializerMethodField()

    class Meta(OutageDetailSerializer.Meta):
        fields = (*OutageDetailSerializer.Meta.fields, "message", "sla_triggered")

    def get_message(self, _outage: Outage) -> str:
        return "Outage updated successfully"

    def get_sla_triggered(self, _outage: Outage) -> bool:
        return bool(self.context["sla_triggered"])
