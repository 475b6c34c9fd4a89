"""Background jobs over HTTP."""

from typing import ClassVar

from django_celery_results.models import TaskResult
from rest_framework import mixins, viewsets

from apexchainx.jobs.filters import JobFilter
from apexchainx.jobs.serializers import JobSerializer


class JobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[TaskResult]):
    """Runs of background tasks, newest first; one that nobody has taken yet is pending."""

    queryset = TaskResult.objects.order_by("-date_created", "-id")
    serializer_class = JobSerializer
    filterset_class = JobFilter
    lookup_field = "task_id"
    lookup_url_kwarg = "job_id"
    lookup_value_regex = "[^/]+"
    scopes: ClassVar = {"read": "jobs:read"}
