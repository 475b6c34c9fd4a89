"""How long an outage counts: from its detection to its resolution, without what is excluded. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
# A calendar that has not opened for so long is taken to be closed for good.
LONGEST_CLOSURE = timedelta(days=800)

# Severities, the gravest last.
RANK = ("low", "medium", "high", "critical")

PAUSED = "paused"
MAINTENANCE = "maintenance"
CLOSED = "outside the calendar"


class ClockError(ValueError):
    """The times contradict each other; the message says how."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What somebody stated: `occurred_at` is the time it is about, `recorded_at` when it was stated.

    `kind` is detected, severity, paused, resumed or resolved, and others that the clock does not read;
    `detail` is the severity, or the reason for a pause.
    """

    kind: str
    occurred_at: datetime
    recorded_at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """Maintenance that does not count, known since `recorded_at`."""

    starts_at: datetime
    ends_at: datetime
    recorded_at: datetime
    name: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """A weekday (1 is Monday) from `opens` to `closes`, in minutes after local midnight; 1440 is its end."""

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the clock runs, in local time. Days in `holidays` are closed."""

    timezone: str
    openings: tuple[Opening, ...]
    holidays: frozenset[date] = field(default_factory=frozenset)

    def open_spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """In UTC and in order: whatever of `start`..`end` lies on open days, cut to neither."""
        zone = ZoneInfo(self.timezone)
        day, last = (start - DAY).astimezone(zone).date(), (end + DAY).astimezone(zone).date()
        while day <= last:
            if day not in self.holidays:
                for opening in sorted(self.openings, key=lambda one: one.opens):
                    if opening.weekday == day.isoweekday():
                        yield moment(day, opening.opens, zone), moment(day, opening.closes, zone)
            day += DAY

    def closed_spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What of `start`..`end` is not open."""
        at = start
        for opens, closes in self.open_spans(start, end):
            if opens > at:
                yield at, min(opens, end)
            at = max(at, closes)
            if at >= end:
                return
        yield at, end


@dataclass(frozen=True, slots=True)
class Rule:
    """What a severity promises: minutes that may count, and when they count."""

    threshold_minutes: int
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the wall time; `reason` says why it does not count, and is empty where it does."""

    start: datetime
    end: datetime
    reason: str = ""

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall time from detection to the end, cut into what counts and what does not, without gaps."""

    counted: tuple[Segment, ...]
    excluded: tuple[Segment, ...]

    @property
    def counted_time(self) -> timedelta:
        return sum((segment.length for segment in self.counted), timedelta())

    @property
    def mttr_minutes(self) -> int:
        """Whole minutes, cut and never rounded up."""
        return self.counted_time // MINUTE


@dataclass(frozen=True, slots=True)
class Resolution:
    """When an outage ended and the whole minutes that count."""

    at: datetime
    minutes: int


@dataclass(frozen=True, slots=True)
class Witness:
    """What the times of recording alone lead to."""

    severity: str
    minutes: int


def moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """In UTC: wall clock minutes after the day's midnight, whatever daylight saving does in between."""
    local = datetime.combine(day + DAY * (minutes // 1440), time(minutes % 1440 // 60, minutes % 60), zone)
    return local.astimezone(UTC)


def by_recording(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.recorded_at, fact.occurred_at, fact.kind, fact.detail))


def detected_at(facts: Iterable[Fact]) -> datetime:
    """As last stated: a detection is corrected by a later fact. Raises ClockError where there is none."""
    stated = [fact.occurred_at for fact in by_recording(facts) if fact.kind == "detected"]
    if not stated:
        raise ClockError("The outage has no detection.")
    return stated[-1]


def resolved_at(facts: Iterable[Fact]) -> datetime | None:
    return next((fact.occurred_at for fact in facts if fact.kind == "resolved"), None)


def measure(
    facts: Sequence[Fact],
    *,
    until: datetime | None = None,
    calendar: Calendar | None = None,
    windows: Iterable[Window] = (),
) -> Clock:
    """What counts from detection to resolution, or to `until` where there is none yet.

    Wall time minus pauses, maintenance windows and the time outside the calendar; overlaps count once, and
    the order of the facts says nothing. An end before the detection measures nothing.
    """
    start, end = detected_at(facts), resolved_at(facts) or until
    if end is None:
        raise ClockError("The outage is not resolved.")
    return split(start, end, exclusions(facts, start, end, calendar, windows))


def exclusions(
    facts: Iterable[Fact],
    start: datetime,
    end: datetime,
    calendar: Calendar | None,
    windows: Iterable[Window],
) -> list[Segment]:
    """What does not count, in any order and possibly overlapping."""
    maintenance = (
        Segment(window.starts_at, window.ends_at, reasoned(MAINTENANCE, window.name)) for window in windows
    )
    closed = calendar.closed_spans(start, end) if calendar and start < end else ()
    return [*pauses(facts, end), *maintenance, *(Segment(*span, CLOSED) for span in closed)]


def reasoned(kind: str, detail: str) -> str:
    return f"{kind}: {detail}" if detail else kind


def pauses(facts: Iterable[Fact], end: datetime) -> Iterator[Segment]:
    """From each pause until as many have been resumed as were begun; one that was not lasts to the end."""
    steps = [fact for fact in facts if fact.kind in {"paused", "resumed"}]
    depth, since = 0, Fact("", end, end)
    for fact in sorted(steps, key=lambda one: (one.occurred_at, one.kind, one.detail)):
        if fact.kind == "paused":
            depth, since = depth + 1, since if depth else fact
        elif depth:
            depth -= 1
            if not depth:
                yield Segment(since.occurred_at, fact.occurred_at, reasoned(PAUSED, since.detail))
    if depth:
        yield Segment(since.occurred_at, max(end, since.occurred_at), reasoned(PAUSED, since.detail))


def split(start: datetime, end: datetime, excluded: Iterable[Segment]) -> Clock:
    """`start`..`end` without gaps or overlaps; where exclusions overlap, the one that began first has it."""
    at, counted, left_out = start, [], []
    for segment in sorted(excluded, key=lambda one: (one.start, one.end, one.reason)):
        begins, ends = max(segment.start, at), min(segment.end, end)
        if begins >= ends:
            continue
        if begins > at:
            counted.append(Segment(at, begins))
        left_out.append(Segment(begins, ends, segment.reason))
        at = ends
    if at < end:
        counted.append(Segment(at, end))
    return Clock(tuple(counted), tuple(left_out))


def is_paused(facts: Iterable[Fact]) -> bool:
    return sum({"paused": 1, "resumed": -1}.get(fact.kind, 0) for fact in facts) > 0


def reach(
    facts: Sequence[Fact],
    minutes: int,
    *,
    calendar: Calendar | None = None,
    windows: Sequence[Window] = (),
) -> datetime | None:
    """When so many minutes have been counted, as far as is known; None where the clock never gets there.

    It does not while it is paused, and in a calendar that does not open again.
    """
    start, wanted = detected_at(facts), minutes * MINUTE
    known = [start, *(fact.occurred_at for fact in facts), *(window.ends_at for window in windows)]
    horizon, step = max(known) + wanted, max(wanted, 7 * DAY)
    while True:
        clock = split(start, horizon, exclusions(facts, start, horizon, calendar, windows))
        found = within(clock, wanted)
        if found is not None:
            return found
        if calendar is None or is_paused(facts) or is_closed_for_good(clock):
            return None
        horizon, step = horizon + step, 2 * step


def within(clock: Clock, wanted: timedelta) -> datetime | None:
    """The moment inside the counted segments at which `wanted` has been counted."""
    for segment in clock.counted:
        if segment.length >= wanted:
            return segment.start + wanted
        wanted -= segment.length
    return None


def is_closed_for_good(clock: Clock) -> bool:
    closures = [segment.length for segment in clock.excluded if segment.reason == CLOSED]
    return max(closures, default=timedelta()) >= LONGEST_CLOSURE


def breach_at(facts: Sequence[Fact], rule: Rule, windows: Sequence[Window] = ()) -> datetime | None:
    """The first moment of the first whole minute over the threshold; None while the clock is paused."""
    return reach(facts, rule.threshold_minutes + 1, calendar=rule.calendar, windows=windows)


def resolution(
    facts: Sequence[Fact],
    *,
    now: datetime,
    at: datetime | None,
    minutes: int | None,
    tolerance: int,
    calendar: Calendar | None = None,
    windows: Sequence[Window] = (),
) -> Resolution:
    """The resolution that the caller states, completed and checked.

    Without `at` it is now, or when `minutes` have been counted; with both, the minutes may differ from what
    the clock measures by `tolerance`. Raises ClockError for a resolution before detection, in the future, or
    at odds with the declared minutes.
    """
    end = at or now
    if at is None and minutes is not None:
        end = reached(facts, minutes, calendar=calendar, windows=windows)
    if end < detected_at(facts):
        raise ClockError("The outage cannot end before it was detected.")
    if end > now:
        raise ClockError("The outage cannot end in the future.")
    measured = measure(facts, until=end, calendar=calendar, windows=windows).mttr_minutes
    if minutes is not None and abs(measured - minutes) > tolerance:
        raise ClockError(f"The declared MTTR is {minutes} minutes, but the clock measures {measured}.")
    return Resolution(end, measured)


def reached(
    facts: Sequence[Fact], minutes: int, *, calendar: Calendar | None, windows: Sequence[Window]
) -> datetime:
    try:
        end = reach(facts, minutes, calendar=calendar, windows=windows)
    except OverflowError:
        end = None
    if end is None:
        raise ClockError("The outage cannot end in the future.")
    return end


def witness(facts: Sequence[Fact], *, rules: Mapping[str, Rule], windows: Iterable[Window] = ()) -> Witness:
    """Severity and minutes by the times of recording alone, so that nothing back-dated helps anybody.

    Every fact is moved to its recording time, and so is the start of every window; the detection is the first
    one that was recorded. A severity that was lowered and a window that was added after the breach are left
    out. `rules` holds a rule for each severity that the facts name.
    """
    story = as_recorded(facts)
    severity, known = "", list[Window]()
    steps: list[Fact | Window] = [*severities(facts), *windows]
    for step in sorted(steps, key=lambda one: one.recorded_at):
        breach = breach_at(story, rules[severity], known) if severity else None
        is_late = breach is not None and step.recorded_at >= breach
        if isinstance(step, Window):
            known += [] if is_late else [replace(step, starts_at=max(step.starts_at, step.recorded_at))]
        elif not is_late or RANK.index(step.detail) > RANK.index(severity):
            severity = step.detail
    clock = measure(story, calendar=rules[severity].calendar, windows=known)
    return Witness(severity, clock.mttr_minutes)


def as_recorded(facts: Iterable[Fact]) -> list[Fact]:
    """Each fact at the time of its recording, with the first detection only."""
    moved = [replace(fact, occurred_at=fact.recorded_at) for fact in by_recording(facts)]
    detection = next(fact for fact in moved if fact.kind == "detected")
    return [detection, *(fact for fact in moved if fact.kind != "detected")]


def severities(facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in by_recording(facts) if fact.kind == "severity"]
