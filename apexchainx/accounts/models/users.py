"""Who may enter, and as what."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from apexchainx.accounts.passwords import normalised
from audit.events import Event
from audit.log import record


class Role(models.TextChoices):
    VIEWER = "viewer"
    ENGINEER = "engineer"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMIN = "admin"


READ = {"outages:read", "sla:read", "payments:read", "wallets:read"}
ENGINEER = READ | {
    "outages:write",
    "sla:write",
    "disputes:write",
    "payments:write",
    "wallets:write",
    "webhooks:read",
    "jobs:read",
}
MANAGER = ENGINEER | {"payments:approve", "disputes:rule", "policy:write", "webhooks:write"}

# A role is a named set of scopes.
SCOPES: dict[str, frozenset[str]] = {
    Role.VIEWER: frozenset(READ),
    Role.ENGINEER: frozenset(ENGINEER),
    Role.MANAGER: frozenset(MANAGER),
    Role.AUDITOR: frozenset(READ | {"webhooks:read", "audit:read", "jobs:read"}),
    Role.ADMIN: frozenset(MANAGER | {"audit:read", "admin:full"}),
}


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """Addresses are matched without case."""
        return self.get(email=User.normalize_username(username or ""))

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """The first admin, for Django's own command."""
        user = self.model(email=User.normalize_username(email), role=Role.ADMIN, is_staff=True, **fields)
        user.is_superuser = True
        user.set_password(password)
        with transaction.atomic():
            user.save(using=self._db)
            record(Event.USER_CREATED, f"user:{user.pk}", role=user.role)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail address is the name to log in with; what they may do follows from the role."""

    email = models.EmailField(max_length=254, unique=True)
    full_name = models.CharField(max_length=255, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.ENGINEER)
    stellar_wallet = models.CharField(max_length=56, blank=True, help_text="Public key, for display only.")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May use the admin site.")
    date_joined = models.DateTimeField(default=timezone.now)
    second_factor_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when a login takes a second factor."
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="accounts_address_is_in_lower_case"
            ),
        )

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        return super().normalize_username(username).strip().lower()

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password and normalised(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        return super().check_password(raw_password and normalised(raw_password))

    @property
    def lacks_second_factor(self) -> bool:
        """An admin who has to set one up before anything else."""
        is_due = settings.REQUIRE_ADMIN_2FA and self.second_factor_at is None
        return is_due and "admin:full" in SCOPES[self.role]

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset() if self.lacks_second_factor else SCOPES[self.role]
