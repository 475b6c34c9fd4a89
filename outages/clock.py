"""Minutes between detection and resolution. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta


class ClockError(ValueError):
    """The times contradict each other; the message says how."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """When an outage ended and the whole minutes that count, cut and never rounded up."""

    at: datetime
    minutes: int


def whole_minutes(start: datetime, end: datetime) -> int:
    return max(int((end - start) // timedelta(minutes=1)), 0)


def resolution(
    detected_at: datetime, *, now: datetime, at: datetime | None, minutes: int | None, tolerance: int
) -> Resolution:
    """The resolution that the caller states, completed and checked.

    Without `at` it is now, or `minutes` after detection; with both, they may differ by `tolerance` minutes.
    Raises ClockError for a resolution before detection, in the future, or at odds with the declared minutes.
    """
    end = at or (now if minutes is None else after(detected_at, minutes))
    if end < detected_at:
        raise ClockError("The outage cannot end before it was detected.")
    if end > now:
        raise ClockError("The outage cannot end in the future.")
    measured = whole_minutes(detected_at, end)
    if minutes is not None and abs(measured - minutes) > tolerance:
        raise ClockError(f"The declared MTTR is {minutes} minutes, but the clock measures {measured}.")
    return Resolution(end, measured)


def after(start: datetime, minutes: int) -> datetime:
    try:
        return start + timedelta(minutes=minutes)
    except OverflowError:
        raise ClockError("The outage cannot end in the future.") from None
