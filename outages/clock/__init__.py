"""How long an outage counts: from its detection to its resolution, without what is excluded. Pure."""

from outages.clock.calendar import Calendar, Opening
from outages.clock.ending import Resolution, resolution
from outages.clock.facts import RANK, ClockError, Fact, Window, is_paused
from outages.clock.measuring import Clock, Rule, Segment, breach_at, measure, reach
from outages.clock.recording import Witness, witness

__all__ = [
    "RANK",
    "Calendar",
    "Clock",
    "ClockError",
    "Fact",
    "Opening",
    "Resolution",
    "Rule",
    "Segment",
    "Window",
    "Witness",
    "breach_at",
    "is_paused",
    "measure",
    "reach",
    "resolution",
    "witness",
]
