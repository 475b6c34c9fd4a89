"""Jobs that are rows of ours rather than runs of a task: whoever carries the row states what came of it."""

import json
import uuid
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult

from apexchainx import context
from apexchainx.celery import ORIGIN
from apexchainx.jobs.backend import particulars


def open_job(name: str, *, queue: str) -> TaskResult:
    """It waits; written in the transaction that writes the row."""
    return TaskResult.objects.create(
        task_id=str(uuid.uuid4()),
        task_name=name,
        status=states.PENDING,
        content_type="application/json",
        content_encoding="utf-8",
        meta=json.dumps(particulars({ORIGIN: context.current().correlation_id}, queue)),
    )


def begin(job_id: UUID) -> None:
    waiting = TaskResult.objects.filter(task_id=str(job_id), status=states.PENDING)
    waiting.update(status=states.STARTED, date_started=timezone.now())


def succeed(job_id: UUID, result: Mapping[str, Any]) -> None:
    _end(job_id, states.SUCCESS, result)


def fail(job_id: UUID, error: Exception) -> None:
    _end(job_id, states.FAILURE, {"exc_type": type(error).__name__, "exc_message": [str(error)]})


def _end(job_id: UUID, status: str, result: Mapping[str, Any]) -> None:
    job = TaskResult.objects.filter(task_id=str(job_id))
    job.update(status=status, result=json.dumps(result), date_done=timezone.now())
