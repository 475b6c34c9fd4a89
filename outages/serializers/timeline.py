"""The story of an outage: what is recorded, and after it what is due."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from audit.events import Event
from audit.models import AuditEvent
from outages.models import Outage
from payments.models import Payment
from webhooks.models import Delivery, DeliveryStatus, WebhookStatus

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
    Event.OUTAGE_UPDATED: "Changed: {fields}",
    Event.OUTAGE_ASSIGNED: "Assigned to {assignee}",
    Event.OUTAGE_ESCALATED: "Escalated from {from} to {to}",
    Event.OUTAGE_ACKNOWLEDGED: "Outage acknowledged",
    Event.OUTAGE_INVESTIGATED: "Investigation begun",
    Event.OUTAGE_PAUSED: "Clock paused: {reason}",
    Event.OUTAGE_RESUMED: "Clock resumed",
    Event.OUTAGE_COMMENTED: "Comment: {text}",
    Event.OUTAGE_MERGED: "Merged into {merged_into}",
    Event.OUTAGE_ABSORBED: "{duplicate} merged into this outage",
    Event.OUTAGE_REPEATED: "The alarm repeated",
    Event.OUTAGE_DETECTION_CORRECTED: "Detection corrected from {from} to {to}: {reason}",
    Event.OUTAGE_RESOLVED: "Outage resolved after {mttr_minutes} minutes",
    Event.OUTAGE_CHRONIC: "Chronic: the cause of {recurrence_of} again",
    Event.RCA_DRAFTED: "Root cause analysis drafted, version {version}",
    Event.RCA_PUBLISHED: "Root cause analysis published, version {version}",
    Event.FOLLOW_UP_ADDED: "Follow-up {number} for {owner}, due {due_on}: {action}",
    Event.FOLLOW_UP_DONE: "Follow-up {number} done: {action}",
    Event.FOLLOW_UP_REOPENED: "Follow-up {number} open again: {action}",
    Event.SLA_CALCULATED: "SLA {status}: {mttr_minutes} of {threshold_minutes} minutes, {policy_version}",
    Event.SLA_VIOLATION: "SLA violated: {amount} USDC are owed",
    Event.SLA_REWARD: "SLA met, {rating}: {amount} USDC are earned",
    Event.SLA_AT_RISK: "SLA at risk: {percent} % of the threshold are used",
    Event.SLA_CONTRACT_CONFIRMED: "The contract has confirmed the result in ledger {ledger}",
    Event.SLA_CONTRACT_MISMATCH: "The contract does not agree with the result: {differs}",
    Event.SLA_CONTRACT_REFUSED: "The contract has refused to judge: {error}",
    Event.PAYMENT_INITIATED: "Payment {payment_id} of {amount} {asset_code}: {state}",
    Event.PAYMENT_HELD: "Payment {payment_id} is held: {reason}",
    Event.PAYMENT_PARKED: "Payment {payment_id} waits: {reason}",
    Event.PAYMENT_SIGNED: "Payment {payment_id} signed with sequence number {sequence}",
    Event.PAYMENT_COMPLETED: "Payment {payment_id} confirmed in ledger {ledger}",
    Event.PAYMENT_FAILED: "Payment {payment_id} failed: {reason}",
    Event.DISPUTE_FILED: "Dispute {dispute_id} filed",
    Event.DISPUTE_RESOLVED: "Dispute {dispute_id} resolved",
}
# Where an event says what time it is about.
ABOUT = {
    Event.OUTAGE_CREATED: "detected_at",
    Event.OUTAGE_RESOLVED: "resolved_at",
    Event.OUTAGE_PAUSED: "occurred_at",
    Event.OUTAGE_RESUMED: "occurred_at",
    Event.OUTAGE_DETECTION_CORRECTED: "to",
}
# What is stated within a minute is not back-dated.
PROMPT = timedelta(minutes=1)
ENTRY_SCHEMA_VERSION = 1
# Payments whose next step is taken without anybody's help.
CARRIED = {Payment.State.READY, Payment.State.PARKED}


class TimelineEntrySerializer(serializers.Serializer[Any]):
    """A planned entry has no id: it is not recorded, and its `timestamp` is when it is due."""

    id = serializers.CharField(allow_null=True)
    timestamp = serializers.DateTimeField()
    occurred_at = serializers.DateTimeField(
        allow_null=True, help_text="The time that it is about, where that was stated later."
    )
    event = serializers.CharField(help_text="A sentence.")
    user = serializers.CharField()
    event_type = serializers.CharField()
    schema_version = serializers.IntegerField()
    data = serializers.DictField()  # type: ignore[assignment]
    planned = serializers.BooleanField()


def recorded(entry: AuditEvent) -> dict[str, Any]:
    event = Event(entry.event)
    return {
        "id": str(entry.pk),
        "timestamp": entry.recorded_at,
        "occurred_at": back_dated(entry),
        "event": sentence(entry),
        "user": entry.actor,
        "event_type": ENTRY_TYPES.get(event, entry.event),
        "schema_version": ENTRY_SCHEMA_VERSION,
        "data": entry.data,
        "planned": False,
    }


def sentence(entry: AuditEvent) -> str:
    """For people. Where an entry does not say what its sentence asks for, there is a gap."""
    event = Event(entry.event)
    said = {
        **entry.data,
        "fields": ", ".join(entry.data.get("changes", ())),
        "assignee": entry.data.get("assigned_to") or "nobody",
    }
    return SENTENCES.get(event, event.label).format_map(defaultdict(str, said))


def back_dated(entry: AuditEvent) -> datetime | None:
    stated = entry.data.get(ABOUT.get(Event(entry.event), ""))
    moment = datetime.fromisoformat(stated) if stated else entry.recorded_at
    return moment if entry.recorded_at - moment > PROMPT else None


def planned(outage: Outage, *, breach_at: datetime | None, payment: Payment | None) -> list[dict[str, Any]]:
    """What is due, the earliest first."""
    return sorted(due(outage, breach_at, payment), key=lambda entry: entry["timestamp"])


def due(outage: Outage, breach_at: datetime | None, payment: Payment | None) -> Iterator[dict[str, Any]]:
    if breach_at is not None and breach_at > timezone.now():
        yield plan("sla_breach_due", breach_at, "SLA breached, if the outage is not resolved before")
    if payment is not None and payment.next_action_at is not None and payment.state in CARRIED:
        text = f"Next step of payment {payment.reference}"
        yield plan("payment_step_due", payment.next_action_at, text, payment_id=payment.reference)
    retry = next_retry(outage)
    if retry is not None and retry.next_attempt_at is not None:
        text = f"Webhook delivery of {retry.event} tried again"
        yield plan("webhook_retry_due", retry.next_attempt_at, text, delivery_id=str(retry.pk))


def next_retry(outage: Outage) -> Delivery | None:
    """The first delivery of its events that failed and is still to be made."""
    waiting = Delivery.objects.filter(
        webhook__status=WebhookStatus.ACTIVE,
        status=DeliveryStatus.PENDING,
        attempts__gt=0,
        event_id__in=AuditEvent.objects.stream(outage.stream).values("pk"),
    )
    return waiting.defer("body").order_by("next_attempt_at").first()


def plan(event_type: str, at: datetime, text: str, **data: Any) -> dict[str, Any]:
    return {
        "id": None,
        "timestamp": at,
        "occurred_at": None,
        "event": text,
        "user": "system",
        "event_type": event_type,
        "schema_version": ENTRY_SCHEMA_VERSION,
        "data": data,
        "planned": True,
    }
