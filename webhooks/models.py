"""Who wants to hear what, and what they were told."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Prefetch, Q
from django.db.models.functions import Now
from django.db.models.query import RawQuerySet

from audit.events import PUBLIC
from webhooks import signing

ALL = "*"
# Names that subscribers learnt elsewhere, with the event each stands for.
ALIASES: dict[str, str] = {
    "sla.evaluated": "sla.calculated",
    "sla.breached": "sla.violation",
    "sla.resolved": "sla.reward",
    "sla.warning": "sla.at_risk",
    "payment.confirmed": "payment.completed",
    "payment.processed": "payment.completed",
}
# Every name that may be registered.
SUBSCRIBABLE: tuple[str, ...] = (ALL, *(event.value for event in PUBLIC), *ALIASES)


def names_of(event: str) -> list[str]:
    """What a subscriber to this event may have registered."""
    return [event, *(alias for alias, meant in ALIASES.items() if meant == event), ALL]


class WebhookStatus(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def subscribed_to(self, events: Iterable[str]) -> "RawQuerySet[Webhook]":
        """Active subscribers to any of these, each kept from being deleted until the transaction ends."""
        return self.raw(
            "SELECT * FROM webhooks_webhook WHERE status = %s AND events && %s::varchar[]"
            " ORDER BY id FOR KEY SHARE",
            [WebhookStatus.ACTIVE, sorted({name for event in events for name in names_of(event)})],
        )


class Webhook(models.Model):
    """A subscription: an address, the events that it wants, and the secret that signs for it."""

    name = models.CharField(max_length=255, blank=True)
    url = models.CharField(max_length=2048)
    events: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=64))
    status = models.CharField(max_length=16, choices=WebhookStatus.choices, default=WebhookStatus.ACTIVE)
    disabled_reason = models.CharField(max_length=255, blank=True)
    encrypted_secret = models.BinaryField()
    consecutive_failures = models.PositiveIntegerField(
        default=0, help_text="Deliveries given up in a row; a success or enabling again sets it to 0."
    )
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="The first failed attempt since the last success or enabling."
    )
    last_success_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(status=WebhookStatus.DISABLED) ^ Q(disabled_reason=""),
                name="webhooks_disabled_has_a_reason_and_only_then",
            ),
            models.CheckConstraint(condition=Q(events__len__gt=0), name="webhooks_subscribes_to_something"),
        )

    def __str__(self) -> str:
        return self.name or self.url

    @property
    def subject(self) -> str:
        """What the audit log calls it."""
        return f"webhook:{self.pk}"

    @property
    def is_active(self) -> bool:
        return self.status == WebhookStatus.ACTIVE

    @property
    def secret(self) -> str:
        """Raises cryptography.fernet.InvalidToken when it was encrypted under another key."""
        return signing.decrypt(bytes(self.encrypted_secret), settings.WEBHOOK_ENCRYPTION_KEY)

    @secret.setter
    def secret(self, text: str) -> None:
        self.encrypted_secret = signing.encrypt(text, settings.WEBHOOK_ENCRYPTION_KEY)

    def wants(self, event: str) -> bool:
        return not set(self.events).isdisjoint(names_of(event))

    def name_for(self, event: str) -> str:
        """The name under which this subscriber hears of an event: the first that it registered."""
        registered = next((name for name in self.events if name in names_of(event)), ALL)
        return event if registered == ALL else registered


class DeliveryStatus(models.TextChoices):
    PENDING = "pending"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, at: datetime) -> Self:
        """To be sent now: its time has come, or whoever was sending it has been silent too long."""
        waiting = Q(status=DeliveryStatus.PENDING, next_attempt_at__lte=at)
        abandoned = Q(status=DeliveryStatus.DELIVERING, leased_until__lte=at)
        return self.filter(waiting | abandoned, webhook__status=WebhookStatus.ACTIVE)

    def under_way(self, at: datetime) -> Self:
        return self.filter(status=DeliveryStatus.DELIVERING, leased_until__gt=at)

    def brief(self) -> Self:
        """For lists: with the attempts, without what was sent and what came back."""
        return self.defer("body").prefetch_related(
            Prefetch("tries", Attempt.objects.defer("response_body")),
        )


class Delivery(models.Model):
    """One event on its way to one subscriber."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    message_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event_id = models.BigIntegerField(help_text="The audit event that it tells of.")
    event = models.CharField(max_length=64, help_text="The name under which the subscriber registered it.")
    body = models.TextField(help_text="What is sent and signed, the same on every attempt.")
    correlation_id = models.CharField(max_length=128, blank=True)
    status = models.CharField(max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0, help_text="How often it was sent, or begun to be.")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "deliveries"
        constraints = (
            models.UniqueConstraint(fields=("webhook", "event_id"), name="webhooks_one_delivery_per_event"),
            models.CheckConstraint(
                condition=~(Q(status=DeliveryStatus.PENDING) ^ Q(next_attempt_at__isnull=False)),
                name="webhooks_pending_has_a_time_and_only_then",
            ),
            models.CheckConstraint(
                condition=~(Q(status=DeliveryStatus.DELIVERING) ^ Q(leased_until__isnull=False)),
                name="webhooks_delivering_has_a_lease_and_only_then",
            ),
            models.CheckConstraint(
                condition=~(Q(status=DeliveryStatus.DELIVERED) ^ Q(delivered_at__isnull=False)),
                name="webhooks_delivered_has_a_time_and_only_then",
            ),
        )
        indexes = (
            models.Index(fields=("webhook", "-id"), name="webhooks_newest_by_webhook"),
            models.Index(
                fields=("next_attempt_at",), condition=Q(status=DeliveryStatus.PENDING), name="webhooks_due"
            ),
            models.Index(
                fields=("leased_until",),
                condition=Q(status=DeliveryStatus.DELIVERING),
                name="webhooks_leased",
            ),
        )

    def __str__(self) -> str:
        return f"{self.event} {self.public_id}"

    @property
    def public_id(self) -> str:
        """The webhook-id header, the same on every attempt."""
        return f"msg_{self.message_id}"

    @property
    def message(self) -> signing.Message:
        return signing.Message(self.public_id, self.event, self.body.encode(), self.correlation_id)


class Attempt(models.Model):
    """One try at a delivery, and what came back."""

    MAX_BODY_BYTES: ClassVar = 16 * 1024

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries", db_index=False)
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    latency_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    response_body = models.TextField(blank=True)

    class Meta:
        ordering = ("delivery_id", "number")
        constraints = (
            models.UniqueConstraint(fields=("delivery", "number"), name="webhooks_one_attempt_per_number"),
            models.CheckConstraint(
                condition=Q(status_code__isnull=True) ^ Q(error=""),
                name="webhooks_attempt_has_a_status_or_an_error",
            ),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.status_code or self.error}"
