"""Alarms of monitoring systems become outages, and their recoveries end them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apexchainx import context
from apexchainx.errors import Conflict
from audit.events import Event
from audit.log import record_all
from outages.clock import RANK
from outages.models import Fact, Outage, Severity, Source
from outages.models.evidence import LONGEST_DETAIL
from outages.services.changing import Changes, change
from outages.services.reporting import Report, create_all, told
from payments.services.settling import settle

# How often a payload is read again because another one was faster with an alarm of its.
TRIES = 5
RECOVERED = "The alarm recovered."


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What a monitoring system says. `severity` is empty where its word is none of ours."""

    fingerprint: str
    is_firing: bool
    site_name: str
    region: str = ""
    service: str = ""
    severity: str = ""
    description: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def report(self) -> Report:
        return Report(
            site_name=self.site_name,
            region=self.region,
            severity=self.severity or Severity.MEDIUM,
            description=self.description,
            affected_services=[self.service] if self.service else [],
            detected_at=self.started_at,
            source=Source.ALARM,
            fingerprint=self.fingerprint,
            alarm_started_at=self.started_at,
        )


@dataclass(frozen=True, slots=True)
class Ignored:
    fingerprint: str
    reason: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What became of the alarms of one payload; outages by reference."""

    created: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)

    def ignore(self, alarm: Alarm, reason: str) -> None:
        self.ignored.append(Ignored(alarm.fingerprint, reason))


def take_in(alarms: Sequence[Alarm]) -> Intake:
    """All alarms of one payload, or none of them; the same payload again makes no second outage."""
    for _ in range(TRIES - 1):
        try:
            return taken_in(alarms)
        except Conflict:
            continue  # Another payload reported the same alarm meanwhile; now its outage is there to be read.
    return taken_in(alarms)


@transaction.atomic
def taken_in(alarms: Sequence[Alarm]) -> Intake:
    """Raises Conflict where an outage for one of these alarms is made at the same time."""
    intake = Intake()
    for turn in turns(alarms):
        take_turn(turn, intake)
    return intake


def turns(alarms: Iterable[Alarm]) -> Iterator[list[Alarm]]:
    """In each turn an alarm occurs once; within it they are sorted, so that nobody waits in a circle."""
    waiting = list(alarms)
    while waiting:
        first: dict[str, Alarm] = {}
        for alarm in waiting:
            first.setdefault(alarm.fingerprint, alarm)
        yield sorted(first.values(), key=lambda alarm: alarm.fingerprint)
        waiting = [alarm for alarm in waiting if first[alarm.fingerprint] is not alarm]


def take_turn(alarms: Sequence[Alarm], intake: Intake) -> None:
    known = Known(alarms)
    new: list[Alarm] = []
    repeats: list[tuple[Outage, Alarm]] = []
    for alarm in alarms:
        concerned = known.concerned(alarm)
        if not alarm.is_firing:
            recover(alarm, known, intake)
        elif concerned is not None:
            repeats.append((concerned, alarm))
        elif over := known.reported(alarm):
            intake.ignore(alarm, f"{over.reference} was made of this alarm, and is over.")
        else:
            new.append(alarm)
    repeat_all(repeats)
    intake.repeated.extend(outage.reference for outage, _ in repeats)
    if new:
        intake.created.extend(outage.reference for outage in create_all([alarm.report for alarm in new]))


class Known:
    """The outages that alarms have made before; those that are open are locked."""

    def __init__(self, alarms: Sequence[Alarm]) -> None:
        stated = {alarm.fingerprint for alarm in alarms}
        starts = {alarm.started_at for alarm in alarms if alarm.started_at}
        found = Outage.objects.filter(fingerprint__in=stated).filter(
            Q(resolved_at__isnull=True)
            | Q(merged_into__resolved_at__isnull=True)
            | Q(alarm_started_at__in=starts)
        )
        self.outages = list(found.order_by("pk"))
        concerned = {outage.merged_into_id or outage.pk for outage in self.outages}
        locked = Outage.objects.select_for_update(of=("self",)).filter(pk__in=concerned)
        self.open = {outage.pk: outage for outage in locked.order_by("pk") if not outage.is_resolved}

    def own(self, alarm: Alarm) -> list[Outage]:
        return [outage for outage in self.outages if outage.fingerprint == alarm.fingerprint]

    def concerned(self, alarm: Alarm) -> Outage | None:
        """The open outage that the alarm has made, or that this one was merged into."""
        found = (self.open.get(outage.merged_into_id or outage.pk) for outage in self.own(alarm))
        return next((outage for outage in found if outage is not None), None)

    def reported(self, alarm: Alarm) -> Outage | None:
        """The outage that is over, of which this is a late report; without a start nobody can tell."""
        if alarm.started_at is None:
            return None
        return next((one for one in self.own(alarm) if one.alarm_started_at == alarm.started_at), None)


def recover(alarm: Alarm, known: Known, intake: Intake) -> None:
    """End the outage that the alarm has made. What it was merged into has its own end."""
    outage = known.concerned(alarm)
    ended_at = min(alarm.ended_at or timezone.now(), timezone.now())
    if outage is None:
        intake.ignore(alarm, "No open outage was made of this alarm.")
    elif outage.fingerprint != alarm.fingerprint:
        intake.ignore(alarm, f"Its outage was merged into {outage.reference}, which ends by itself.")
    elif ended_at < outage.detected_at:
        intake.ignore(alarm, f"It recovered before {outage.reference} was detected.")
    else:
        settle(outage.reference, at=ended_at, notes=RECOVERED)
        intake.resolved.append(outage.reference)


def repeat_all(repeats: Sequence[tuple[Outage, Alarm]]) -> None:
    """The alarms go on: each is a fact, and a graver one raises the severity of its outage."""
    now, actor = timezone.now(), context.current().actor
    Fact.objects.bulk_create(
        Fact(
            outage=outage,
            kind=Fact.Kind.REPEATED,
            detail=alarm.description[:LONGEST_DETAIL],
            occurred_at=now,
            recorded_at=now,
            actor=actor,
        )
        for outage, alarm in repeats
    )
    repeated = {outage.pk for outage, _ in repeats}
    Outage.objects.filter(pk__in=repeated).update(version=F("version") + 1, updated_at=now)
    record_all(
        (
            Event.OUTAGE_REPEATED,
            outage.stream,
            outage.stream,
            {**told(outage), "fingerprint": alarm.fingerprint},
        )
        for outage, alarm in repeats
    )
    for outage, alarm in repeats:
        if is_graver(alarm, outage):
            change(outage.reference, Changes(severity=alarm.severity))


def is_graver(alarm: Alarm, outage: Outage) -> bool:
    return bool(alarm.severity) and RANK.index(alarm.severity) > RANK.index(outage.severity)
