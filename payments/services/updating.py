"""An update that may also end the outage."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from apexchainx.errors import Conflict
from outages.models import Outage
from outages.services.changing import UNCHANGED, Changes, Unchanged, change
from outages.services.locking import locked
from payments.services.settling import Settlement, settle


@dataclass(frozen=True, slots=True)
class End:
    """What an update says of the resolution; without times the outage ends now."""

    at: datetime | None = None
    minutes: int | None = None


@transaction.atomic
def update(
    reference: str,
    changes: Changes,
    *,
    reason: str = "",
    end: End | None = None,
    version: int | None = None,
) -> Settlement | None:
    """Change the outage and, where an `end` is stated, settle it then: what comes of that, if it does.

    Raises as `change` and `settle` do, and Conflict for another end than a resolved outage has.
    """
    outage = locked(reference, version=version)
    if end is None or outage.is_resolved:
        refuse_another(end or End(), outage)
        change(reference, changes, reason=reason)
        return None
    said_at_the_end = replace(changes, root_cause=UNCHANGED, resolution_notes=UNCHANGED)
    change(reference, said_at_the_end, reason=reason)
    return settle(
        reference,
        at=end.at,
        minutes=end.minutes,
        notes=said(changes.resolution_notes, outage.resolution_notes),
        root_cause=said(changes.root_cause, outage.root_cause),
    )


def refuse_another(end: End, outage: Outage) -> None:
    same_time = end.at in {None, outage.resolved_at}
    if not same_time or end.minutes not in {None, outage.mttr_minutes}:
        raise Conflict(f"Outage {outage.reference} is already resolved, and not at that time.")


def said(text: str | Unchanged, before: str) -> str:
    return before if isinstance(text, Unchanged) else text
