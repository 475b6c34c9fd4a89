import django_filters

from apexchainx.api.filters import MomentFilter
from audit.events import Event
from audit.models import AuditEvent


class AuditEventFilter(django_filters.FilterSet):
    correlation_id = django_filters.CharFilter(max_length=128)
    event_type = django_filters.ChoiceFilter(field_name="event", choices=Event.choices)
    actor_id = django_filters.CharFilter(field_name="actor", max_length=254)
    impersonator_id = django_filters.CharFilter(field_name="impersonator", max_length=254)
    subject = django_filters.CharFilter(max_length=128)
    stream = django_filters.CharFilter(max_length=128)
    start = MomentFilter(field_name="recorded_at", lookup_expr="gte")
    end = MomentFilter(field_name="recorded_at", lookup_expr="lte", end_of_day=True)

    class Meta:
        model = AuditEvent
        fields: tuple[str, ...] = ()
