"""What an outage comes to by the times at which its facts were recorded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from outages.clock.facts import RANK, ClockError, Fact, Window, by_recording
from outages.clock.measuring import Rule, breach_at, measure


@dataclass(frozen=True, slots=True)
class Witness:
    """What the times of recording alone lead to."""

    severity: str
    minutes: int


def witness(facts: Sequence[Fact], *, rules: Mapping[str, Rule], windows: Iterable[Window] = ()) -> Witness:
    """Severity and minutes by the times of recording alone, so that nothing back-dated helps anybody.

    Every fact is moved to its recording time, and so is the start of every window; the detection is the first
    one that was recorded. A severity that was lowered and a window that was added after the breach are left
    out. A severity without a rule breaches nothing. Raises ClockError where detection, severity or resolution
    is missing.
    """
    story = as_recorded(facts)
    severity, known = "", list[Window]()
    steps: list[Fact | Window] = [*severities(story), *windows]
    for step in sorted(steps, key=lambda one: one.recorded_at):
        is_late = has_breached(story, step, rules.get(severity), known)
        if isinstance(step, Window):
            known += [] if is_late else [replace(step, starts_at=max(step.starts_at, step.recorded_at))]
        elif not is_late or RANK.index(step.detail) > RANK.index(severity):
            severity = step.detail
    if not severity:
        raise ClockError("The outage has no severity.")
    rule = rules.get(severity)
    clock = measure(story, calendar=rule.calendar if rule else None, windows=known)
    return Witness(severity, clock.mttr_minutes)


def has_breached(
    story: Sequence[Fact], step: Fact | Window, rule: Rule | None, windows: Sequence[Window]
) -> bool:
    """Whether the threshold had been passed when this step was recorded."""
    breach = breach_at(story, rule, windows) if rule else None
    return breach is not None and step.recorded_at >= breach


def as_recorded(facts: Iterable[Fact]) -> list[Fact]:
    """Each fact at the time of its recording, with the first detection only."""
    moved = [replace(fact, occurred_at=fact.recorded_at) for fact in by_recording(facts)]
    detections = [fact for fact in moved if fact.kind == "detected"]
    return [*detections[:1], *(fact for fact in moved if fact.kind != "detected")]


def severities(facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.kind == "severity"]
