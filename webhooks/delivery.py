"""Carries deliveries: claim (short transaction), send (no transaction), record (short transaction)."""

import random
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from time import monotonic

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from apexchainx.context import acting_as
from audit.events import Event
from audit.log import record
from webhooks import sender, signing
from webhooks.models import Attempt, Delivery, DeliveryStatus, Webhook, WebhookStatus

# How many are sent at once by one worker, and how many of them to the same subscriber, over all workers.
SENDERS = 16
SENDERS_PER_WEBHOOK = 4
# A task ends well before Celery's time limit; the next sweep goes on.
DRAIN_SECONDS = 120
LEASE_MARGIN_SECONDS = 30
GIVEN_UP_IN_A_ROW = 5
RETRIED = {408, 425, 429}
JITTER = 0.2


class Verdict(Enum):
    DELIVERED = auto()
    RETRY = auto()
    REFUSED = auto()
    GONE = auto()


def drain() -> None:
    """Deliver whatever is due, until nothing is or the time of a task is over."""
    end = monotonic() + DRAIN_SECONDS
    busy: dict[Future[tuple[Attempt, sender.Answer]], Delivery] = {}
    with ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook") as pool:
        while True:
            while monotonic() < end and (claimed := claim(SENDERS - len(busy))):
                busy |= {pool.submit(send, delivery): delivery for delivery in claimed}
            if not busy:
                return
            done, _ = wait(busy, timeout=1, return_when=FIRST_COMPLETED)
            for future in done:
                conclude(busy.pop(future), *future.result())


@transaction.atomic
def claim(free: int) -> list[Delivery]:
    """Take up to `free` due deliveries, leaving each subscriber's surplus for later. A lease that runs out
    gives a delivery back, so a worker that died with it delays it and loses nothing."""
    now = timezone.now()
    under_way = Counter(
        dict(Delivery.objects.under_way(now).values_list("webhook").annotate(Count("id")).order_by())
    )
    full = [webhook for webhook, count in under_way.items() if count >= SENDERS_PER_WEBHOOK]
    due = Delivery.objects.due(now).exclude(webhook__in=full).select_related("webhook").order_by("id")
    claimed = []
    for delivery in due.select_for_update(skip_locked=True, of=("self",))[:free]:
        under_way[delivery.webhook_id] += 1
        if under_way[delivery.webhook_id] <= SENDERS_PER_WEBHOOK:
            claimed.append(delivery)
    for delivery in claimed:
        delivery.status, delivery.next_attempt_at = DeliveryStatus.DELIVERING, None
        delivery.leased_until = now + timedelta(seconds=settings.WEBHOOK_TIMEOUT_SECONDS + LEASE_MARGIN_SECONDS)
        delivery.attempts += 1
    Delivery.objects.bulk_update(claimed, ["status", "next_attempt_at", "leased_until", "attempts"])
    return claimed


def send(delivery: Delivery) -> tuple[Attempt, sender.Answer]:
    """Runs in a thread of its own and touches no database: its rows were loaded by the claim."""
    started_at = timezone.now()
    try:
        secret = delivery.webhook.secret
    except InvalidToken:
        answer = sender.Answer(error="The secret cannot be decrypted: WEBHOOK_ENCRYPTION_KEY has changed.")
    else:
        headers = signing.headers(delivery.message, secrets=[secret], at=started_at)
        answer = sender.post(delivery.webhook.url, body=delivery.message.body, headers=headers)
    return attempt(delivery, answer, started_at), answer
