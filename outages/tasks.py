"""What is done for outages in the background."""

from celery import shared_task

from outages.models import Word


@shared_task
def learn_words() -> None:
    """Take in the words of outages that are new or have changed, for whoever types them wrongly."""
    Word.objects.learn()
