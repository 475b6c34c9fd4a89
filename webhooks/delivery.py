"""Carries deliveries: claim (short transaction), send (no transaction), record (short transaction)."""

import logging
import random
import re
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from time import monotonic

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from apexchainx.context import acting_as
from audit.events import Event
from audit.log import record
from webhooks import sender, signing
from webhooks.models import Attempt, Delivery, DeliveryStatus, Webhook, WebhookStatus

logger = logging.getLogger(__name__)

# How many are sent at once by one worker, and how many of them to the same subscriber, over all workers.
SENDERS = 16
SENDERS_PER_WEBHOOK = 4
# A task ends well before Celery's time limit; the next sweep goes on.
DRAIN_SECONDS = 120
LEASE_MARGIN_SECONDS = 30
GIVEN_UP_IN_A_ROW = 5
FAILING = timedelta(days=5)
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
            while len(busy) < SENDERS and monotonic() < end and (claimed := claim(SENDERS - len(busy))):
                busy |= {pool.submit(send, delivery): delivery for delivery in claimed}
            if not busy:
                return
            done, _ = wait(busy, timeout=1, return_when=FIRST_COMPLETED)
            for future in done:
                finish(busy.pop(future), future)


def finish(delivery: Delivery, future: "Future[tuple[Attempt, sender.Answer]]") -> None:
    """A fault of ours in one delivery holds up no other: its lease runs out, and it is tried again."""
    if fault := future.exception():
        logger.error("Delivery %s could not be sent", delivery.public_id, exc_info=fault)
        return
    conclude(delivery, *future.result())


@transaction.atomic
def claim(free: int) -> list[Delivery]:
    """Take up to `free` due deliveries, leaving each subscriber's surplus for later. A lease that runs out
    gives a delivery back, so a worker that died with it delays it and loses nothing."""
    take_turns()
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
    lease = timedelta(seconds=settings.WEBHOOK_TIMEOUT_SECONDS + LEASE_MARGIN_SECONDS)
    for delivery in claimed:
        delivery.status, delivery.next_attempt_at = DeliveryStatus.DELIVERING, None
        delivery.leased_until = now + lease
        delivery.attempts += 1
    Delivery.objects.bulk_update(claimed, ["status", "next_attempt_at", "leased_until", "attempts"])
    return claimed


def take_turns() -> None:
    """One claim at a time, until the transaction ends: each counts what the others have under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('webhooks.claim', 0))")


def send(delivery: Delivery) -> tuple[Attempt, sender.Answer]:
    """Runs in a thread of its own and touches no database: its rows were loaded by the claim."""
    started_at = timezone.now()
    message = delivery.message
    try:
        secret = delivery.webhook.secret
    except InvalidToken:
        answer = sender.Answer(error="The secret cannot be decrypted: WEBHOOK_ENCRYPTION_KEY has changed.")
    else:
        headers = signing.headers(message, secrets=[secret], at=started_at)
        answer = sender.post(delivery.webhook.url, body=message.body, headers=headers)
    return attempt(delivery, answer, started_at), answer


def attempt(delivery: Delivery, answer: sender.Answer, started_at: datetime) -> Attempt:
    """The row of this try, to be saved when it is concluded."""
    return Attempt(
        delivery=delivery,
        number=delivery.attempts,
        started_at=started_at,
        latency_ms=answer.latency_ms,
        status_code=answer.status_code,
        error=storable(answer.error)[:500],
        response_body=storable(answer.body[: Attempt.MAX_BODY_BYTES].decode(errors="replace")),
    )


def storable(text: str) -> str:
    """PostgreSQL's text holds no NUL."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


@transaction.atomic
def conclude(delivery: Delivery, tried: Attempt, answer: sender.Answer) -> None:
    """Record what came back: the attempt alone where another worker has taken the delivery over since its
    lease ran out, nothing where it was deleted."""
    webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=delivery.webhook_id).first()
    ours = Delivery.objects.select_for_update().filter(pk=delivery.pk).first()
    if webhook is None or ours is None:
        return
    tried.save(force_insert=True)
    if ours.status != DeliveryStatus.DELIVERING or ours.attempts != tried.number:
        return
    now = timezone.now()
    advance(ours, answer, now)
    remember(webhook, ours.status, now)
    reason = objection(webhook, answer, now)
    if reason and webhook.status != WebhookStatus.DISABLED:
        disable(webhook, reason=reason, correlation_id=ours.correlation_id)


def advance(delivery: Delivery, answer: sender.Answer, now: datetime) -> None:
    """Delivered, to be tried again, or given up."""
    delivery.leased_until = None
    outcome = verdict(answer.status_code)
    if outcome is Verdict.DELIVERED:
        delivery.status, delivery.delivered_at = DeliveryStatus.DELIVERED, now
    elif outcome is Verdict.RETRY and delivery.attempts <= len(settings.WEBHOOK_BACKOFF):
        delivery.status = DeliveryStatus.PENDING
        delivery.next_attempt_at = now + pause(delivery.attempts, answer.retry_after, now)
    else:
        delivery.status = DeliveryStatus.FAILED
    delivery.save(update_fields=("status", "leased_until", "next_attempt_at", "delivered_at"))


def verdict(status_code: int | None) -> Verdict:
    """What a status code means for a delivery; None is no answer at all."""
    if status_code is None or status_code in RETRIED or status_code // 100 == 5:
        return Verdict.RETRY
    if status_code // 100 == 2:
        return Verdict.DELIVERED
    return Verdict.GONE if status_code == 410 else Verdict.REFUSED


def pause(number: int, retry_after: str, now: datetime) -> timedelta:
    """How long after attempt `number` the next one follows: the table's delay with jitter, or what the
    receiver asks for, up to twice that delay."""
    base = settings.WEBHOOK_BACKOFF[number - 1]
    jittered = base * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return timedelta(seconds=max(jittered, min(asked_for(retry_after, now), 2 * base)))


def asked_for(retry_after: str, now: datetime) -> float:
    """Seconds in a Retry-After header, which holds a number or a date; 0 where it holds neither."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        return (parsedate_to_datetime(retry_after) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0


def remember(webhook: Webhook, status: str, now: datetime) -> None:
    """How the subscriber has been doing."""
    if status == DeliveryStatus.DELIVERED:
        webhook.consecutive_failures, webhook.failing_since, webhook.last_success_at = 0, None, now
    else:
        webhook.failing_since = webhook.failing_since or now
        webhook.consecutive_failures += status == DeliveryStatus.FAILED
    webhook.save(update_fields=("consecutive_failures", "failing_since", "last_success_at"))


def objection(webhook: Webhook, answer: sender.Answer, now: datetime) -> str:
    """Why this subscriber should hear nothing more, or nothing."""
    if verdict(answer.status_code) is Verdict.GONE:
        return "The receiver answered 410 Gone."
    if webhook.consecutive_failures >= GIVEN_UP_IN_A_ROW:
        return f"{GIVEN_UP_IN_A_ROW} deliveries in a row were given up."
    if webhook.failing_since and now - webhook.failing_since >= FAILING:
        return f"No attempt has succeeded for {FAILING.days} days."
    return ""


def disable(webhook: Webhook, *, reason: str, correlation_id: str) -> None:
    """Its deliveries wait until a person enables it again."""
    webhook.status, webhook.disabled_reason = WebhookStatus.DISABLED, reason
    webhook.save(update_fields=("status", "disabled_reason", "updated_at"))
    with acting_as(source="task", correlation_id=correlation_id):
        record(Event.WEBHOOK_DISABLED, webhook.subject, name=webhook.name, url=webhook.url, reason=reason)
