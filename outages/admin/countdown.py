"""How long until an outage breaches its SLA, for a page of outages at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from outages import clock
from outages.models import Outage
from outages.services.resolving import Evidence, evidence_of_all
from sla.services import Governing


@dataclass(frozen=True, slots=True)
class Countdown:
    """`minutes` are what the threshold still allows, and less than none after the breach."""

    minutes: int
    threshold: int
    is_paused: bool
    breach_at: datetime | None

    @property
    def mood(self) -> str:
        """breached, at-risk in the last quarter of the threshold, or calm."""
        if self.minutes < 0:
            return "breached"
        return "at-risk" if self.minutes * 4 <= self.threshold else "calm"

    def __str__(self) -> str:
        left = f"{self.minutes} min left" if self.minutes >= 0 else f"breached, {-self.minutes} min over"
        if self.is_paused:
            return f"paused, {left}"
        return f"{left}, until {self.breach_at:%H:%M}" if self.minutes >= 0 and self.breach_at else left


def countdowns(outages: Sequence[Outage]) -> dict[int, Countdown]:
    """By primary key, for those that are open and have a policy; in three statements for any number."""
    running = [outage for outage in outages if not outage.is_resolved]
    if not running:
        return {}
    governing, found = Governing(running), {}
    for outage, evidence in zip(running, evidence_of_all(running), strict=True):
        rule = governing.rules(outage).get(outage.severity)
        if rule is not None:
            found[outage.pk] = countdown(evidence, rule)
    return found


def countdown(evidence: Evidence, rule: clock.Rule) -> Countdown:
    facts, windows = evidence.facts, evidence.windows
    counted = clock.measure(facts, until=timezone.now(), calendar=rule.calendar, windows=windows)
    return Countdown(
        minutes=rule.threshold_minutes - counted.mttr_minutes,
        threshold=rule.threshold_minutes,
        is_paused=clock.is_paused(facts),
        breach_at=clock.breach_at(facts, rule, windows),
    )
