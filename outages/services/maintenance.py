"""Maintenance that the clock does not count: planned by one person, approved by another."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from apexchainx import context
from apexchainx.errors import Conflict, Invalid, NotFound, Refused
from audit.events import Event
from audit.log import record
from audit.models import AuditEvent
from outages.models import MaintenanceWindow
from outages.models.evidence import PLACES

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What somebody plans, at exactly one site, in one region or on one service."""

    name: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    site_name: str = ""
    region: str = ""
    service: str = ""
    sla_relevant: bool = False


@transaction.atomic
def plan(stated: Plan) -> MaintenanceWindow:
    """A draft, which no clock knows before its approval. Raises Invalid for a bad place or time."""
    refuse_bad(stated)
    window = MaintenanceWindow.objects.create(**asdict(stated), created_by=context.current().actor)
    record(Event.MAINTENANCE_PLANNED, window.subject, stream=window.subject, **told(window))
    return window


@transaction.atomic
def change(reference: str, changes: Mapping[str, Any]) -> MaintenanceWindow:
    """A draft with other values for some fields of its plan.

    Raises NotFound, Invalid for a bad place or time, and Conflict for what is a draft no more.
    """
    window = locked(reference)
    refuse_beyond_draft(window)
    before = plan_of(window)
    after = replace(before, **changes)
    refuse_bad(after)
    if after == before:
        return window
    for name, value in asdict(after).items():
        setattr(window, name, value)
    window.save(update_fields=list(asdict(after)))
    record(Event.MAINTENANCE_CHANGED, window.subject, stream=window.subject, **told(window))
    return window


@transaction.atomic
def approve(reference: str) -> MaintenanceWindow:
    """From here on the clock knows of it.

    Raises NotFound, Conflict for what is a draft no more, and Refused for whoever planned or changed it,
    unless they act by command on the machine itself.
    """
    window = locked(reference)
    refuse_beyond_draft(window)
    here = context.current()
    if here.source != "command" and here.actor in makers_of(window):
        raise Refused(
            "Whoever planned or changed a maintenance window cannot approve it.", code="SECOND_PERSON_NEEDED"
        )
    window.approved_by, window.approved_at = here.actor, timezone.now()
    window.save(update_fields=["approved_by", "approved_at"])
    record(Event.MAINTENANCE_APPROVED, window.subject, stream=window.subject, **told(window))
    return window


@transaction.atomic
def withdraw(reference: str, *, may_rule: bool) -> MaintenanceWindow:
    """It no longer counts, and is kept. What an approval gave is taken back only by who `may_rule`.

    Raises NotFound, Conflict where it is withdrawn already, and Refused.
    """
    window = locked(reference)
    if window.withdrawn_at is not None:
        raise Conflict(f"{reference} is withdrawn already.")
    if window.approved_at is not None and not may_rule:
        raise Refused(f"{reference} is approved: only who may approve it may withdraw it.")
    window.withdrawn_by, window.withdrawn_at = context.current().actor, timezone.now()
    window.save(update_fields=["withdrawn_by", "withdrawn_at"])
    record(Event.MAINTENANCE_WITHDRAWN, window.subject, stream=window.subject, **told(window))
    return window


def found(reference: str) -> MaintenanceWindow:
    """Raises NotFound."""
    window = MaintenanceWindow.objects.referenced(reference).first()
    if window is None:
        raise NotFound("There is no such maintenance window.")
    return window


def overlaps_of(windows: Sequence[MaintenanceWindow]) -> dict[int, list[str]]:
    """By window, which others in effect overlap it at the same place; in one statement."""
    if not windows:
        return {}
    start, end = min(one.starts_at for one in windows), max(one.ends_at for one in windows)
    others = list(MaintenanceWindow.objects.in_effect().overlapping(start, end).order_by("pk"))
    return {
        window.pk: [other.reference for other in others if is_beside(window, other)] for window in windows
    }


def is_beside(window: MaintenanceWindow, other: MaintenanceWindow) -> bool:
    """Two windows at one place at one time."""
    return (
        window.pk != other.pk
        and other.starts_at < window.ends_at
        and window.starts_at < other.ends_at
        and window.place == other.place
    )


def locked(reference: str) -> MaintenanceWindow:
    window = MaintenanceWindow.objects.select_for_update().referenced(reference).first()
    if window is None:
        raise NotFound("There is no such maintenance window.")
    return window


def makers_of(window: MaintenanceWindow) -> set[str]:
    """Everybody whose words the plan holds."""
    changes = AuditEvent.objects.stream(window.subject).filter(event=Event.MAINTENANCE_CHANGED)
    return {window.created_by, *changes.values_list("actor", flat=True)}


def refuse_beyond_draft(window: MaintenanceWindow) -> None:
    if window.withdrawn_at is not None:
        raise Conflict(f"{window.reference} is withdrawn; plan another.")
    if window.approved_at is not None:
        raise Conflict(f"{window.reference} is approved and stays as it is; withdraw it and plan another.")


def refuse_bad(stated: Plan) -> None:
    """Raises Invalid where there is not exactly one place, or the times are not in order."""
    if sum(bool(getattr(stated, place)) for place in PLACES) != 1:
        raise Invalid(PLACES[0], f"Name exactly one of {', '.join(PLACES)}.")
    if stated.starts_at < EARLIEST:
        raise Invalid("starts_at", "A window lies between 2000-01-01 and 2100-01-01.")
    if not stated.starts_at < stated.ends_at <= LATEST:
        raise Invalid("ends_at", "A window ends after it starts, and before 2100-01-01.")


def plan_of(window: MaintenanceWindow) -> Plan:
    return Plan(**{name: getattr(window, name) for name in Plan.__dataclass_fields__})


def told(window: MaintenanceWindow) -> dict[str, Any]:
    """What every event about a window says."""
    return {"maintenance_id": window.reference, **asdict(plan_of(window)), "status": window.status}
