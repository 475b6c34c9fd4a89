"""When an outage's clock stands still: each time with a reason, and one time after the other."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apexchainx.errors import Conflict, Invalid, NotReady
from audit.events import Event
from audit.log import plain
from outages.models import Fact, Outage
from outages.services.locking import locked_open
from outages.services.stating import state_fact, tell

STEPS = (Fact.Kind.PAUSED, Fact.Kind.RESUMED)


@transaction.atomic
def pause(
    reference: str, *, reason: str, occurred_at: datetime | None = None, version: int | None = None
) -> Outage:
    """The clock stands still from `occurred_at` on, or from now.

    Raises as `locked_open`, Conflict while it stands still already, and NotReady for a time in the future,
    before the detection, or before the last pause or resumption.
    """
    outage = locked_open(reference, version=version)
    if outage.paused_at is not None:
        raise Conflict(f"Outage {reference} is already paused, since {plain(outage.paused_at)}.")
    if not reason.strip():
        raise Invalid("reason", "Say why the clock stands still.")
    refuse_impossible(outage, occurred_at)
    fact = state_fact(outage, Fact.Kind.PAUSED, detail=reason, occurred_at=occurred_at)
    outage.paused_at = fact.occurred_at
    outage.store("paused_at")
    tell(Event.OUTAGE_PAUSED, outage, reason=reason, occurred_at=fact.occurred_at)
    return outage


@transaction.atomic
def resume(reference: str, *, occurred_at: datetime | None = None, version: int | None = None) -> Outage:
    """The clock runs again from `occurred_at` on, or from now.

    Raises as `locked_open`, Conflict where it does not stand still, and NotReady as `pause` does.
    """
    outage = locked_open(reference, version=version)
    if outage.paused_at is None:
        raise Conflict(f"Outage {reference} is not paused.")
    refuse_impossible(outage, occurred_at)
    fact = state_fact(outage, Fact.Kind.RESUMED, occurred_at=occurred_at)
    outage.paused_at = None
    outage.store("paused_at")
    tell(Event.OUTAGE_RESUMED, outage, occurred_at=fact.occurred_at)
    return outage


def refuse_impossible(outage: Outage, occurred_at: datetime | None) -> None:
    """Steps follow each other: from the detection, over those that are stated, to now."""
    now = timezone.now()
    at = occurred_at or now
    last = outage.facts.filter(kind__in=STEPS).order_by("-occurred_at").first()
    if at > now:
        raise impossible(at, f"in the future; it is {plain(now)}")
    if at < outage.detected_at:
        raise impossible(at, f"before the detection at {plain(outage.detected_at)}")
    if last and at < last.occurred_at:
        raise impossible(at, f"before it was {last.kind} at {plain(last.occurred_at)}")


def impossible(at: datetime, why: str) -> NotReady:
    return NotReady(f"{plain(at)} lies {why}.", details={"field": "occurred_at"})
