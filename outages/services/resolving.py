"""The end of an outage, and the evidence that its minutes are read from."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apexchainx import context
from apexchainx.errors import NotReady
from audit.events import Event
from audit.log import record
from outages import clock
from outages.models import Fact, MaintenanceWindow, Outage
from outages.services.reporting import told


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the clock of one outage is read from."""

    facts: tuple[clock.Fact, ...]
    windows: tuple[clock.Window, ...]


def evidence_of(outage: Outage) -> Evidence:
    facts = outage.facts.all()
    windows = MaintenanceWindow.objects.excluding(outage)
    return Evidence(tuple(fact.plain for fact in facts), tuple(window.plain for window in windows))


@transaction.atomic(savepoint=False)
def resolve(
    outage: Outage,
    evidence: Evidence,
    *,
    calendar: clock.Calendar | None,
    at: datetime | None = None,
    minutes: int | None = None,
    notes: str = "",
    root_cause: str = "",
) -> Evidence:
    """The outage, which the caller has locked, is over: at `at`, or when `minutes` have been counted, or now.

    The evidence comes back with the resolution. Raises NotReady when the times contradict each other.
    """
    now = timezone.now()
    try:
        end = clock.resolution(
            evidence.facts,
            now=now,
            at=at,
            minutes=minutes,
            tolerance=settings.SLA_MTTR_TOLERANCE_MINUTES,
            calendar=calendar,
            windows=evidence.windows,
        )
    except clock.ClockError as error:
        raise NotReady(str(error)) from error
    fact = Fact(
        outage=outage,
        kind=Fact.Kind.RESOLVED,
        occurred_at=end.at,
        recorded_at=now,
        actor=context.current().actor,
    )
    fact.save(force_insert=True)
    outage.state, outage.resolved_at, outage.mttr_minutes = Outage.State.RESOLVED, end.at, end.minutes
    outage.resolved_by, outage.paused_at = fact.actor, None
    outage.resolution_notes, outage.root_cause = notes, root_cause or outage.root_cause
    outage.store(
        "state", "resolved_at", "mttr_minutes", "resolved_by", "paused_at", "resolution_notes", "root_cause"
    )
    record(
        Event.OUTAGE_RESOLVED,
        outage.stream,
        stream=outage.stream,
        **told(outage),
        resolved_at=end.at,
        mttr_minutes=end.minutes,
    )
    return Evidence((*evidence.facts, fact.plain), evidence.windows)
