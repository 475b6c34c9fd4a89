"""Doorbells: each says only that something may be due."""

from celery import shared_task

from payments import settlement


@shared_task
def advance() -> int:
    """Carry whatever is due; the answer is the number of steps taken."""
    return settlement.advance()


def ring() -> None:
    """Wake the signer; a lost ring is made good by the next sweep."""
    advance.delay()
