"""An outage as clients write and read it, with its clock, its money and its timeline."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from apexchainx.api.fields import AwareDateTimeField, MinutesField, TextField, pair
from audit.events import Event
from audit.models import AuditEvent
from outages.models import Outage, Severity
from outages.services.resolving import evidence_of
from payments.serializers import PaymentSerializer
from sla.models import SLAResult
from sla.serializers import NOTHING, SLAResultSerializer, StatusSerializer, concluded, running
from sla.services import Governing

PUBLIC_STATES = ("open", "resolved")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)


class LocationSerializer(serializers.Serializer[Any]):
    latitude = serializers.DecimalField(9, 6, min_value=-90, max_value=90, coerce_to_string=False)
    longitude = serializers.DecimalField(9, 6, min_value=-180, max_value=180, coerce_to_string=False)


class NewOutageSerializer(serializers.Serializer[Any]):
    """`services_affected` and `created_at` are read as `affected_services` and `detected_at`."""

    id = serializers.RegexField(r"^[A-Za-z0-9_-]{1,64}\Z", required=False)
    site_name = TextField(max_length=255)
    site_id = TextField(max_length=64, required=False, allow_blank=True)
    region = TextField(max_length=64, required=False, allow_blank=True)
    severity = serializers.ChoiceField(choices=Severity.choices)
    description = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True)
    affected_services = serializers.ListField(
        child=TextField(max_length=255), max_length=settings.MAX_AFFECTED_SERVICES_COUNT, required=False
    )
    affected_subscribers = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, allow_null=True
    )
    location = LocationSerializer(required=False, allow_null=True)
    assigned_to = TextField(max_length=255, required=False, allow_blank=True)
    team = TextField(max_length=64, required=False, help_text="The owner who receives rewards.")
    operator = TextField(max_length=64, required=False, help_text="The owner who owes penalties.")
    detected_at = AwareDateTimeField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        named = pair(data, "affected_services", "services_affected")
        return super().to_internal_value(pair(named, "detected_at", "created_at"))

    def validate_detected_at(self, value: datetime) -> datetime:
        if not EARLIEST <= value <= timezone.now() + CLOCK_SKEW:
            raise ValidationError("The detection lies between 2000-01-01 and now.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As `outages.services.reporting.Report` names them."""
        location = attrs.pop("location", None) or {}
        if "id" in attrs:
            attrs["reference"] = attrs.pop("id")
        return {**attrs, **location}


class ResolutionSerializer(serializers.Serializer[Any]):
    """What a resolution states; without times the outage ends now."""

    mttr_minutes = MinutesField(required=False)
    resolved_at = AwareDateTimeField(required=False)
    resolution_notes = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True)
    root_cause = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True)


class OutageSerializer(serializers.ModelSerializer[Outage]):
    """One outage. `outage.latest_results` comes with the queryset."""

    id = serializers.CharField(source="reference")
    status = serializers.ChoiceField(choices=PUBLIC_STATES)
    created_at = serializers.DateTimeField(source="detected_at")
    services_affected = serializers.ListField(source="affected_services", child=serializers.CharField())
    location = serializers.SerializerMethodField()
    assigned_to = serializers.SerializerMethodField()
    team = serializers.CharField(source="team_key")
    operator = serializers.CharField(source="operator_key")
    sla_status = serializers.SerializerMethodField()

    class Meta:
        model = Outage
        fields: tuple[str, ...] = (
            "id",
            "site_name",
            "site_id",
            "region",
            "severity",
            "status",
            "state",
            "detected_at",
            "created_at",
            "resolved_at",
            "mttr_minutes",
            "description",
            "root_cause",
            "resolution_notes",
            "affected_services",
            "services_affected",
            "affected_subscribers",
            "location",
            "assigned_to",
            "created_by",
            "team",
            "operator",
            "correlation_id",
            "sla_status",
        )
        read_only_fields = fields

    @extend_schema_field(LocationSerializer(allow_null=True))
    def get_location(self, outage: Outage) -> Any:
        if outage.latitude is None or outage.longitude is None:
            return None
        return {"latitude": outage.latitude, "longitude": outage.longitude}

    def get_assigned_to(self, outage: Outage) -> str | None:
        return outage.assigned_to or None

    @extend_schema_field(StatusSerializer)
    def get_sla_status(self, outage: Outage) -> Any:
        result = latest(outage)
        if result is not None:
            return concluded(result)
        return NOTHING if outage.is_resolved else standing(outage)


def latest(outage: Outage) -> SLAResult | None:
    results: list[SLAResult] = outage.latest_results  # type: ignore[attr-defined]
    return next(iter(results), None)


