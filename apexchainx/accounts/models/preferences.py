"""How people like their screens."""

from django.db import models

from apexchainx.accounts.models.users import User


class Preferences(models.Model):
    """Whatever a client wants to remember for its user: an object that we store and do not read."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="preferences")
    value = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return str(self.user_id)
