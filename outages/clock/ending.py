"""When an outage ended: what a resolution states, completed and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from outages.clock.calendar import Calendar
from outages.clock.facts import ClockError, Fact, Window, detected_at, is_paused
from outages.clock.measuring import measure, reach


@dataclass(frozen=True, slots=True)
class Resolution:
    """When an outage ended and the whole minutes that count."""

    at: datetime
    minutes: int


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
        end = reached(facts, minutes, now=now, calendar=calendar, windows=windows)
    if end < detected_at(facts):
        raise ClockError("The outage cannot end before it was detected.")
    if end > now:
        raise ClockError("The outage cannot end in the future.")
    measured = measure(facts, until=end, calendar=calendar, windows=windows).mttr_minutes
    if minutes is not None and abs(measured - minutes) > tolerance:
        raise ClockError(f"The declared MTTR is {minutes} minutes, but the clock measures {measured}.")
    return Resolution(end, measured)


def reached(
    facts: Sequence[Fact],
    minutes: int,
    *,
    now: datetime,
    calendar: Calendar | None,
    windows: Sequence[Window],
) -> datetime:
    """When the declared minutes had been counted. Raises ClockError where that has not happened yet."""
    end = reach(facts, minutes, calendar=calendar, windows=windows, until=now)
    if end is None:
        counted = measure(facts, until=now, calendar=calendar, windows=windows).mttr_minutes
        standing = " and is paused" if is_paused(facts) else ""
        raise ClockError(
            f"The outage cannot end in the future: its clock has counted {counted} minutes{standing}, "
            f"not {minutes}."
        )
    return end
