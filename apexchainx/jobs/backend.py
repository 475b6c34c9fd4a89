"""Keeps with each result what django-celery-results leaves out: queue, schedule, tries and origin."""

from collections.abc import Mapping
from typing import Any

from django_celery_results.backends import DatabaseBackend

from apexchainx.celery import ORIGIN


def particulars(task: Mapping[str, Any], queue: str) -> dict[str, Any]:
    """`task` holds the headers of the message that carried it."""
    return {
        "queue": queue,
        "scheduled_for": task.get("eta"),
        "retries": task.get("retries") or 0,
        "correlation_id": task.get(ORIGIN) or "",
    }


class JobBackend(DatabaseBackend):  # type: ignore[misc]
    """Celery asks it to store each state that a task passes."""

    def _get_meta_from_request(self, request: Any = None) -> dict[str, Any]:
        kept: dict[str, Any] = super()._get_meta_from_request(request)
        if request is None:
            return kept
        delivered = getattr(request, "delivery_info", None) or {}
        return {**kept, **particulars(vars(request), delivered.get("routing_key", ""))}
