"""An outage as clients write it, and as they read it in lists and answers, with its clock and its money."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from apexchainx.api.fields import AwareDateTimeField, MinutesField, TextField, pair
from outages import clock
from outages.models import Outage, Severity
from outages.services.resolving import Evidence, evidence_of
from payments.models import Payment
from payments.serializers import PaymentSerializer
from sla.models import SLAResult
from sla.serializers import NOTHING, SLAResultSerializer, StatusSerializer, concluded, running
from sla.services import Governing

PUBLIC_STATES = ("open", "resolved")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=5)
# Routes beside `/outages/{id}`, of which no outage may take the place.
RESERVED = {"import", "export", "search", "bulk", "bulk-history", "violations", "timeline"}


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

    def validate_id(self, value: str) -> str:
        if value in RESERVED:
            raise ValidationError(f"{value} is a route of its own; choose another id.")
        return value

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
    stellar_payment = serializers.SerializerMethodField()
    paused_since = serializers.DateTimeField(source="paused_at", allow_null=True)
    merged_into = serializers.CharField(source="merged_into.reference", allow_null=True)
    recurrence_of = serializers.CharField(source="recurrence_of.reference", allow_null=True)

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
            "source",
            "acknowledged_at",
            "paused_since",
            "merged_into",
            "recurrence_of",
            "updated_at",
            "sla_status",
            "stellar_payment",
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
        if outage.is_resolved:
            return NOTHING
        reading = self.reading(outage)
        evidence = reading.evidence
        return running(evidence.facts, rule=reading.rule, windows=evidence.windows, now=timezone.now())

    def reading(self, outage: Outage) -> "Reading":
        return reading_of(outage)

    @extend_schema_field(PaymentSerializer(allow_null=True))
    def get_stellar_payment(self, outage: Outage) -> Any:
        payment = payment_of(outage)
        return PaymentSerializer(payment).data if payment else None


def latest(outage: Outage) -> SLAResult | None:
    results: list[SLAResult] = outage.latest_results  # type: ignore[attr-defined]
    return next(iter(results), None)


def payment_of(outage: Outage) -> Payment | None:
    return getattr(latest(outage), "payment", None)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an outage's clock is read from, and the rule that it is held against, if there is one."""

    evidence: Evidence
    rule: clock.Rule | None


def reading_of(outage: Outage) -> Reading:
    """A result keeps the rule that it was judged by."""
    result = latest(outage)
    rule = result.policy.rule if result else Governing([outage]).rules(outage).get(outage.severity)
    return Reading(evidence_of(outage), rule)


class CreatedOutageSerializer(OutageSerializer):
    message = serializers.CharField()

    class Meta(OutageSerializer.Meta):
        fields = (*OutageSerializer.Meta.fields, "message")


class SettlementSerializer(serializers.Serializer[Any]):
    """What a resolution came to; a result of zero has no payment."""

    outage = OutageSerializer()
    sla = SLAResultSerializer(source="result")
    payment = PaymentSerializer(allow_null=True)
