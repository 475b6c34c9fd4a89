import django_filters
from celery import states
from django_celery_results.models import TaskResult

from apexchainx.api.filters import MomentFilter, WordFilter

WORDS = {state.lower(): [state] for state in sorted(states.ALL_STATES)}


class JobFilter(django_filters.FilterSet):
    status = WordFilter(field_name="status", words=WORDS)
    task = django_filters.CharFilter(field_name="task_name", max_length=255)
    start = MomentFilter(field_name="date_created", lookup_expr="gte")
    end = MomentFilter(field_name="date_created", lookup_expr="lte", end_of_day=True)

    class Meta:
        model = TaskResult
        fields: tuple[str, ...] = ()
