"""What services state about an outage: facts of its clock, and events."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from apexchainx import context
from audit.events import Event
from audit.log import record
from outages.models import Fact, Outage
from outages.services.reporting import told


def state_fact(
    outage: Outage, kind: Fact.Kind, *, detail: str = "", occurred_at: datetime | None = None
) -> Fact:
    """A new fact of the caller's, recorded now; it is about now unless `occurred_at` says otherwise."""
    now = timezone.now()
    fact = Fact(
        outage=outage,
        kind=kind,
        detail=detail,
        occurred_at=occurred_at or now,
        recorded_at=now,
        actor=context.current().actor,
    )
    fact.save(force_insert=True)
    return fact


def tell(event: Event, outage: Outage, **data: Any) -> None:
    """Record it in the outage's stream, with what every event about an outage says."""
    record(event, outage.stream, stream=outage.stream, **told(outage), **data)
