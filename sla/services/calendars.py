"""Calendars: when the clock of a policy runs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction

from apexchainx import context
from apexchainx.errors import Conflict, Invalid, NotFound
from audit.events import Event
from audit.log import record
from sla.models import Calendar, minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Wall time of a weekday (1 is Monday), "08:00" to "18:00"; 24:00 is the end of the day."""

    weekday: int
    opens: str
    closes: str

    @property
    def span(self) -> tuple[int, int, int]:
        return self.weekday, minutes(self.opens), minutes(self.closes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What a calendar says: weekly hours in a zone of the IANA database, without holidays."""

    name: str
    timezone: str
    weekly: tuple[Hours, ...]
    holidays: tuple[date, ...] = ()


@transaction.atomic
def create_calendar(stated: Schedule) -> Calendar:
    """Raises Invalid for a zone or hours that cannot be, and Conflict for a name that is taken."""
    refuse_bad(stated)
    calendar = Calendar(**stored(stated), created_by=context.current().actor)
    save(calendar)
    record(Event.CALENDAR_CREATED, calendar.subject, stream=calendar.subject, **told(calendar))
    return calendar


@transaction.atomic
def change_calendar(reference: str, changes: Mapping[str, Any]) -> Calendar:
    """The calendar with other values for some fields of its schedule.

    Raises as `create_calendar`, NotFound, and Conflict where a policy names it.
    """
    calendar = locked(reference)
    refuse_named(calendar)
    before = schedule_of(calendar)
    after = replace(before, **changes)
    refuse_bad(after)
    if stored(after) == stored(before):
        return calendar
    for name, value in stored(after).items():
        setattr(calendar, name, value)
    save(calendar)
    record(Event.CALENDAR_CHANGED, calendar.subject, stream=calendar.subject, **told(calendar))
    return calendar


@transaction.atomic
def delete_calendar(reference: str) -> None:
    """Raises NotFound, and Conflict where a policy names it."""
    calendar = locked(reference)
    refuse_named(calendar)
    said = told(calendar)
    calendar.delete()
    record(Event.CALENDAR_DELETED, f"calendar:{reference}", stream=f"calendar:{reference}", **said)


def found(reference: str) -> Calendar:
    """Raises NotFound."""
    calendar = Calendar.objects.referenced(reference).first()
    if calendar is None:
        raise NotFound("There is no such calendar.")
    return calendar


def locked(reference: str) -> Calendar:
    calendar = Calendar.objects.select_for_update().referenced(reference).first()
    if calendar is None:
        raise NotFound("There is no such calendar.")
    return calendar


def save(calendar: Calendar) -> None:
    try:
        with transaction.atomic():
            calendar.save()
    except IntegrityError as error:
        raise Conflict(
            f"There is a calendar {calendar.name} already.", code="CALENDAR_EXISTS", details={"field": "name"}
        ) from error


def refuse_named(calendar: Calendar) -> None:
    """Results are explained by their policy's calendar, so what a policy names stays as it is."""
    policy = calendar.policies.first()
    if policy is not None:
        raise Conflict(
            f"Policy {policy.label} names {calendar.reference}: it stays as it is; create another calendar."
        )


def refuse_bad(stated: Schedule) -> None:
    if stated.timezone not in zones():
        raise Invalid("timezone", "Give a name of the IANA database, such as Africa/Lagos.")
    if not stated.weekly:
        raise Invalid("weekly", "Give at least one opening: a clock that never runs measures nothing.")
    for weekday, opens, closes in sorted(hours.span for hours in stated.weekly):
        if opens >= closes:
            raise Invalid("weekly", f"An opening closes after it opens; see weekday {weekday}.")
    for one, next_one in pairwise(sorted(hours.span for hours in stated.weekly)):
        if one[0] == next_one[0] and next_one[1] < one[2]:
            raise Invalid("weekly", f"The openings of weekday {one[0]} overlap.")


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())


def stored(stated: Schedule) -> dict[str, Any]:
    """As the row holds it: in order, and each holiday once."""
    weekly = sorted(stated.weekly, key=lambda hours: hours.span)
    return {
        "name": stated.name,
        "timezone": stated.timezone,
        "weekly": [asdict(hours) for hours in weekly],
        "holidays": unique(stated.holidays),
    }


def unique(days: Iterable[date]) -> list[date]:
    return sorted(set(days))


def schedule_of(calendar: Calendar) -> Schedule:
    return Schedule(
        name=calendar.name,
        timezone=calendar.timezone,
        weekly=tuple(Hours(**day) for day in calendar.weekly),
        holidays=tuple(calendar.holidays),
    )


def told(calendar: Calendar) -> dict[str, Any]:
    """What every event about a calendar says."""
    return {
        "calendar_id": calendar.reference,
        "name": calendar.name,
        "timezone": calendar.timezone,
        "weekly": calendar.weekly,
        "holidays": [day.isoformat() for day in calendar.holidays],
    }
