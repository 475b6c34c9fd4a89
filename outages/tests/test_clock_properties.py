"""What holds for every story of an outage, however its facts, windows and calendar fall."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from struct import Struct

from hypothesis import given, settings
from hypothesis import strategies as st

from outages import clock
from outages.clock import Calendar, Fact, Opening, Rule, Window

# The Saturday before Berlin's clocks go forward.
START = datetime(2026, 3, 28, 9, 17, 23, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TWO_DAYS = 2 * 24 * 3600
WEEK = range(1, 8)
CALENDARS = (
    None,
    Calendar("Africa/Lagos", tuple(Opening(day, 0, 1440) for day in WEEK)),
    Calendar("Europe/Berlin", tuple(Opening(day, 480, 1080) for day in WEEK), frozenset({date(2026, 3, 30)})),
    Calendar(
        "Europe/Berlin", tuple(Opening(day, *span) for day in WEEK for span in ((0, 150), (1320, 1440)))
    ),
    Calendar("Europe/Berlin", ()),
)
SEVERITIES = ("low", "medium", "high", "critical")
RULES = {word: Rule(minutes) for word, minutes in zip(SEVERITIES, (120, 60, 30, 15), strict=True)}

STEP = 241
cases = settings(max_examples=1000, deadline=None)


@dataclass(frozen=True)
class Story:
    """Pauses that all ended, windows and a calendar, up to `length` seconds after the detection."""

    pauses: Sequence[tuple[int, int]]
    windows: Sequence[tuple[int, int]]
    calendar: Calendar | None
    length: int

    @property
    def end(self) -> datetime:
        return START + self.length * SECOND

    @property
    def facts(self) -> list[Fact]:
        steps = [stated("detected", START), stated("severity", START, "high")]
        for begins, lasts in self.pauses:
            steps.append(stated("paused", START + begins * SECOND, "waiting"))
            steps.append(stated("resumed", START + (begins + lasts) * SECOND))
        return steps

    @property
    def maintenance(self) -> list[Window]:
        return [window(*span) for span in self.windows]

    def measure(self, *, until: datetime | None = None) -> clock.Clock:
        return clock.measure(
            self.facts, until=until or self.end, calendar=self.calendar, windows=self.maintenance
        )


def read(drawn: bytes) -> Story:
    """One draw is many times quicker than a list of draws, and shrinks to nothing happening at once."""
    pauses, windows, calendar, length, *numbers = SHAPE.unpack(drawn)
    pairs = [span(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
    return Story(
        pauses=pairs[: pauses % 4],
        windows=pairs[3 : 3 + windows % 3],
        calendar=CALENDARS[calendar % len(CALENDARS)],
        length=length % TWO_DAYS,
    )


def span(begins: int, lasts: int) -> tuple[int, int]:
    """Seconds after the detection, and how long: in steps, so that edges often coincide."""
    return STEP * (begins % 720 - 30), STEP * (lasts % 200)


SHAPE = Struct(">BBBI10H")
stories = st.binary(min_size=SHAPE.size, max_size=SHAPE.size).map(read)
spans = st.builds(span, st.integers(0, 719), st.integers(0, 199))


def stated(kind: str, at: datetime, detail: str = "") -> Fact:
    return Fact(kind, at, at, detail)


def window(begins: int, lasts: int) -> Window:
    starts = START + begins * SECOND
    return Window(starts, starts + (lasts + 1) * SECOND, START - timedelta(days=1), "upgrade")


@cases
@given(stories)
def test_segments_tile_the_wall_time(story: Story) -> None:
    measured = story.measure()

    pieces = sorted((*measured.counted, *measured.excluded), key=lambda piece: piece.start)
    edges = [START, *(piece.end for piece in pieces)]
    assert [piece.start for piece in pieces] == edges[:-1]
    assert edges[-1] == story.end
    assert all(piece.start < piece.end for piece in pieces)
    assert all(piece.reason for piece in measured.excluded)


@cases
@given(stories)
def test_what_counts_is_the_wall_time_outside_every_exclusion(story: Story) -> None:
    """Counted apart: between two edges either all of the time counts or none of it."""
    closed = story.calendar.closed_spans(START, story.end) if story.calendar else ()
    excluded = [
        *((START + begins * SECOND, START + (begins + lasts) * SECOND) for begins, lasts in story.pauses),
        *((one.starts_at, one.ends_at) for one in story.maintenance),
        *closed,
    ]
    inside = {edge for span in excluded for edge in span if START < edge < story.end}
    edges = sorted({START, story.end, *inside})
    counted = timedelta()
    for start, end in pairwise(edges):
        if not any(begins <= start and end <= ends for begins, ends in excluded):
            counted += end - start

    assert story.measure().counted_time == counted
    assert story.measure().counted_time <= story.end - START


@cases
@given(stories, st.integers(0, 7))
def test_the_order_of_the_facts_says_nothing(story: Story, turn: int) -> None:
    facts = [*story.facts[turn:], *reversed(story.facts[:turn])]
    windows = story.maintenance[::-1]

    assert clock.measure(facts, until=story.end, calendar=story.calendar, windows=windows) == story.measure()


@cases
@given(stories, st.lists(st.tuples(st.integers(0, TWO_DAYS), st.sampled_from(SEVERITIES)), max_size=3))
def test_a_change_of_severity_loses_no_pause(story: Story, changes: list[tuple[int, str]]) -> None:
    changed = [stated("severity", START + at * SECOND, word) for at, word in changes]

    measured = clock.measure(
        [*story.facts, *changed], until=story.end, calendar=story.calendar, windows=story.maintenance
    )

    assert measured == story.measure()


@cases
@given(stories)
def test_exclusions_that_overlap_count_once(story: Story) -> None:
    twice = replace(story, pauses=[*story.pauses, *story.pauses], windows=[*story.windows, *story.windows])

    assert twice.measure().counted == story.measure().counted


@cases
@given(stories, spans)
def test_another_exclusion_never_lengthens_the_counted_time(story: Story, span: tuple[int, int]) -> None:
    counted = story.measure().counted_time

    assert replace(story, pauses=[*story.pauses, span]).measure().counted_time <= counted
    assert replace(story, windows=[*story.windows, span]).measure().counted_time <= counted


@cases
@given(stories, st.integers(0, 13))
def test_a_smaller_calendar_never_lengthens_the_counted_time(story: Story, number: int) -> None:
    hours = story.calendar or CALENDARS[1]
    assert hours is not None
    fewer = replace(hours, openings=hours.openings[:number])
    holiday = replace(hours, holidays=hours.holidays | {date(2026, 3, 29)})

    counted = replace(story, calendar=hours).measure().counted_time

    assert counted <= replace(story, calendar=None).measure().counted_time
    assert replace(story, calendar=fewer).measure().counted_time <= counted
    assert replace(story, calendar=holiday).measure().counted_time <= counted


@cases
@given(stories)
def test_minutes_are_cut_and_never_rounded(story: Story) -> None:
    measured = story.measure()

    assert measured.mttr_minutes * MINUTE <= measured.counted_time
    assert measured.counted_time < (measured.mttr_minutes + 1) * MINUTE


@cases
@given(stories)
def test_reaching_is_the_inverse_of_measuring(story: Story) -> None:
    minutes = story.measure().mttr_minutes

    def reach(wanted: int, *, until: datetime) -> datetime | None:
        return clock.reach(
            story.facts, wanted, calendar=story.calendar, windows=story.maintenance, until=until
        )

    reached = reach(minutes, until=story.end)

    assert reached is not None
    assert story.measure(until=reached).counted_time == minutes * MINUTE
    if minutes:
        assert story.measure(until=reached - timedelta(microseconds=1)).mttr_minutes == minutes - 1
    assert reach(minutes + 1, until=story.end) is None


@cases
@given(stories)
def test_the_witness_of_a_story_without_back_dating_says_what_is_measured(story: Story) -> None:
    rules = {word: replace(rule, calendar=story.calendar) for word, rule in RULES.items()}
    prompt = replace(story, pauses=[(max(begins, 0), lasts) for begins, lasts in story.pauses])
    facts = [*prompt.facts, stated("resolved", story.end)]

    seen = clock.witness(facts, rules=rules, windows=story.maintenance)

    assert seen == clock.Witness("high", prompt.measure().mttr_minutes)


@cases
@given(stories, st.lists(st.integers(0, TWO_DAYS), min_size=12, max_size=12))
def test_no_time_that_a_fact_is_about_moves_the_witness(story: Story, lags: list[int]) -> None:
    facts = [*story.facts, stated("resolved", story.end)]
    dated = [
        replace(fact, occurred_at=fact.recorded_at - lag * SECOND)
        for fact, lag in zip(facts, lags, strict=False)
    ]

    assert clock.witness(dated, rules=RULES, windows=story.maintenance) == clock.witness(
        facts, rules=RULES, windows=story.maintenance
    )
