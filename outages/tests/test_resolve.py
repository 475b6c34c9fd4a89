"""What a resolution states, against what the clock measures."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from time_machine import Traveller

from apexchainx.errors import NotReady
from audit.models import AuditEvent
from conftest import NOW, PREFIX
from outages.models import Fact, MaintenanceWindow, Outage
from outages.services.pausing import pause, resume
from outages.services.resolving import evidence_of, evidence_of_all
from payments.models import Payment
from payments.services.settling import settle
from sla.models import Calendar, PolicyVersion, SLAResult

pytestmark = pytest.mark.django_db


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def iso(minutes: float) -> str:
    return at(minutes).isoformat().replace("+00:00", "Z")


@pytest.fixture
def make_window(db: None) -> Callable[..., MaintenanceWindow]:
    """In effect since long ago, unless its fields say otherwise."""

    def make(starts: float, ends: float, **fields: Any) -> MaintenanceWindow:
        place = {} if {"region", "service"} & fields.keys() else {"site_name": "cell tower ALPHA"}
        stated = {
            "name": "upgrade",
            "reason": "planned",
            "created_by": "5",
            "approved_by": "6",
            "approved_at": at(-9999),
        }
        return MaintenanceWindow.objects.create(
            starts_at=at(starts), ends_at=at(ends), **{**stated, **place, **fields}
        )

    return make


@pytest.fixture
def excluded(
    clock: Traveller, make_outage: Callable[..., Outage], make_window: Callable[..., MaintenanceWindow]
) -> Outage:
    """A medium outage at NOW, paused from minute 10 to 20 and maintained from 15 to 30; it is minute 60."""
    make_window(15, 30)
    outage = make_outage(severity="medium")
    clock.shift(timedelta(minutes=10))
    pause(outage.reference, reason="No access.")
    clock.shift(timedelta(minutes=10))
    resume(outage.reference)
    clock.shift(timedelta(minutes=40))
    return outage


TABLE = [
    ({}, 60, 40),
    ({"resolved_at": 45}, 45, 25),
    ({"resolved_at": 12}, 12, 10),
    ({"resolved_at": 0}, 0, 0),
    ({"mttr_minutes": 0}, 0, 0),
    ({"mttr_minutes": 10}, 10, 10),
    ({"mttr_minutes": 11}, 31, 11),
    ({"mttr_minutes": 40}, 60, 40),
    ({"resolved_at": 45, "mttr_minutes": 25}, 45, 25),
    ({"resolved_at": 45, "mttr_minutes": 24}, 45, 25),
    ({"resolved_at": 45, "mttr_minutes": 26}, 45, 25),
]
REFUSALS = [
    ({"resolved_at": -0.1}, "The outage cannot end before it was detected."),
    ({"resolved_at": 60.1}, "The outage cannot end in the future."),
    ({"mttr_minutes": 41}, "The outage cannot end in the future: its clock has counted 40 minutes, not 41."),
    ({"resolved_at": 45, "mttr_minutes": 27}, "The declared MTTR is 27 minutes, but the clock measures 25."),
    ({"resolved_at": 45, "mttr_minutes": 23}, "The declared MTTR is 23 minutes, but the clock measures 25."),
    ({"resolved_at": 61, "mttr_minutes": 40}, "The outage cannot end in the future."),
]


@pytest.mark.parametrize(("given", "ends", "minutes"), TABLE)
def test_what_a_resolution_leaves_out_is_measured(
    excluded: Outage, given: dict[str, float], ends: float, minutes: int
) -> None:
    settlement = settle(excluded.reference, **arguments(given))

    excluded.refresh_from_db()
    assert (excluded.resolved_at, excluded.mttr_minutes) == (at(ends), minutes)
    assert settlement.result.mttr_minutes == minutes
    fact = Fact.objects.get(kind="resolved")
    assert (fact.occurred_at, fact.recorded_at) == (at(ends), at(60))


@pytest.mark.parametrize(("given", "message"), REFUSALS)
def test_a_resolution_at_odds_with_the_clock_is_refused(
    excluded: Outage, given: dict[str, float], message: str
) -> None:
    before = AuditEvent.objects.count()

    with pytest.raises(NotReady) as refusal:
        settle(excluded.reference, **arguments(given))

    assert refusal.value.message == message
    assert_untouched(excluded, before)


def arguments(given: dict[str, float]) -> dict[str, Any]:
    names = {"resolved_at": "at", "mttr_minutes": "minutes"}
    return {names[name]: at(value) if name == "resolved_at" else int(value) for name, value in given.items()}


def assert_untouched(outage: Outage, events: int) -> None:
    outage.refresh_from_db()
    assert (outage.state, outage.resolved_at, outage.mttr_minutes) == ("active", None, None)
    assert not outage.facts.filter(kind="resolved").exists()
    assert (SLAResult.objects.count(), Payment.objects.count()) == (0, 0)
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize(("given", "ends", "minutes"), TABLE)
def test_the_table_over_http(
    excluded: Outage, client_as: Callable[[str], Any], given: dict[str, float], ends: float, minutes: int
) -> None:
    answer = client_as("engineer").post(f"{PREFIX}/outages/{excluded.reference}/resolve", body(given))

    assert answer.status_code == 200
    said = answer.json()
    assert (said["outage"]["resolved_at"], said["outage"]["mttr_minutes"]) == (iso(ends), minutes)
    assert said["sla"]["mttr_minutes"] == minutes


@pytest.mark.parametrize(("given", "message"), REFUSALS)
def test_the_refusals_over_http(
    excluded: Outage, client_as: Callable[[str], Any], given: dict[str, float], message: str
) -> None:
    client = client_as("engineer")
    before = AuditEvent.objects.count()

    answer = client.post(f"{PREFIX}/outages/{excluded.reference}/resolve", body(given))

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "UNPROCESSABLE_ENTITY")
    assert answer.json()["detail"] == message
    assert_untouched(excluded, before)


def body(given: dict[str, float]) -> dict[str, Any]:
    return {name: iso(value) if name == "resolved_at" else value for name, value in given.items()}


def test_a_fraction_of_a_minute_is_cut(excluded: Outage, client_as: Callable[[str], Any]) -> None:
    answer = client_as("engineer").post(
        f"{PREFIX}/outages/{excluded.reference}/resolve", {"mttr_minutes": 11.99}
    )

    assert (answer.json()["outage"]["resolved_at"], answer.json()["sla"]["mttr_minutes"]) == (iso(31), 11)


def test_minutes_that_a_paused_clock_never_counted_are_refused(
    clock: Traveller, make_outage: Callable[..., Outage]
) -> None:
    outage = make_outage()
    clock.shift(timedelta(minutes=5))
    pause(outage.reference, reason="No access.")
    clock.shift(timedelta(minutes=30))
    before = AuditEvent.objects.count()

    with pytest.raises(NotReady, match="its clock has counted 5 minutes and is paused, not 6"):
        settle(outage.reference, minutes=6)

    assert_untouched(outage, before)
    assert settle(outage.reference).outage.mttr_minutes == 5


def test_the_calendar_of_the_policy_at_detection_is_asked(
    clock: Traveller, make_outage: Callable[..., Outage]
) -> None:
    """It is Friday, eleven o'clock in Lagos; the clock runs until eighteen, and on from Tuesday at eight."""
    hours = [{"weekday": day, "opens": "08:00", "closes": "18:00"} for day in range(1, 6)]
    calendar = Calendar.objects.create(
        name="Office", timezone="Africa/Lagos", weekly=hours, holidays=[date(2026, 1, 19)], created_by="5"
    )
    PolicyVersion.objects.filter(severity="low").update(calendar=calendar)
    outages = [make_outage(severity="low") for _ in range(3)]
    clock.shift(timedelta(days=4, hours=-2))

    measured, declared, both = (
        settle(outages[0].reference).outage,
        settle(outages[1].reference, minutes=421).outage,
        settle(outages[2].reference, at=at(420 + 60), minutes=420).outage,
    )

    assert (measured.resolved_at, measured.mttr_minutes) == (NOW + timedelta(days=4, hours=-2), 480)
    assert (declared.resolved_at, declared.mttr_minutes) == (
        NOW + timedelta(days=4, hours=-3, minutes=1),
        421,
    )
    assert (both.resolved_at, both.mttr_minutes) == (at(480), 420)


