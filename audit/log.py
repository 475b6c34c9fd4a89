"""The one way to say that something happened."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.dispatch import Signal

from apexchainx import context
from audit.events import Event
from audit.models import AuditEvent

# Sent once per fact, inside the transaction that states it, with event=AuditEvent.
recorded = Signal()


def record(event: Event, subject: str, *, stream: str = "", **data: Any) -> AuditEvent:
    """Append a fact to the log, in the caller's transaction: it stands or falls with the change."""
    return record_all([(event, subject, stream, data)])[0]


def record_all(facts: Iterable[tuple[Event, str, str, Mapping[str, Any]]]) -> list[AuditEvent]:
    """Append many facts, each (event, subject, stream, data), with one statement."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A fact is recorded inside the change that it states.")
    here = context.current()
    entries = AuditEvent.objects.bulk_create(
        AuditEvent(
            event=event,
            subject=subject,
            stream=stream,
            actor=here.actor,
            impersonator=here.impersonator,
            source=here.source,
            correlation_id=here.correlation_id,
            data={name: plain(value) for name, value in data.items()},
        )
        for event, subject, stream, data in facts
    )
    for entry in entries:
        recorded.send(sender=AuditEvent, event=entry)
    return entries


def plain(value: Any) -> Any:
    """A value as JSON keeps it: money as digits, times in UTC, ids as text."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    return value
