import django_filters

from apexchainx.api.filters import MomentFilter, WordFilter
from outages.models import Outage, Severity

STATES = Outage.State
OPEN = [STATES.ACTIVE, STATES.INVESTIGATING]
# Both vocabularies: open and active mean every outage that is not resolved.
WORDS = {
    "open": OPEN,
    "active": OPEN,
    "investigating": [STATES.INVESTIGATING],
    "resolved": [STATES.RESOLVED],
}


class OutageFilter(django_filters.FilterSet):
    status = WordFilter(field_name="state", words=WORDS)
    severity = django_filters.ChoiceFilter(choices=Severity.choices)
    site_name = django_filters.CharFilter(lookup_expr="icontains", max_length=255)
    site_id = django_filters.CharFilter(max_length=64)
    region = django_filters.CharFilter(lookup_expr="iexact", max_length=64)
    assigned_to = django_filters.CharFilter(max_length=255)
    start_date = MomentFilter(field_name="detected_at", lookup_expr="gte")
    end_date = MomentFilter(field_name="detected_at", lookup_expr="lte", end_of_day=True)

    class Meta:
        model = Outage
        fields: tuple[str, ...] = ()
