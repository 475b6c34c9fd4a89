"""What the worker is called for."""

from celery import shared_task

from webhooks import delivery


@shared_task(ignore_result=True)
def deliver() -> None:
    """Send whatever is due."""
    delivery.drain()
