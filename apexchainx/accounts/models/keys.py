"""API keys: what programs call with."""

import uuid
from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apexchainx.accounts.models.users import SCOPES, Role, User

# The one that stands for all the others.
FULL = "admin:full"
EVERY_SCOPE = SCOPES[Role.ADMIN]
# So much of a key is kept as it is, for people to recognise it.
PREFIX_LENGTH = 8


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def made_by(self, maker_id: int | None) -> Self:
        """Keys belong to their makers; what was made on the command line belongs to nobody, which is None."""
        return self.filter(created_by=maker_id)

    def live(self, at: datetime) -> Self:
        """Neither revoked nor expired, and made by somebody who may still enter, or on the command line."""
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=at),
            Q(created_by__isnull=True) | Q(created_by__is_active=True),
            revoked_at__isnull=True,
        )


class ApiKey(models.Model):
    """The right of a program to certain scopes. The key itself is shown once and kept as a digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255, blank=True)
    prefix = models.CharField(max_length=PREFIX_LENGTH, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the key.")
    scopes: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=32), default=list, blank=True
    )
    created_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="api_keys",
        help_text="Nobody where it was made on the command line.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="To the minute: not every request counts."
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("created_at")),
                name="accounts_a_key_expires_after_it_was_made",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name or self.pk} ({self.prefix}...)"

    @property
    def subject(self) -> str:
        """What the audit log calls it."""
        return f"api_key:{self.pk}"

    @property
    def effective_scopes(self) -> frozenset[str]:
        """What it opens now: never more than its maker's role does."""
        given = EVERY_SCOPE if FULL in self.scopes else frozenset(self.scopes)
        return given & SCOPES[self.created_by.role] if self.created_by else given
