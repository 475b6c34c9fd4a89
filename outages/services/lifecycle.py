"""Who looks after an outage, and what they say: acknowledge, investigate, assign, comment, delete."""

from typing import Any

from django.db import transaction
from django.db.models import ProtectedError

from apexchainx.errors import Conflict
from audit.events import Event
from outages.models import Fact, Outage
from outages.services.locking import locked, locked_open
from outages.services.stating import state_fact, tell


@transaction.atomic
def acknowledge(reference: str, *, version: int | None = None) -> Outage:
    """Somebody has seen it, once. Raises as `locked_open`, and Conflict for a second time."""
    outage = locked_open(reference, version=version)
    if outage.acknowledged_at is not None:
        raise Conflict(f"Outage {reference} is already acknowledged.")
    fact = state_fact(outage, Fact.Kind.ACKNOWLEDGED)
    outage.acknowledged_at, outage.acknowledged_by = fact.occurred_at, fact.actor
    outage.store("acknowledged_at", "acknowledged_by")
    tell(Event.OUTAGE_ACKNOWLEDGED, outage)
    return outage


@transaction.atomic
def investigate(reference: str, *, version: int | None = None) -> Outage:
    """Somebody works on it. Raises as `locked_open`, and Conflict where somebody does already."""
    outage = locked_open(reference, version=version)
    if outage.state == Outage.State.INVESTIGATING:
        raise Conflict(f"Outage {reference} is already being investigated.")
    state_fact(outage, Fact.Kind.INVESTIGATING)
    outage.state = Outage.State.INVESTIGATING
    outage.store("state")
    tell(Event.OUTAGE_INVESTIGATED, outage)
    return outage


@transaction.atomic
def assign(reference: str, *, assigned_to: str, version: int | None = None) -> Outage:
    """It is theirs now, also when it is resolved; whose it is already stays as it is."""
    outage = locked(reference, version=version)
    if outage.assigned_to == assigned_to:
        return outage
    state_fact(outage, Fact.Kind.ASSIGNED, detail=assigned_to)
    outage.assigned_to = assigned_to
    outage.store("assigned_to")
    tell(Event.OUTAGE_ASSIGNED, outage, assigned_to=assigned_to)
    return outage


@transaction.atomic
def comment(reference: str, *, text: str, version: int | None = None) -> Outage:
    """A sentence for the timeline, whatever state the outage is in."""
    outage = locked(reference, version=version)
    outage.store()
    tell(Event.OUTAGE_COMMENTED, outage, text=text)
    return outage


@transaction.atomic
def delete(reference: str, *, version: int | None = None) -> None:
    """An outage that should not have been; its facts go with it, its events stay.

    Raises Conflict for one that others build on: a result, an analysis, outages merged into it.
    """
    outage = locked(reference, version=version)
    snapshot = whole(outage)
    try:
        outage.delete()
    except ProtectedError as error:
        held_by = sorted({str(kept._meta.verbose_name) for kept in error.protected_objects})
        raise Conflict(
            f"Outage {reference} cannot be deleted, because other records name it: {', '.join(held_by)}."
        ) from error
    tell(Event.OUTAGE_DELETED, outage, snapshot=snapshot)


def whole(outage: Outage) -> dict[str, Any]:
    """Every column, as text where it is not empty."""
    values = {field.name: field.value_from_object(outage) for field in outage._meta.concrete_fields}
    return {name: str(value) for name, value in values.items() if value not in (None, "", [])}
