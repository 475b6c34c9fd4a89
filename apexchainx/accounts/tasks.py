"""Mail, and what is forgotten in time."""

from celery import shared_task
from django.utils import timezone

from apexchainx.accounts import mail
from apexchainx.accounts.services import forgetting


@shared_task(ignore_result=True)
def forget() -> None:
    """Counters and answers that nobody may ask for any more."""
    forgetting.forget(timezone.now())


@shared_task(ignore_result=True)
def send_password_reset(user_id: int) -> None:
    """With 0, for an address without an account, it does nothing: asking costs the same for both."""
    mail.send_reset(user_id)
