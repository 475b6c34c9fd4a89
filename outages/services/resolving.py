"""The end of an outage, and the evidence that its minutes are read from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from outages.models.evidence import places_of
from outages.services.recurrence import mark_recurrence
from outages.services.reporting import told


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the clock of one outage is read from."""

    facts: tuple[clock.Fact, ...]
    windows: tuple[clock.Window, ...]


def evidence_of(outage: Outage) -> Evidence:
    return evidence_of_all([outage])[0]


def evidence_of_all(outages: Sequence[Outage]) -> list[Evidence]:
    """One for each outage, in two statements however many there are."""
    facts = defaultdict[int, list[clock.Fact]](list)
    columns = ("outage_id", "kind", "occurred_at", "recorded_at", "detail")
    for outage_id, *stated in Fact.objects.filter(outage__in=outages).values_list(*columns):
        facts[outage_id].append(clock.Fact(*stated))
    windows = defaultdict[tuple[str, str], list[clock.Window]](list)
    for window in MaintenanceWindow.objects.excluding_any(outages):
        windows[window.place].append(window.plain)
    return [
        Evidence(tuple(facts[outage.pk]), tuple(windows_at(outage, facts[outage.pk], windows)))
        for outage in outages
    ]


def windows_at(
    outage: Outage,
    facts: Iterable[clock.Fact],
    windows: Mapping[tuple[str, str], Iterable[clock.Window]],
) -> Iterator[clock.Window]:
    """The windows at the outage's places, known at the earliest since it is said to be there."""
    moved = max((fact.recorded_at for fact in facts if fact.kind == Fact.Kind.PLACED), default=None)
    for place in places_of(outage):
        for window in windows.get(place, ()):
            yield replace(window, recorded_at=max(window.recorded_at, moved)) if moved else window


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
    outage.resolution_notes = notes or outage.resolution_notes
    outage.root_cause = root_cause or outage.root_cause
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
    if outage.root_cause:
        mark_recurrence(outage)
    return Evidence((*evidence.facts, fact.plain), evidence.windows)
