"""A task that waits in a queue is visible before any worker has taken it."""

import json
from typing import Any

from celery import states
from celery.signals import after_task_publish
from django_celery_results.models import TaskResult

from apexchainx.jobs.backend import particulars


@after_task_publish.connect(dispatch_uid="jobs.show")
def show(headers: dict[str, Any], routing_key: str, **_: Any) -> None:
    """Sweeps leave no row; a worker that was faster has written its own."""
    if headers.get("ignore_result"):
        return
    waiting = TaskResult(
        task_id=headers["id"],
        task_name=headers["task"],
        status=states.PENDING,
        content_type="application/json",
        content_encoding="utf-8",
        meta=json.dumps(particulars(headers, routing_key)),
    )
    TaskResult.objects.bulk_create([waiting], ignore_conflicts=True)
