import django_filters

from apexchainx.api.filters import MomentFilter
from webhooks.models import Delivery, DeliveryStatus


class DeliveryFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=DeliveryStatus.choices)
    event = django_filters.CharFilter(max_length=64)
    start = MomentFilter(field_name="created_at", lookup_expr="gte")
    end = MomentFilter(field_name="created_at", lookup_expr="lte", end_of_day=True)

    class Meta:
        model = Delivery
        fields: tuple[str, ...] = ()
