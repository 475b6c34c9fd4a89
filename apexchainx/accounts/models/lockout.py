"""What the door remembers: who tried in vain, and from where an account is used."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from apexchainx.accounts.models.users import User

# How long an address counts as the user's own after a login.
KNOWN_FOR = timedelta(days=30)


class CounterQuerySet(models.QuerySet["AttemptCounter"]):
    def over(self, at: datetime) -> Self:
        """Neither counts nor locks any more."""
        longest = max(settings.AUTH_RATE_LIMIT_WINDOW_SECONDS, settings.AUTH_LOCKOUT_DURATION_MINUTES * 60)
        return self.filter(touched_at__lt=at - timedelta(seconds=longest))


class AttemptCounter(models.Model):
    """Attempts under one key, which is a keyed hash: whoever reads this table learns no addresses.

    An attempt takes its place before it is judged, and a good one empties the counter.
    """

    key = models.CharField(max_length=64, unique=True)
    tried_at = ArrayField(models.DateTimeField(), default=list)
    locked_until = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = CounterQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key

    def take_place(self, at: datetime) -> bool:
        """One more attempt at this moment. True where it was the last: from here on the counter is locked."""
        window = timedelta(seconds=settings.AUTH_RATE_LIMIT_WINDOW_SECONDS)
        before = [] if self.locked_until else [moment for moment in self.tried_at if moment > at - window]
        self.tried_at = [*before, at]
        is_full = len(self.tried_at) >= settings.AUTH_MAX_FAILED_ATTEMPTS
        duration = timedelta(minutes=settings.AUTH_LOCKOUT_DURATION_MINUTES)
        self.locked_until = at + duration if is_full else None
        return is_full


class KnownClientQuerySet(models.QuerySet["KnownClient"]):
    def recent(self, at: datetime) -> Self:
        return self.filter(last_login_at__gt=at - KNOWN_FOR)

    def over(self, at: datetime) -> Self:
        return self.filter(last_login_at__lte=at - KNOWN_FOR)


class KnownClient(models.Model):
    """An address from which a user has logged in: what others do elsewhere does not shut it out."""

    user = models.ForeignKey(User, models.CASCADE, related_name="known_clients")
    address = models.CharField(max_length=64)
    last_login_at = models.DateTimeField()

    objects = KnownClientQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "address"), name="accounts_a_client_is_known_once"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.address}"
