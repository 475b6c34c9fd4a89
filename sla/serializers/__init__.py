"""Results, terms, calendars and the contract as clients read them."""

from sla.serializers.calculation import (
    CalculateSerializer,
    CalculationSerializer,
    ConfigsSerializer,
    ContractInvocationSerializer,
    TermsSerializer,
    VerdictSerializer,
    previewed,
)
from sla.serializers.calendars import CalendarSerializer, ScheduleSerializer
from sla.serializers.results import (
    NOTHING,
    STANDINGS,
    SLAResultSerializer,
    StatusOfOutageSerializer,
    StatusSerializer,
    concluded,
    running,
)

__all__ = [
    "NOTHING",
    "STANDINGS",
    "CalculateSerializer",
    "CalculationSerializer",
    "CalendarSerializer",
    "ConfigsSerializer",
    "ContractInvocationSerializer",
    "SLAResultSerializer",
    "ScheduleSerializer",
    "StatusOfOutageSerializer",
    "StatusSerializer",
    "TermsSerializer",
    "VerdictSerializer",
    "concluded",
    "previewed",
    "running",
]
