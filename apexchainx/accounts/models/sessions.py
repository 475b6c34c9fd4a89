"""Sessions: each is one login on one client, with the family of tokens that came from it."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apexchainx.accounts.models.users import User


class EndReason(models.TextChoices):
    """Why a session is over. The database itself writes the three that follow from a change of the user."""

    LOGGED_OUT = "logged_out"
    LOGGED_OUT_EVERYWHERE = "logged_out_everywhere"
    REMOVED = "removed", "Removed from the list by its owner"
    ADMIN_LOGOUT = "admin_logout"
    TOKEN_REUSED = "token_reused"  # noqa: S105
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    ROLE_CHANGED = "role_changed"
    DEACTIVATED = "deactivated"


def idle_limit() -> timedelta:
    return timedelta(days=settings.SESSION_IDLE_DAYS)


class SessionQuerySet(models.QuerySet["Session"]):
    def open(self) -> Self:
        """Not ended by anybody, but perhaps by time."""
        return self.filter(ended_at__isnull=True)

    def live(self, at: datetime) -> Self:
        """Neither ended nor too old nor too long unused, and of a user who may enter."""
        return self.open().filter(expires_at__gt=at, last_used_at__gt=at - idle_limit(), user__is_active=True)


class Session(models.Model):
    """A family of tokens: only its newest refresh token counts, and that is kept as a digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    impersonator = models.ForeignKey(
        User,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="impersonations",
        help_text="The admin who acts as the user.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(
        default=timezone.now, help_text="When it was begun, refreshed or renewed; not every request counts."
    )
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=32, choices=EndReason.choices, blank=True)
    address = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    refresh_digest = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of the newest refresh token."
    )
    generation = models.PositiveIntegerField(default=1, help_text="How many refresh tokens there have been.")
    refreshed_at = models.DateTimeField(null=True, blank=True, help_text="When the newest one was made.")

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        indexes = (
            models.Index(
                fields=("user", "-created_at"),
                condition=Q(ended_at__isnull=True),
                name="accounts_open_sessions",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_reason="")
                | (Q(ended_at__isnull=False) & ~Q(ended_reason="")),
                name="accounts_an_ended_session_says_why",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="accounts_session_expires_after_it_began"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.id}"

    @property
    def subject(self) -> str:
        return f"user:{self.user_id}"

    def is_live(self, at: datetime) -> bool:
        """As `SessionQuerySet.live` has it, for a row at hand."""
        return (
            self.ended_at is None
            and self.expires_at > at
            and self.last_used_at > at - idle_limit()
            and self.user.is_active
        )
