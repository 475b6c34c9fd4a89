"""When the clock of a policy runs, in the local time of a zone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from outages.clock.facts import MINUTE

DAY = timedelta(days=1)
MINUTES_OF_DAY = 1440


@dataclass(frozen=True, slots=True)
class Opening:
    """A weekday (1 is Monday) from `opens` to `closes`, in minutes after local midnight; 1440 is its end."""

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the clock runs, in local time. Days in `holidays` are closed; without openings all are."""

    timezone: str
    openings: tuple[Opening, ...]
    holidays: frozenset[date] = field(default_factory=frozenset)

    def closed_spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What of `start`..`end` is not open, in UTC and in order."""
        at = start
        for opens, closes in self.open_spans(start, end):
            if opens >= end:
                break
            if opens > at:
                yield at, opens
            at = max(at, closes)
        if at < end:
            yield at, end

    def open_spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """In UTC and in order, those of the days from `start` to `end`; cut to neither."""
        hours: dict[int, list[Opening]] = {}
        for opening in sorted(self.openings, key=lambda one: (one.opens, one.closes)):
            hours.setdefault(opening.weekday, []).append(opening)
        if not hours:
            return
        zone = ZoneInfo(self.timezone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        while day <= last:
            if day not in self.holidays:
                for opening in hours.get(day.isoweekday(), ()):
                    yield moment(day, opening.opens, zone), moment(day, opening.closes, zone)
            day += DAY


def moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """When the clocks of the zone first show so many minutes after the day's midnight, in UTC.

    A wall time that daylight saving skips is the moment of the change; one that comes twice is the first.
    """
    days, rest = divmod(minutes, MINUTES_OF_DAY)
    local = datetime.combine(day + DAY * days, time(rest // 60, rest % 60), zone)
    found = local.astimezone(UTC)
    if local.utcoffset() == local.replace(fold=1).utcoffset() or is_shown(local, found):
        return found
    after = local.replace(fold=1).utcoffset()
    while (found - MINUTE).astimezone(zone).utcoffset() == after:
        found -= MINUTE
    return found


def is_shown(local: datetime, found: datetime) -> bool:
    return found.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)
