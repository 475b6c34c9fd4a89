"""What was answered under an idempotency key."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone


def kept_since(at: datetime) -> datetime:
    return at - timedelta(hours=settings.IDEMPOTENCY_KEEP_HOURS)


class IdempotencyRecordQuerySet(models.QuerySet["IdempotencyRecord"]):
    def kept(self, at: datetime) -> Self:
        return self.filter(created_at__gt=kept_since(at))

    def over(self, at: datetime) -> Self:
        return self.filter(created_at__lte=kept_since(at))


class IdempotencyRecord(models.Model):
    """The answer to one request, committed with the effects of it; a repetition gets the same."""

    scope = models.CharField(
        max_length=64, primary_key=True, help_text="SHA-256 of principal, method, path and key."
    )
    principal = models.CharField(max_length=64)
    path = models.TextField(help_text="Method and path.")
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of the query and the body.")
    status = models.PositiveSmallIntegerField()
    body = models.BinaryField(help_text="As it was sent, without secrets.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = IdempotencyRecordQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.principal} {self.path}"
