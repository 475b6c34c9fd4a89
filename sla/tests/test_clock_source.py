"""A verdict is measured where the times of recording lead to it too; what is declared pays nobody alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from time_machine import Traveller

from apexchainx import context
from conftest import NOW
from outages.models import Outage
from outages.services import changing, maintenance
from outages.services.pausing import pause, resume
from payments.services.settling import Settlement, settle
from sla.models import Calendar, PolicyVersion
from sla.services import Governing, evaluate_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("parties")]

MEASURED_REWARD = ("measured", "ready", "")
MEASURED_PENALTY = ("measured", "awaiting_payer", "payer_has_not_paid")
DECLARED = ("declared", "held", "clock_declared")


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


@dataclass
class Story:
    """An outage told minute by minute; what is done is recorded at the minute it is done."""

    clock: Traveller
    outage: Outage

    def when(self, minute: float) -> "Story":
        self.clock.move_to(at(minute), tick=False)
        return self

    def pause(self, about: float | None = None) -> "Story":
        pause(self.outage.reference, reason="No access.", occurred_at=moment(about))
        return self

    def resume(self, about: float | None = None) -> "Story":
        resume(self.outage.reference, occurred_at=moment(about))
        return self

    def change(self, *, reason: str = "", **fields: Any) -> "Story":
        changing.change(self.outage.reference, changing.Changes(**fields), reason=reason)
        return self

    def plan(self, starts: float, ends: float) -> "Story":
        planned = maintenance.Plan(
            name="upgrade",
            reason="planned",
            site_name=self.outage.site_name,
            starts_at=at(starts),
            ends_at=at(ends),
        )
        with context.acting_as("5", source="api"):
            self.window = maintenance.plan(planned).reference
        return self

    def approve(self) -> "Story":
        with context.acting_as("6", source="api"):
            maintenance.approve(self.window)
        return self

    def settle(self, about: float | None = None) -> Settlement:
        return settle(self.outage.reference, at=moment(about))


def moment(minute: float | None) -> datetime | None:
    return None if minute is None else at(minute)


@pytest.fixture
def told(clock: Traveller, make_outage: Callable[..., Outage]) -> Callable[..., Story]:
    """An outage reported at NOW; a medium one may last an hour."""

    def make(*, detected: float = 0, severity: str = "medium") -> Story:
        clock.move_to(NOW, tick=False)
        return Story(clock, make_outage(severity=severity, detected_at=at(detected)))

    return make


def evidence(settlement: Settlement) -> tuple[str, str, str]:
    assert settlement.payment is not None
    return settlement.result.clock_source, settlement.payment.state, settlement.payment.reason


def verdict(settlement: Settlement) -> tuple[str, int, Decimal]:
    result = settlement.result
    return result.status, result.mttr_minutes, result.amount


def test_facts_stated_when_they_happened_are_measured(told: Callable[..., Story]) -> None:
    met = told().when(10).pause().when(40).resume().when(80).settle()
    violated = told().when(90).pause().when(100).resume().when(110).settle()

    assert (verdict(met), evidence(met)) == (("met", 50, Decimal(750)), MEASURED_REWARD)
    assert (verdict(violated), evidence(violated)) == (("violated", 100, Decimal(-1000)), MEASURED_PENALTY)


def test_a_back_dated_detection(told: Callable[..., Story]) -> None:
    late = told(detected=-10).when(25).settle()
    harmless = told(detected=-2).when(20).settle()

    assert (verdict(late), evidence(late)) == (("met", 35, Decimal(1125)), DECLARED)
    assert (verdict(harmless), evidence(harmless)) == (("met", 22, Decimal(1500)), MEASURED_REWARD)


def test_a_back_dated_pause(told: Callable[..., Story]) -> None:
    settlement = told().when(30).pause(5).when(35).resume().when(70).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 40, Decimal(1125)), DECLARED)


def test_a_pause_told_of_afterwards(told: Callable[..., Story]) -> None:
    settlement = told().when(61).pause(5).resume(55).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 11, Decimal(1500)), DECLARED)


def test_a_back_dated_resumption(told: Callable[..., Story]) -> None:
    settlement = told().when(10).pause().when(50).resume(20).when(70).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 60, Decimal(750)), DECLARED)


def test_a_back_dated_resolution(told: Callable[..., Story]) -> None:
    settlement = told().when(75).settle(20)

    assert (verdict(settlement), evidence(settlement)) == (("met", 20, Decimal(1500)), DECLARED)


def test_typed_in_minutes(told: Callable[..., Story]) -> None:
    story = told().when(75)

    settlement = settle(story.outage.reference, minutes=1)

    assert (verdict(settlement), evidence(settlement)) == (("met", 1, Decimal(1500)), DECLARED)


def test_a_window_in_effect_before_it_begins_is_measured(told: Callable[..., Story]) -> None:
    settlement = told().plan(10, 50).approve().when(80).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 40, Decimal(1125)), MEASURED_REWARD)


def test_a_window_added_after_the_breach(told: Callable[..., Story]) -> None:
    settlement = told().when(65).plan(0, 60).approve().when(80).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 20, Decimal(1500)), DECLARED)


def test_a_window_added_after_the_breach_for_the_time_to_come(told: Callable[..., Story]) -> None:
    settlement = told().when(61).plan(62, 100).approve().when(101).settle()

    assert (verdict(settlement), evidence(settlement)) == (("violated", 63, Decimal(-75)), DECLARED)


def test_a_window_approved_late(told: Callable[..., Story]) -> None:
    settlement = told().plan(0, 50).when(40).approve().when(80).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 30, Decimal(1125)), DECLARED)


def test_a_window_approved_late_that_changes_nothing(told: Callable[..., Story]) -> None:
    settlement = told().plan(0, 10).when(5).approve().when(20).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 10, Decimal(1500)), MEASURED_REWARD)


def test_a_severity_lowered_after_the_breach(told: Callable[..., Story]) -> None:
    settlement = told(severity="high").when(31).change(severity="low").when(50).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 50, Decimal(1200)), DECLARED)


def test_a_severity_lowered_before_the_breach_is_measured(told: Callable[..., Story]) -> None:
    settlement = told(severity="high").when(30).change(severity="low").when(50).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 50, Decimal(1200)), MEASURED_REWARD)


def test_a_severity_raised_is_measured(told: Callable[..., Story]) -> None:
    settlement = told(severity="low").when(40).change(severity="high").when(50).settle()

    assert (verdict(settlement), evidence(settlement)) == (("violated", 50, Decimal(-1000)), MEASURED_PENALTY)


def test_a_corrected_detection(told: Callable[..., Story]) -> None:
    later = told().when(55).change(detected_at=at(50), reason="Wrong site.").when(65).settle()
    earlier = told().when(5).change(detected_at=at(-60), reason="Seen late.").when(10).settle()

    assert (verdict(later), evidence(later)) == (("met", 15, Decimal(1500)), DECLARED)
    assert (verdict(earlier), evidence(earlier)) == (("violated", 70, Decimal(-250)), DECLARED)


def test_a_severity_that_had_no_policy_breached_nothing(told: Callable[..., Story]) -> None:
    PolicyVersion.objects.filter(severity="high").update(effective_to=NOW)

    settlement = told(severity="high").when(31).change(severity="low").when(50).settle()

    assert (verdict(settlement), evidence(settlement)) == (("met", 50, Decimal(1200)), MEASURED_REWARD)


def test_both_readings_follow_the_calendar(told: Callable[..., Story]) -> None:
    """It is eleven in Lagos, and the lunch hour from twelve does not count."""
    weekly = [
        {"weekday": 5, "opens": "08:00", "closes": "12:00"},
        {"weekday": 5, "opens": "13:00", "closes": "24:00"},
    ]
    calendar = Calendar.objects.create(
        name="Lunch", timezone="Africa/Lagos", weekly=weekly, holidays=[date(2026, 1, 15)], created_by="5"
    )
    PolicyVersion.objects.filter(severity="medium").update(calendar=calendar)

    prompt = told().when(120).settle()
    late = told().when(140).settle(125)

    assert (verdict(prompt), evidence(prompt)) == (("met", 60, Decimal(750)), MEASURED_REWARD)
    assert (verdict(late), evidence(late)) == (("violated", 65, Decimal(-125)), DECLARED)


def test_nothing_to_judge_is_nothing_done(db: None) -> None:
    assert evaluate_all([], [], Governing([])) == []
