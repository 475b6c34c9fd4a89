"""What is known of an outage's time: the facts, and what they say by themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MINUTE = timedelta(minutes=1)
FOREVER = datetime(9000, 1, 1, tzinfo=UTC)

# Severities, the gravest last.
RANK = ("low", "medium", "high", "critical")


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


def by_recording(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.recorded_at, fact.occurred_at, fact.kind, fact.detail))


def detected_at(facts: Iterable[Fact]) -> datetime:
    """As last stated: a detection is corrected by a later fact. Raises ClockError where there is none."""
    stated = [(fact.recorded_at, fact.occurred_at) for fact in facts if fact.kind == "detected"]
    if not stated:
        raise ClockError("The outage has no detection.")
    return max(stated)[1]


def resolved_at(facts: Iterable[Fact]) -> datetime | None:
    return max((fact.occurred_at for fact in facts if fact.kind == "resolved"), default=None)


def is_paused(facts: Iterable[Fact]) -> bool:
    return sum({"paused": 1, "resumed": -1}.get(fact.kind, 0) for fact in facts) > 0
