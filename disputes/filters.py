import django_filters

from apexchainx.api.filters import WordFilter
from disputes.models import Dispute

Status = Dispute.Status
WORDS = {
    "open": [Status.OPEN],
    "under_review": [Status.OPEN],
    "pending": [Status.OPEN],
    "resolved": [Status.RESOLVED],
    "rejected": [Status.REJECTED],
}


class DisputeFilter(django_filters.FilterSet):
    status = WordFilter(field_name="status", words=WORDS)
    outage_id = django_filters.CharFilter(field_name="outage__reference", max_length=64)

    class Meta:
        model = Dispute
        fields: tuple[str, ...] = ()
