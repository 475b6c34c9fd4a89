import django_filters

from apexchainx.api.filters import MomentFilter, WordFilter
from payments.models import Payment

WORDS = {
    word: [state for state, status in Payment.STATUS.items() if status == word]
    for word in dict.fromkeys(Payment.STATUS.values())
}


class PaymentFilter(django_filters.FilterSet):
    type = django_filters.ChoiceFilter(choices=Payment.Type.choices)
    status = WordFilter(field_name="state", words=WORDS)
    state = django_filters.ChoiceFilter(choices=Payment.State.choices)
    outage_id = django_filters.CharFilter(field_name="outage__reference", max_length=64)
    start_date = MomentFilter(field_name="created_at", lookup_expr="gte")
    end_date = MomentFilter(field_name="created_at", lookup_expr="lte", end_of_day=True)

    class Meta:
        model = Payment
        fields: tuple[str, ...] = ()
