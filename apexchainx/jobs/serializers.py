import json
from datetime import datetime
from typing import Any

from celery import states
from django_celery_results.models import TaskResult
from rest_framework import serializers

from apexchainx.logs import redact


class JobSerializer(serializers.ModelSerializer[TaskResult]):
    """One run of a task: where it waits or ran, how often it was tried, and what came of it."""

    id = serializers.CharField(source="task_id")
    job_id = serializers.CharField(source="task_id")
    task = serializers.CharField(source="task_name")
    status = serializers.SerializerMethodField()
    queue = serializers.SerializerMethodField()
    scheduled_for = serializers.SerializerMethodField()
    retries = serializers.SerializerMethodField()
    correlation_id = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(source="date_created")
    last_attempt_at = serializers.DateTimeField(source="date_started")
    finished_at = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    class Meta:
        model = TaskResult
        fields = (
            "id",
            "job_id",
            "task",
            "status",
            "queue",
            "worker",
            "scheduled_for",
            "retries",
            "correlation_id",
            "created_at",
            "last_attempt_at",
            "finished_at",
            "result",
            "error",
        )
        read_only_fields = fields

    def get_status(self, job: TaskResult) -> str:
        return str(job.status).lower()

    def get_queue(self, job: TaskResult) -> str | None:
        return kept(job).get("queue")

    def get_scheduled_for(self, job: TaskResult) -> datetime | None:
        return kept(job).get("scheduled_for")

    def get_retries(self, job: TaskResult) -> int:
        return int(kept(job).get("retries", 0))

    def get_correlation_id(self, job: TaskResult) -> str | None:
        return kept(job).get("correlation_id") or None

    def get_finished_at(self, job: TaskResult) -> datetime | None:
        return job.date_done if job.status in states.READY_STATES else None

    def get_result(self, job: TaskResult) -> Any:
        return json.loads(job.result) if job.status == states.SUCCESS and job.result else None

    def get_error(self, job: TaskResult) -> str | None:
        """What the last attempt raised, without its traceback: that is for the log."""
        if job.status not in states.EXCEPTION_STATES or not job.result:
            return None
        raised = json.loads(job.result)
        said = raised.get("exc_message", "")
        text = " ".join(map(str, said)) if isinstance(said, list) else said
        return redact(f"{raised.get('exc_type', 'Error')}: {text}")


def kept(job: TaskResult) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(job.meta) if job.meta else {}
    return found
