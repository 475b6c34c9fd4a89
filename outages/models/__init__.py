"""Outages and the evidence about them."""

from outages.models.columns import NextReference
from outages.models.evidence import Fact, MaintenanceWindow
from outages.models.imports import ImportRun
from outages.models.outage import Outage, OutageQuerySet, Severity, Source
from outages.models.rca import FollowUp, RootCauseAnalysis
from outages.models.words import Learning, Sought, Word

__all__ = [
    "Fact",
    "FollowUp",
    "ImportRun",
    "Learning",
    "MaintenanceWindow",
    "NextReference",
    "Outage",
    "OutageQuerySet",
    "RootCauseAnalysis",
    "Severity",
    "Sought",
    "Source",
    "Word",
]