# Evidence


@pytest.mark.parametrize(
    "fields",
    [
        {"site_name": "CELL TOWER alpha"},
        {"region": "WEST"},
        {"service": "VOICE"},
    ],
)
def test_a_window_is_at_its_place_in_any_case_of_letters(
    clock: Traveller,
    make_outage: Callable[..., Outage],
    make_window: Callable[..., MaintenanceWindow],
    fields: dict[str, str],
) -> None:
    window = make_window(5, 10, **fields)
    here = make_outage(region="West", affected_services=["Data", "Voice"])
    elsewhere = make_outage(site_name="Hub", region="", affected_services=[])

    found = evidence_of_all([here, elsewhere])

    assert [evidence.windows for evidence in found] == [(window.plain,), ()]


@pytest.mark.parametrize(
    "fields",
    [
        {"approved_at": None, "approved_by": ""},
        {"withdrawn_at": NOW, "withdrawn_by": "6"},
        {"sla_relevant": True},
        {"site_name": "Cell Tower"},
    ],
)
def test_a_window_that_is_not_in_effect_here_stops_no_clock(
    clock: Traveller,
    make_outage: Callable[..., Outage],
    make_window: Callable[..., MaintenanceWindow],
    fields: dict[str, Any],
) -> None:
    make_window(5, 10, **fields)

    assert evidence_of(make_outage()).windows == ()


def test_a_window_is_known_no_earlier_than_that_the_outage_is_at_its_place(
    clock: Traveller, make_outage: Callable[..., Outage], make_window: Callable[..., MaintenanceWindow]
) -> None:
    make_window(5, 10)
    outage = make_outage()
    Fact.objects.create(outage=outage, kind="placed", occurred_at=at(7), recorded_at=at(7), actor="5")

    [window] = evidence_of(outage).windows

    assert (window.starts_at, window.recorded_at) == (at(5), at(7))


@pytest.mark.parametrize("count", [1, 20])
def test_evidence_takes_two_statements_for_any_number_of_outages(
    clock: Traveller,
    make_outage: Callable[..., Outage],
    make_window: Callable[..., MaintenanceWindow],
    django_assert_num_queries: Callable[..., Any],
    count: int,
) -> None:
    for start in range(count):
        make_window(start, start + 1)
    outages = [make_outage(affected_services=["Voice"]) for _ in range(count)]

    with django_assert_num_queries(2):
        found = evidence_of_all(outages)

    assert [(len(one.facts), len(one.windows)) for one in found] == [(2, count)] * count


def test_no_outages_have_no_evidence(db: None) -> None:
    assert evidence_of_all([]) == []
