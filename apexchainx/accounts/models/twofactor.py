"""The second factor: what helps whoever has lost the device. The device itself is django-otp's."""

from django.db import models

from apexchainx.accounts.models.users import User


class BackupCode(models.Model):
    """Good once instead of a code from the device; kept as a keyed hash."""

    user = models.ForeignKey(User, models.CASCADE, related_name="backup_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "digest"), name="accounts_a_backup_code_is_given_once"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.pk}"
