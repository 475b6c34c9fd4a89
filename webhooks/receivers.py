"""A public fact becomes one delivery for each subscriber, in the transaction that states it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.db import connection, transaction
from django.dispatch import receiver
from django.utils import timezone

from audit.events import PUBLIC, Event
from audit.log import plain, recorded
from audit.models import AuditEvent
from webhooks import tasks
from webhooks.models import Delivery, Webhook

SCHEMA_VERSION = "1"
# The log keeps money as digits in a text; subscribers read the same digits as a number.
MONEY = {"amount"}


@receiver(recorded, dispatch_uid="webhooks.enqueue")
def enqueue(events: Sequence[AuditEvent], **_: Any) -> None:
    public = [event for event in events if event.event in PUBLIC]
    if not public:
        return
    webhooks = list(Webhook.objects.subscribed_to({event.event for event in public}))
    deliveries = [
        delivery(event, webhook) for event in public for webhook in webhooks if webhook.wants(event.event)
    ]
    if deliveries:
        Delivery.objects.bulk_create(deliveries)
        ring_once()


def delivery(event: AuditEvent, webhook: Webhook) -> Delivery:
    name, message_id = webhook.name_for(event.event), uuid4()
    return Delivery(
        webhook=webhook,
        message_id=message_id,
        event_id=event.id,
        event=name,
        body=body(event, webhook, name, message_id),
        correlation_id=event.correlation_id,
        next_attempt_at=timezone.now(),
    )


def body(event: AuditEvent, webhook: Webhook, name: str, message_id: UUID) -> str:
    """What the subscriber reads; of the data, only what the vocabulary lets out."""
    allowed = PUBLIC[Event(event.event)]
    content = {
        "id": f"msg_{message_id}",
        "event": name,
        "type": name,
        "timestamp": plain(event.recorded_at),
        "schema_version": SCHEMA_VERSION,
        "webhook_id": str(webhook.pk),
        "data": {field: wire(field, event.data[field]) for field in allowed if field in event.data},
    }
    return orjson.dumps(content).decode()


def wire(field: str, value: Any) -> Any:
    return orjson.Fragment(value) if field in MONEY and isinstance(value, str) else value


def ring_once() -> None:
    """One bell for each transaction; the sweep comes anyway where the broker is down."""
    if not any(entry[1] is ring for entry in connection.run_on_commit):
        transaction.on_commit(ring, robust=True)


def ring() -> None:
    tasks.deliver.delay()
