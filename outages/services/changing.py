"""What an outage says of itself, changed in part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db import transaction
from django.utils import timezone

from apexchainx.errors import Conflict, Invalid, NotReady
from audit.events import Event
from audit.log import plain, record_all
from outages.clock import RANK
from outages.models import Fact, Outage
from outages.services.locking import locked
from outages.services.recurrence import mark_recurrence
from outages.services.reporting import told
from outages.services.stating import state_fact
from wallets.models import Owner


class Unchanged(Enum):
    """Not spoken of: it stays as it is, and nobody is told."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
# The public word for every state but resolved: it asks for nothing while the outage is open.
OPEN = "open"
# What maintenance windows are matched by.
WHERE = frozenset({"site_name", "region", "affected_services"})
OWNERS = frozenset({"team", "operator"})
# What a resolved outage still takes.
AFTERWARDS = frozenset({"assigned_to", "root_cause", "resolution_notes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """`team` and `operator` are keys of owners; `state` is active, investigating or open."""

    site_name: str | Unchanged = UNCHANGED
    site_id: str | Unchanged = UNCHANGED
    region: str | Unchanged = UNCHANGED
    severity: str | Unchanged = UNCHANGED
    state: str | Unchanged = UNCHANGED
    description: str | Unchanged = UNCHANGED
    affected_services: list[str] | Unchanged = UNCHANGED
    affected_subscribers: int | Unchanged | None = UNCHANGED
    latitude: Decimal | Unchanged | None = UNCHANGED
    longitude: Decimal | Unchanged | None = UNCHANGED
    assigned_to: str | Unchanged = UNCHANGED
    team: str | Unchanged = UNCHANGED
    operator: str | Unchanged = UNCHANGED
    detected_at: datetime | Unchanged = UNCHANGED
    root_cause: str | Unchanged = UNCHANGED
    resolution_notes: str | Unchanged = UNCHANGED


@dataclass(frozen=True, slots=True)
class Step:
    """One field, from what it was to what it becomes."""

    before: Any
    after: Any

    @property
    def plain(self) -> dict[str, Any]:
        return {"from": plain(self.before), "to": plain(self.after)}


@transaction.atomic
def change(reference: str, changes: Changes, *, reason: str = "", version: int | None = None) -> Outage:
    """The outage with these changes; what is so already is no change, and without any nothing is written.

    Raises as `locked`, Conflict for what a resolved outage does not take, Invalid where a detection is
    corrected without a `reason`, NotReady for an owner that does not exist.
    """
    outage = locked(reference, version=version)
    steps = dict(differences(outage, changes))
    if not steps:
        return outage
    refuse_afterwards(outage, steps)
    if "detected_at" in steps and not reason.strip():
        raise Invalid("reason", "Say why the detection is corrected.")

    for name, step in steps.items():
        setattr(outage, name, owner_of(step.after) if name in OWNERS else step.after)
    outage.store(*steps)
    state_facts(outage, steps, reason=reason)
    record_all(
        (event, outage.stream, outage.stream, {**told(outage), **data})
        for event, data in events(steps, reason=reason)
    )
    if "root_cause" in steps and outage.is_resolved:
        mark_recurrence(outage)
    return outage


def differences(outage: Outage, changes: Changes) -> Iterator[tuple[str, Step]]:
    """By field, where the outage says something else now."""
    now = timezone.now()
    held = {"team": outage.team_key, "operator": outage.operator_key}
    for name in (field.name for field in fields(changes)):
        before, after = held.get(name, getattr(outage, name)), getattr(changes, name)
        if name == "detected_at" and isinstance(after, datetime):
            after = min(after, now)
        asks = not (name == "state" and after == OPEN and not outage.is_resolved)
        if after is not UNCHANGED and asks and before != after:
            yield name, Step(before, after)


def refuse_afterwards(outage: Outage, steps: Mapping[str, Step]) -> None:
    too_late = sorted(steps.keys() - AFTERWARDS)
    if outage.is_resolved and too_late:
        raise Conflict(
            f"Outage {outage.reference} is resolved: its {', '.join(too_late)} can no longer be changed, "
            f"only {', '.join(sorted(AFTERWARDS))}.",
            details={"fields": {name: ["The outage is resolved."] for name in too_late}},
        )


def owner_of(key: str) -> Owner:
    owner = Owner.objects.filter(key=key).first()
    if owner is None:
        raise NotReady(f"There is no owner {key}.", code="OWNER_UNKNOWN")
    return owner


def state_facts(outage: Outage, steps: Mapping[str, Step], *, reason: str) -> None:
    """What the clock, or whoever reads it, has to know of the changes."""
    if "detected_at" in steps:
        state_fact(outage, Fact.Kind.DETECTED, detail=reason, occurred_at=outage.detected_at)
    if "severity" in steps:
        state_fact(outage, Fact.Kind.SEVERITY, detail=outage.severity)
    if moved := sorted(steps.keys() & WHERE):
        state_fact(outage, Fact.Kind.PLACED, detail=", ".join(moved))
    if "assigned_to" in steps:
        state_fact(outage, Fact.Kind.ASSIGNED, detail=outage.assigned_to)
    if is_taken_up(steps):
        state_fact(outage, Fact.Kind.INVESTIGATING)


def events(steps: Mapping[str, Step], *, reason: str) -> Iterator[tuple[Event, dict[str, Any]]]:
    """An event of its own for what has one; an update names all the rest."""
    own = {"assigned_to"} | ({"state"} if is_taken_up(steps) else set())
    rest = {name: step.plain for name, step in steps.items() if name not in own}
    if rest:
        yield Event.OUTAGE_UPDATED, {"changes": rest}
    if is_raised(steps):
        yield Event.OUTAGE_ESCALATED, steps["severity"].plain
    if "detected_at" in steps:
        yield Event.OUTAGE_DETECTION_CORRECTED, {"reason": reason, **steps["detected_at"].plain}
    if is_taken_up(steps):
        yield Event.OUTAGE_INVESTIGATED, {}
    if "assigned_to" in steps:
        yield Event.OUTAGE_ASSIGNED, {"assigned_to": steps["assigned_to"].after}


def is_taken_up(steps: Mapping[str, Step]) -> bool:
    return "state" in steps and steps["state"].after == Outage.State.INVESTIGATING


def is_raised(steps: Mapping[str, Step]) -> bool:
    severity = steps.get("severity")
    return severity is not None and RANK.index(severity.after) > RANK.index(severity.before)
