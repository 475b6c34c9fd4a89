"""Exact cases of the clock: what a given story comes to."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from outages import clock
from outages.clock import Calendar, ClockError, Fact, Opening, Resolution, Rule, Segment, Window, Witness

START = datetime(2026, 1, 16, 10, 0, tzinfo=UTC)
EVERY_DAY = range(1, 8)
RULES = {"low": Rule(120), "medium": Rule(60), "high": Rule(30), "critical": Rule(15)}


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def fact(kind: str, minutes: float, detail: str = "", *, recorded: float | None = None) -> Fact:
    """Stated when it happened, unless `recorded` says otherwise."""
    return Fact(kind, at(minutes), at(minutes if recorded is None else recorded), detail)


def window(starts: float, ends: float, *, recorded: float = -1000) -> Window:
    return Window(at(starts), at(ends), at(recorded), "upgrade")


DETECTED = fact("detected", 0)
OPENED = [DETECTED, fact("severity", 0, "medium")]


# Measuring


def test_without_exclusions_all_of_the_wall_time_counts() -> None:
    measured = clock.measure(OPENED, until=at(25.99))

    assert measured.mttr_minutes == 25
    assert (measured.counted, measured.excluded) == ((Segment(START, at(25.99)),), ())


def test_exclusions_are_named_and_overlaps_count_once() -> None:
    story = [DETECTED, fact("paused", 10, "no access"), fact("resumed", 20)]

    measured = clock.measure(story, until=at(40), windows=[window(15, 30)])

    assert measured.counted == (Segment(START, at(10)), Segment(at(30), at(40)))
    assert measured.excluded == (
        Segment(at(10), at(20), "paused: no access"),
        Segment(at(20), at(30), "maintenance: upgrade"),
    )
    assert measured.mttr_minutes == 20


def test_a_pause_that_is_open_at_the_resolution_lasts_to_it() -> None:
    story = [DETECTED, fact("paused", 10), fact("resolved", 60)]

    assert clock.measure(story).mttr_minutes == 10
    assert clock.measure(story, until=at(500)) == clock.measure(story)


def test_pauses_that_meet_at_one_instant_are_two_reasons_and_no_gap() -> None:
    story = [
        DETECTED,
        fact("paused", 10, "no access"),
        fact("resumed", 20),
        fact("paused", 20, "no power"),
        fact("resumed", 30),
    ]

    measured = clock.measure(story, until=at(40))

    assert [(one.start, one.end, one.reason) for one in measured.excluded] == [
        (at(10), at(20), "paused: no access"),
        (at(20), at(30), "paused: no power"),
    ]
    assert measured.mttr_minutes == 20


def test_a_pause_that_ends_when_it_begins_excludes_nothing() -> None:
    story = [DETECTED, fact("paused", 10), fact("resumed", 10)]

    assert clock.measure(story, until=at(40)).excluded == ()


def test_a_detection_is_corrected_by_a_later_one() -> None:
    story = [fact("detected", 0), fact("detected", -20, recorded=5), fact("detected", -30, recorded=3)]

    assert clock.measure(story, until=at(10)).mttr_minutes == 30


def test_an_end_before_the_detection_measures_nothing() -> None:
    measured = clock.measure(OPENED, until=at(-1), calendar=Calendar("UTC", ()), windows=[window(-9, 9)])

    assert (measured.mttr_minutes, measured.counted, measured.excluded) == (0, (), ())


def test_a_clock_needs_a_detection_and_an_end() -> None:
    with pytest.raises(ClockError, match="has no detection"):
        clock.measure([fact("resolved", 1)])
    with pytest.raises(ClockError, match="is not resolved"):
        clock.measure(OPENED)


# Calendars


def hours(timezone: str, opens: int, closes: int, *, holidays: set[date] | None = None) -> Calendar:
    """The same hours on every day."""
    openings = tuple(Opening(day, opens, closes) for day in EVERY_DAY)
    return Calendar(timezone, openings, frozenset(holidays or ()))


def counted(calendar: Calendar, start: datetime, end: datetime) -> int:
    return clock.measure([Fact("detected", start, start)], until=end, calendar=calendar).mttr_minutes


@pytest.mark.parametrize(
    ("calendar", "start", "end", "minutes"),
    [
        # The day on which Berlin's clocks go forward has 23 hours, the day on which they go back has 25.
        (hours("Europe/Berlin", 0, 1440), "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23 * 60),
        (hours("Europe/Berlin", 0, 1440), "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25 * 60),
        (hours("Africa/Lagos", 0, 1440), "2026-03-29T00:00+01:00", "2026-03-30T00:00+01:00", 24 * 60),
        # 08:00 to 18:00 are ten hours on both, an hour apart in UTC.
        (hours("Europe/Berlin", 480, 1080), "2026-03-28T07:00Z", "2026-03-28T08:00Z", 60),
        (hours("Europe/Berlin", 480, 1080), "2026-03-29T05:00Z", "2026-03-29T07:00Z", 60),
        (hours("Europe/Berlin", 480, 1080), "2026-03-29T00:00Z", "2026-03-30T00:00Z", 600),
        (hours("Europe/Berlin", 480, 1080), "2026-10-25T00:00Z", "2026-10-26T00:00Z", 600),
        # 02:00 to 03:00 do not exist in spring: what begins or ends there does so at the change.
        (hours("Europe/Berlin", 120, 180), "2026-03-29T00:00Z", "2026-03-29T12:00Z", 0),
        (hours("Europe/Berlin", 90, 150), "2026-03-29T00:00Z", "2026-03-29T12:00Z", 30),
        (hours("Europe/Berlin", 150, 195), "2026-03-29T00:00Z", "2026-03-29T12:00Z", 15),
        # 02:00 to 03:00 come twice in autumn: what begins or ends there does so the first time.
        (hours("Europe/Berlin", 90, 150), "2026-10-24T22:00Z", "2026-10-25T12:00Z", 60),
        (hours("Europe/Berlin", 150, 210), "2026-10-24T22:00Z", "2026-10-25T12:00Z", 120),
        # Until 24:00, and on from 00:00, is without a gap.
        (hours("Africa/Lagos", 1320, 1440), "2026-01-16T21:30Z", "2026-01-17T21:30Z", 120),
        (hours("Africa/Lagos", 0, 1440), "2026-01-16T22:30Z", "2026-01-16T23:30Z", 60),
        (
            hours("Africa/Lagos", 0, 1440, holidays={date(2026, 1, 17)}),
            "2026-01-16T22:00Z",
            "2026-01-18T01:00Z",
            180,
        ),
        (
            Calendar("Africa/Lagos", (Opening(6, 480, 720), Opening(6, 780, 1080))),
            "2026-01-16T00:00Z",
            "2026-01-19T00:00Z",
            540,
        ),
        (Calendar("Africa/Lagos", ()), "2026-01-16T00:00Z", "2026-01-19T00:00Z", 0),
    ],
)
def test_calendars_count_local_time(calendar: Calendar, start: str, end: str, minutes: int) -> None:
    assert counted(calendar, datetime.fromisoformat(start), datetime.fromisoformat(end)) == minutes


def test_openings_that_touch_leave_no_gap_when_clocks_change() -> None:
    parts = tuple(
        Opening(day, *span) for day in EVERY_DAY for span in ((0, 130), (130, 150), (150, 190), (190, 1440))
    )
    for day in ("2026-03-29", "2026-10-25"):
        start = datetime.fromisoformat(f"{day}T00:00Z") - timedelta(days=1)

        assert counted(Calendar("Europe/Berlin", parts), start, start + timedelta(days=3)) == 3 * 24 * 60


# Reaching


def test_minutes_are_reached_across_what_is_excluded() -> None:
    story = [DETECTED, fact("paused", 10), fact("resumed", 20)]

    assert clock.reach(story, 0) == START
    assert clock.reach(story, 10) == at(10)
    assert clock.reach(story, 11, windows=[window(15, 30)]) == at(31)
    assert clock.reach(story, 11, windows=[window(15, 30)], until=at(30)) is None


def test_minutes_are_reached_on_a_later_day_of_the_calendar() -> None:
    weekdays = Calendar("Africa/Lagos", tuple(Opening(day, 480, 1080) for day in range(1, 6)))

    # Friday 10:00 UTC is 11:00 in Lagos: seven hours are left of it.
    assert clock.reach(OPENED, 421, calendar=weekdays) == datetime(2026, 1, 19, 7, 1, tzinfo=UTC)


def test_a_paused_clock_and_a_closed_calendar_get_nowhere() -> None:
    paused = [DETECTED, fact("paused", 10)]

    assert clock.is_paused(paused)
    assert clock.reach(paused, 10) == at(10)
    assert clock.reach(paused, 11) is None
    assert clock.reach(paused, 11, calendar=hours("Africa/Lagos", 480, 1080)) is None
    assert clock.reach(OPENED, 1, calendar=Calendar("Africa/Lagos", ())) is None


def test_the_breach_is_the_first_whole_minute_over_the_threshold() -> None:
    breach = clock.breach_at(OPENED, Rule(60), [window(30, 45)])

    assert breach == at(76)
    assert clock.measure(OPENED, until=breach, windows=[window(30, 45)]).mttr_minutes == 61
    assert clock.breach_at([*OPENED, fact("paused", 61)], Rule(60)) == at(61)
    assert clock.breach_at([*OPENED, fact("paused", 60)], Rule(60)) is None


# Resolving


PAUSED_FOR_TEN = [*OPENED, fact("paused", 10), fact("resumed", 20)]


@pytest.mark.parametrize(
    ("given", "resolution"),
    [
        ({}, Resolution(at(60.5), 50)),
        ({"at": at(40)}, Resolution(at(40), 30)),
        ({"at": at(15)}, Resolution(at(15), 10)),
        ({"at": at(0)}, Resolution(at(0), 0)),
        ({"at": at(60.5)}, Resolution(at(60.5), 50)),
        ({"minutes": 0}, Resolution(at(0), 0)),
        ({"minutes": 10}, Resolution(at(10), 10)),
        ({"minutes": 11}, Resolution(at(21), 11)),
        ({"minutes": 50}, Resolution(at(60), 50)),
        ({"at": at(40), "minutes": 30}, Resolution(at(40), 30)),
        ({"at": at(40), "minutes": 29}, Resolution(at(40), 30)),
        ({"at": at(40), "minutes": 31}, Resolution(at(40), 30)),
    ],
)
def test_a_resolution_is_completed(given: dict[str, Any], resolution: Resolution) -> None:
    assert resolved(PAUSED_FOR_TEN, **given) == resolution


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"at": at(-0.01)}, "The outage cannot end before it was detected."),
        ({"at": at(60.51)}, "The outage cannot end in the future."),
        (
            {"minutes": 51},
            "The outage cannot end in the future: its clock has counted 50 minutes, not 51.",
        ),
        (
            {"minutes": 10**7},
            "The outage cannot end in the future: its clock has counted 50 minutes, not 10000000.",
        ),
        (
            {"at": at(40), "minutes": 32},
            "The declared MTTR is 32 minutes, but the clock measures 30.",
        ),
        ({"at": at(40), "minutes": 28}, "The declared MTTR is 28 minutes, but the clock measures 30."),
    ],
)
def test_a_resolution_at_odds_with_the_clock_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ClockError) as refusal:
        resolved(PAUSED_FOR_TEN, **given)
    assert str(refusal.value) == message


def test_minutes_that_a_paused_clock_never_counted_are_refused() -> None:
    with pytest.raises(ClockError) as refusal:
        resolved([*OPENED, fact("paused", 10)], minutes=11)
    assert str(refusal.value) == (
        "The outage cannot end in the future: its clock has counted 10 minutes and is paused, not 11."
    )


def resolved(story: list[Fact], **given: Any) -> Resolution:
    return clock.resolution(story, **{"now": at(60.5), "at": None, "minutes": None, "tolerance": 1, **given})


# By the times of recording


def witnessed(*facts: Fact, windows: list[Window] | None = None) -> Witness:
    return clock.witness(facts, rules=RULES, windows=windows or [])


@pytest.mark.parametrize(
    ("story", "minutes"),
    [
        ([fact("detected", -30, recorded=0), fact("resolved", 20)], 20),
        ([DETECTED, fact("resolved", 20, recorded=50)], 50),
        ([DETECTED, fact("paused", 5, recorded=30), fact("resumed", 40), fact("resolved", 50)], 40),
        (
            [
                DETECTED,
                fact("paused", 5, recorded=30),
                fact("resumed", 25, recorded=30),
                fact("resolved", 50),
            ],
            50,
        ),
        ([DETECTED, fact("paused", 5), fact("resumed", 40, recorded=45), fact("resolved", 50)], 10),
        ([DETECTED, fact("detected", -30, recorded=10), fact("resolved", 20)], 20),
    ],
)
def test_back_dated_facts_are_moved_to_their_recording(story: list[Fact], minutes: int) -> None:
    assert witnessed(fact("severity", 0, "medium"), *story) == Witness("medium", minutes)


def test_a_window_counts_from_its_approval_and_not_if_that_came_after_the_breach() -> None:
    story = [*OPENED, fact("resolved", 100)]

    assert witnessed(*story, windows=[window(20, 70)]).minutes == 50
    assert witnessed(*story, windows=[window(20, 70, recorded=50)]).minutes == 80
    assert witnessed(*story, windows=[window(62, 90, recorded=60)]).minutes == 72
    assert witnessed(*story, windows=[window(62, 90, recorded=61)]).minutes == 100
    assert witnessed(*story, windows=[window(20, 70, recorded=80)]).minutes == 100
    # The first window puts the breach off, so that the second one still comes before it.
    assert witnessed(*story, windows=[window(20, 50), window(70, 90, recorded=65)]).minutes == 50


def test_a_severity_is_lowered_in_time_or_not_at_all() -> None:
    story = [DETECTED, fact("severity", 0, "high"), fact("resolved", 50)]

    assert witnessed(*story, fact("severity", 30, "medium")).severity == "medium"
    assert witnessed(*story, fact("severity", 31, "medium")).severity == "high"
    assert witnessed(*story, fact("severity", 20, "medium", recorded=31)).severity == "high"
    assert witnessed(*story, fact("severity", 40, "critical")).severity == "critical"
    assert (
        witnessed(*story, fact("severity", 20, "critical"), fact("severity", 25, "high")).severity
        == "critical"
    )


def test_a_severity_without_a_rule_breaches_nothing() -> None:
    story = [DETECTED, fact("severity", 0, "high"), fact("severity", 40, "low"), fact("resolved", 50)]

    assert clock.witness(story, rules={"low": Rule(120)}) == Witness("low", 50)
    assert clock.witness(story, rules={}) == Witness("low", 50)


def test_a_witness_needs_a_severity() -> None:
    with pytest.raises(ClockError, match="has no severity"):
        witnessed(DETECTED, fact("resolved", 5))
