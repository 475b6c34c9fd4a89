"""The wall time of an outage, cut into what counts and what does not."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge

from outages.clock.calendar import Calendar
from outages.clock.facts import FOREVER, MINUTE, ClockError, Fact, Window, detected_at, resolved_at

PAUSED = "paused"
MAINTENANCE = "maintenance"
CLOSED = "outside the calendar"


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


def measure(
    facts: Sequence[Fact],
    *,
    until: datetime | None = None,
    calendar: Calendar | None = None,
    windows: Iterable[Window] = (),
) -> Clock:
    """What counts from detection to resolution, or to `until` where there is none yet.

    Wall time minus pauses, maintenance windows and the time outside the calendar; overlaps count once, and
    the order of the facts says nothing. An end before the detection measures nothing. Raises ClockError
    where there is no detection or no end.
    """
    start, end = detected_at(facts), resolved_at(facts) or until
    if end is None:
        raise ClockError("The outage is not resolved.")
    pieces = list(tiles(start, end, exclusions(facts, start, end, calendar, windows)))
    return Clock(
        tuple(piece for piece in pieces if not piece.reason), tuple(piece for piece in pieces if piece.reason)
    )


def reach(
    facts: Sequence[Fact],
    minutes: int,
    *,
    calendar: Calendar | None = None,
    windows: Iterable[Window] = (),
    until: datetime = FOREVER,
) -> datetime | None:
    """The first moment at which so many minutes have been counted, as far as is known.

    None where the clock does not get there before `until`, and never while it is paused or its calendar is
    closed for good.
    """
    start, missing = detected_at(facts), minutes * MINUTE
    if not missing:
        return start
    for piece in tiles(start, until, exclusions(facts, start, until, calendar, windows)):
        if piece.reason:
            continue
        if piece.length >= missing:
            return piece.start + missing
        missing -= piece.length
    return None


def breach_at(facts: Sequence[Fact], rule: Rule, windows: Iterable[Window] = ()) -> datetime | None:
    """The first moment of the first whole minute over the threshold; None where a pause comes before it."""
    return reach(facts, rule.threshold_minutes + 1, calendar=rule.calendar, windows=windows)


def tiles(start: datetime, end: datetime, excluded: Iterable[Segment]) -> Iterator[Segment]:
    """`start`..`end` in order, without gaps or overlaps; `excluded` comes in the order of `placed`.

    Where exclusions overlap, the one that began first has it. No more of them are asked for than are needed.
    """
    at = start
    for segment in excluded:
        if at >= end or segment.start >= end:
            break
        begins, ends = max(segment.start, at), min(segment.end, end)
        if begins >= ends:
            continue
        if begins > at:
            yield Segment(at, begins)
        yield Segment(begins, ends, segment.reason)
        at = ends
    if at < end:
        yield Segment(at, end)


def exclusions(
    facts: Iterable[Fact],
    start: datetime,
    end: datetime,
    calendar: Calendar | None,
    windows: Iterable[Window],
) -> Iterable[Segment]:
    """What does not count, in the order of `placed` and possibly overlapping."""
    maintenance = (
        Segment(window.starts_at, window.ends_at, reasoned(MAINTENANCE, window.name)) for window in windows
    )
    known = sorted((*pauses(facts), *maintenance), key=placed)
    if calendar is None:
        return known
    closed = (Segment(*span, CLOSED) for span in calendar.closed_spans(start, end))
    return merge(known, closed, key=placed)


def placed(segment: Segment) -> tuple[datetime, datetime, str]:
    return segment.start, segment.end, segment.reason


def pauses(facts: Iterable[Fact]) -> Iterator[Segment]:
    """Each resumption ends the oldest pause that is open; one that nothing ended lasts for ever."""
    steps = [fact for fact in facts if fact.kind in {"paused", "resumed"}]
    begun = deque[Fact]()
    for fact in sorted(steps, key=lambda one: (one.occurred_at, one.kind, one.detail)):
        if fact.kind == "paused":
            begun.append(fact)
        elif begun:
            pause = begun.popleft()
            yield Segment(pause.occurred_at, fact.occurred_at, reasoned(PAUSED, pause.detail))
    for pause in begun:
        yield Segment(pause.occurred_at, FOREVER, reasoned(PAUSED, pause.detail))


def reasoned(kind: str, detail: str) -> str:
    return f"{kind}: {detail}" if detail else kind