def standing(outage: Outage) -> dict[str, Any]:
    """Where the clock of an open outage stands now."""
    evidence = evidence_of(outage)
    rule = Governing([outage]).rules(outage).get(outage.severity)
    return running(evidence.facts, rule=rule, windows=evidence.windows, now=timezone.now())


class CreatedOutageSerializer(OutageSerializer):
    message = serializers.SerializerMethodField()

    class Meta(OutageSerializer.Meta):
        fields = (*OutageSerializer.Meta.fields, "message")

    def get_message(self, _outage: Outage) -> str:
        return "Outage created successfully"


# The document's words for entries of a timeline; every other event keeps its own name.
ENTRY_TYPES = {
    Event.OUTAGE_CREATED: "created",
    Event.OUTAGE_UPDATED: "updated",
    Event.OUTAGE_ESCALATED: "escalated",
    Event.OUTAGE_RESOLVED: "resolved",
    Event.SLA_CALCULATED: "sla_evaluated",
    Event.PAYMENT_INITIATED: "payment_triggered",
}
SENTENCES = {
    Event.OUTAGE_CREATED: "Outage detected at {site_name}",
    Event.OUTAGE_RESOLVED: "Outage resolved after {mttr_minutes} minutes",
    Event.SLA_CALCULATED: "SLA {status}: {mttr_minutes} of {threshold_minutes} minutes, {policy_version}",
    Event.SLA_VIOLATION: "SLA violated: {amount} USDC are owed",
    Event.SLA_REWARD: "SLA met, {rating}: {amount} USDC are earned",
    Event.PAYMENT_INITIATED: "Payment {payment_id} of {amount} {asset_code}: {state}",
    Event.PAYMENT_HELD: "Payment {payment_id} is held: {reason}",
    Event.PAYMENT_PARKED: "Payment {payment_id} waits: {reason}",
    Event.PAYMENT_SIGNED: "Payment {payment_id} signed with sequence number {sequence}",
    Event.PAYMENT_COMPLETED: "Payment {payment_id} confirmed in ledger {ledger}",
    Event.PAYMENT_FAILED: "Payment {payment_id} failed: {reason}",
    Event.DISPUTE_FILED: "Dispute {dispute_id} filed",
}
ENTRY_SCHEMA_VERSION = 1


class TimelineEntrySerializer(serializers.ModelSerializer[AuditEvent]):
    id = serializers.CharField(source="pk")
    timestamp = serializers.DateTimeField(source="recorded_at")
    event = serializers.SerializerMethodField()
    user = serializers.CharField(source="actor")
    event_type = serializers.SerializerMethodField()
    schema_version = serializers.SerializerMethodField()

    class Meta:
        model = AuditEvent
        fields = ("id", "timestamp", "event", "user", "event_type", "schema_version", "data")
        read_only_fields = fields

    def get_event(self, entry: AuditEvent) -> str:
        event = Event(entry.event)
        return SENTENCES.get(event, event.label).format_map(entry.data)

    def get_event_type(self, entry: AuditEvent) -> str:
        return ENTRY_TYPES.get(Event(entry.event), entry.event)

    def get_schema_version(self, _entry: AuditEvent) -> int:
        return ENTRY_SCHEMA_VERSION


class OutageDetailSerializer(OutageSerializer):
    """The whole story of one outage."""

    sla_result = serializers.SerializerMethodField()
    stellar_payment = serializers.SerializerMethodField()
    timeline = serializers.SerializerMethodField()

    class Meta(OutageSerializer.Meta):
        fields = (*OutageSerializer.Meta.fields, "sla_result", "stellar_payment", "timeline")

    @extend_schema_field(SLAResultSerializer(allow_null=True))
    def get_sla_result(self, outage: Outage) -> Any:
        result = latest(outage)
        return SLAResultSerializer(result).data if result else None

    @extend_schema_field(PaymentSerializer(allow_null=True))
    def get_stellar_payment(self, outage: Outage) -> Any:
        payment = getattr(latest(outage), "payment", None)
        return PaymentSerializer(payment).data if payment else None

    @extend_schema_field(TimelineEntrySerializer(many=True))
    def get_timeline(self, outage: Outage) -> Any:
        return TimelineEntrySerializer(AuditEvent.objects.stream(outage.stream), many=True).data


class SettlementSerializer(serializers.Serializer[Any]):
    """What a resolution came to; a result of zero has no payment."""

    outage = OutageSerializer()
    sla = SLAResultSerializer(source="result")
    payment = PaymentSerializer(allow_null=True)
