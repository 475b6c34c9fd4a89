"""The one way to say that something happened."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.dispatch import Signal

from apexchainx import context
from apexchainx.bulk import insert
from audit.events import Event
from audit.models import AuditEvent

# Sent inside the transaction that states the facts, with events=[AuditEvent, ...] in their order.
recorded = Signal()
_is_quiet: ContextVar[bool] = ContextVar("audit_is_quiet", default=False)


@contextmanager
def unannounced() -> Iterator[None]:
    """Facts are recorded as ever, but nobody is told: history that is brought in is no news."""
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def record(event: Event, subject: str, *, stream: str = "", **data: Any) -> AuditEvent:
    """Append a fact to the log, in the caller's transaction: it stands or falls with the change."""
    return record_all([(event, subject, stream, data)])[0]


def record_all(facts: Iterable[tuple[Event, str, str, Mapping[str, Any]]]) -> list[AuditEvent]:
    """Append many facts, each (event, subject, stream, data), with one statement."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A fact is recorded inside the change that it states.")
    here = context.current()
    entries = [
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
    ]
    insert(entries)
    if entries and not _is_quiet.get():
        recorded.send(sender=AuditEvent, events=entries)
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
