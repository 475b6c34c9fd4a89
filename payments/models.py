"""A payment, and the ledger transaction that carries it."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from apexchainx.references import reference
from outages.models import Outage
from sla.models import SLAResult

# The reason that a payment carries while a dispute about its result is open.
DISPUTED = "disputed"
# How every reason begins that a payment carries while the contract has not agreed to its result.
CONTRACT = "contract_"


class PaymentQuerySet(models.QuerySet["Payment"]):
    def due(self, at: datetime) -> Self:
        """Ready to be carried, or parked and to be looked at again."""
        return self.filter(state__in=(Payment.State.READY, Payment.State.PARKED), next_action_at__lte=at)

    def totals(self) -> dict[str, Decimal]:
        """Money that these payments moved or are to move, in USDC; cancelled and failed ones move none."""
        live = self.exclude(state__in=(Payment.State.FAILED, Payment.State.CANCELLED)).order_by()
        zero = Value(0, output_field=models.DecimalField())
        sums = live.aggregate(
            total_penalties=Coalesce(Sum("amount", filter=Q(type="penalty")), zero),
            total_rewards=Coalesce(Sum("amount", filter=Q(type="reward")), zero),
        )
        return {**sums, "net_amount": sums["total_rewards"] - sums["total_penalties"]}


class Payment(models.Model):
    """Money that one SLA result moves, once: `source_key` is unique."""

    class Type(models.TextChoices):
        REWARD = "reward"
        PENALTY = "penalty"

    class State(models.TextChoices):
        HELD = "held"
        READY = "ready"
        BATCHED = "batched"
        AWAITING_PAYER = "awaiting_payer"
        PARKED = "parked"
        PAID = "paid"
        FAILED = "failed"
        CANCELLED = "cancelled"

    # The public word for each state.
    STATUS: ClassVar[dict[str, str]] = {
        State.HELD: "held",
        State.READY: "pending",
        State.BATCHED: "pending",
        State.AWAITING_PAYER: "pending",
        State.PARKED: "pending",
        State.PAID: "confirmed",
        State.FAILED: "failed",
        State.CANCELLED: "cancelled",
    }

    source_key = models.CharField(
        max_length=64, unique=True, help_text="What it pays for: sla: and the id of a result."
    )
    type = models.CharField(max_length=8, choices=Type.choices)
    sla_result = models.OneToOneField(SLAResult, on_delete=models.PROTECT, related_name="payment")
    outage = models.ForeignKey(Outage, on_delete=models.PROTECT, related_name="payments")
    payer = models.CharField(max_length=64, help_text="The owner who pays.")
    payee = models.CharField(max_length=64, help_text="The owner who receives.")
    amount = models.DecimalField(max_digits=18, decimal_places=7)
    asset_code = models.CharField(max_length=12)
    from_address = models.CharField(max_length=56, blank=True)
    to_address = models.CharField(max_length=56, blank=True)
    state = models.CharField(max_length=16, choices=State.choices)
    reason = models.CharField(max_length=64, blank=True, help_text="Why it is not paid.")
    next_action_at = models.DateTimeField(null=True, blank=True)
    transaction_hash = models.CharField(max_length=64, blank=True)
    ledger = models.PositiveBigIntegerField(null=True, blank=True)
    correlation_id = models.CharField(max_length=128, blank=True, help_text="Under which it was asked for.")
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_is_positive"),
            models.CheckConstraint(
                condition=~Q(state="paid") | Q(confirmed_at__isnull=False) & ~Q(transaction_hash=""),
                name="payment_paid_has_a_transaction",
            ),
        )
        indexes = (
            models.Index(fields=("-created_at", "-id"), name="payment_newest_first"),
            models.Index(
                fields=("next_action_at",), condition=Q(state__in=("ready", "parked")), name="payment_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.reference} {self.type} {self.amount:f} {self.asset_code}"

    @property
    def reference(self) -> str:
        return reference("PAY", self.pk)

    @property
    def status(self) -> str:
        return self.STATUS[self.state]

    @property
    def facts(self) -> dict[str, object]:
        """What every event about a payment says."""
        return {
            "outage_id": self.outage.reference,
            "payment_id": self.reference,
            "sla_result_id": self.sla_result_id,
            "type": self.type,
            "amount": self.amount,
            "asset_code": self.asset_code,
            "transaction_hash": self.transaction_hash,
            "state": self.state,
            "reason": self.reason,
        }


class Channel(models.Model):
    """An account on the ledger whose sequence numbers carry our payments, one transaction at a time."""

    address = models.CharField(max_length=56, unique=True)
    last_sequence = models.PositiveBigIntegerField(default=0, help_text="The highest number ever reserved.")

    def __str__(self) -> str:
        return self.address


class StellarTransaction(models.Model):
    """One sequence number of one channel, bound to one payment before anything is signed.

    The network consumes a sequence number once, so whatever is signed for this pair can land once at most.
    """

    class State(models.TextChoices):
        RESERVED = "reserved"
        SUBMITTED = "submitted"
        SETTLED = "settled"
        FAILED_ONCHAIN = "failed_onchain"

    LIVE = (State.RESERVED, State.SUBMITTED)

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="transactions")
    sequence = models.PositiveBigIntegerField()
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="transactions")
    state = models.CharField(max_length=16, choices=State.choices, default=State.RESERVED)
    tries = models.PositiveIntegerField(default=0)
    next_action_at = models.DateTimeField(default=timezone.now, help_text="Leased or waiting until then.")
    last_answer = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("channel", "sequence"), name="stellar_one_use_per_sequence_number"
            ),
            models.UniqueConstraint(
                fields=("channel",),
                condition=Q(state__in=("reserved", "submitted")),
                name="stellar_one_live_transaction_per_channel",
            ),
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(state__in=("reserved", "submitted", "settled")),
                name="stellar_one_live_transaction_per_payment",
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.sequence} {self.state}"


class Attempt(models.Model):
    """An envelope signed for a transaction, kept with its hash before it is first sent."""

    transaction = models.ForeignKey(StellarTransaction, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    hash = models.CharField(max_length=64, unique=True)
    envelope_xdr = models.TextField()
    max_time = models.DateTimeField(help_text="The network refuses the envelope after this.")
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("transaction_id", "number")
        constraints = (
            models.UniqueConstraint(fields=("transaction", "number"), name="attempt_numbers_are_unique"),
        )

    def __str__(self) -> str:
        return self.hash
