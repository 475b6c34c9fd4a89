"""Who can be paid or billed, and the one ledger address of each."""

from datetime import timedelta
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

KEY = r"[A-Za-z0-9_-]{1,64}"


class Kind(models.TextChoices):
    POOL = "pool"
    TEAM = "team"
    OPERATOR = "operator"
    PARTNER = "partner"


class Status(models.TextChoices):
    REGISTERED = "registered"
    APPROVED = "approved"
    SUSPENDED = "suspended"


class Owner(models.Model):
    """Somebody whom outages and payments name by `key`; managers create them."""

    key = models.CharField(
        max_length=64,
        unique=True,
        validators=[RegexValidator(rf"^{KEY}\Z", "Up to 64 letters, digits, hyphens and underscores.")],
    )
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("key",)
        constraints = (
            models.CheckConstraint(condition=Q(key__regex=rf"^{KEY}$"), name="wallets_owner_key_is_a_slug"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="wallets_owner_kind_is_known"),
        )

    def __str__(self) -> str:
        return self.key


class WalletQuerySet(models.QuerySet["Wallet"]):
    def approved(self) -> Self:
        """Those that money may go to."""
        return self.filter(status=Status.APPROVED)

    def of(self, owner_key: str) -> Self:
        return self.filter(owner__key=owner_key)


class Wallet(models.Model):
    """An owner's address on the ledger, and what the ledger last said of it."""

    owner = models.OneToOneField(Owner, on_delete=models.PROTECT, related_name="wallet")
    address = models.CharField(max_length=56)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.REGISTERED)
    registered_by = models.CharField(max_length=254, help_text="A user's id, service:<key id> or system.")
    approved_by = models.CharField(max_length=254, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    # The ledger counts in 64 bits: up to 12 digits before the point.
    usdc = models.DecimalField(max_digits=19, decimal_places=7, default=Decimal(0))
    xlm = models.DecimalField(max_digits=19, decimal_places=7, default=Decimal(0))
    is_funded = models.BooleanField(default=False, help_text="The ledger has this account.")
    has_trustline = models.BooleanField(default=False, help_text="It can receive our asset.")
    fetched_at = models.DateTimeField(null=True, blank=True, help_text="When the ledger was asked.")

    objects = WalletQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("address",), name="wallets_one_owner_per_address"),
            models.CheckConstraint(
                condition=Q(address__regex=r"^G[A-Z2-7]{55}$"), name="wallets_wallet_address_is_an_account"
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="wallets_wallet_status_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.APPROVED) | Q(approved_at__isnull=False) & ~Q(approved_by=""),
                name="wallets_wallet_approval_names_its_approver",
            ),
        )

    def __str__(self) -> str:
        return self.address

    @property
    def is_active(self) -> bool:
        """The account exists and nobody has suspended the wallet."""
        return self.is_funded and self.status != Status.SUSPENDED

    @property
    def is_fresh(self) -> bool:
        """Whether the balance may be answered without asking the ledger."""
        return self.seconds_left > 0

    @property
    def cache_status(self) -> str:
        return "fresh" if self.is_fresh else "stale"

    @property
    def seconds_left(self) -> int:
        """How long the cached balance is good for."""
        if self.fetched_at is None:
            return 0
        ends_at = self.fetched_at + timedelta(seconds=settings.WALLET_CACHE_TTL_SECONDS)
        return max(0, int((ends_at - timezone.now()).total_seconds()))
