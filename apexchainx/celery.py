"""The Celery application: the hands that carry what the rows say is due."""

from typing import Any

from celery import Celery, Task

from apexchainx import context

# The message header in which a correlation id travels; Celery's own name for the task's id is taken.
ORIGIN = "origin"


class ContextTask(Task):  # type: ignore[type-arg]
    """A task acts as the system, under the correlation id of whoever sent it."""

    def apply_async(self, *args: Any, headers: dict[str, Any] | None = None, **options: Any) -> Any:
        origin = {ORIGIN: context.current().correlation_id}
        return super().apply_async(*args, headers={**origin, **(headers or {})}, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        origin = (self.request.headers or {}).get(ORIGIN) or ""
        with context.acting_as("system", source="task", correlation_id=origin):
            return super().__call__(*args, **kwargs)


app = Celery("apexchainx", task_cls=ContextTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
