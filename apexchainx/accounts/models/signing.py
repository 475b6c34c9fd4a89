"""The keys that sign tokens."""

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull
from django.utils import timezone


class SigningKey(models.Model):
    """One key, named in every token that it signed. A retired one signs no more, but is still believed."""

    kid = models.CharField(max_length=32, unique=True)
    encrypted_secret = models.BinaryField(editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                IsNull(F("retired_at"), True),
                condition=Q(retired_at__isnull=True),
                name="accounts_one_key_signs",
            ),
        )

    def __str__(self) -> str:
        return self.kid
