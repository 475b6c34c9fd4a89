"""Policies that are never edited, and results that name the policy they came from."""

import uuid
from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import cached_property

from apexchainx.references import number, reference
from outages import clock
from outages.models import Outage, Severity
from sla.policy import Terms, digits

CALENDAR_PREFIX = "CAL"


class ClockSource(models.TextChoices):
    """How strong the evidence for the minutes is.

    Declared means that back-dating changed the verdict, imported that somebody told us of it afterwards.
    """

    MEASURED = "measured"
    DECLARED = "declared"
    IMPORTED = "imported"


class CalendarQuerySet(models.QuerySet["Calendar"]):
    def referenced(self, text: str) -> Self:
        """The one calendar with this public id, or none."""
        return self.filter(pk=number(CALENDAR_PREFIX, text) or 0)


class Calendar(models.Model):
    """When the clock of a policy runs: weekly hours in a time zone, without holidays."""

    name = models.CharField(max_length=100, unique=True)
    timezone = models.CharField(max_length=64, help_text="A name of the IANA database: Africa/Lagos.")
    weekly = models.JSONField(
        default=list, help_text='[{"weekday": 1, "opens": "08:00", "closes": "18:00"}]; 1 is Monday.'
    )
    holidays = ArrayField(models.DateField(), default=list, blank=True)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    objects = CalendarQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def reference(self) -> str:
        return reference(CALENDAR_PREFIX, self.pk)

    @property
    def subject(self) -> str:
        return f"calendar:{self.reference}"

    @property
    def hours(self) -> clock.Calendar:
        """As the clock reads it."""
        openings = (
            clock.Opening(day["weekday"], minutes(day["opens"]), minutes(day["closes"]))
            for day in self.weekly
        )
        return clock.Calendar(self.timezone, tuple(openings), frozenset(self.holidays))


def minutes(wall_time: str) -> int:
    """After midnight; 24:00 is the end of the day."""
    hours, _, rest = wall_time.partition(":")
    return int(hours) * 60 + int(rest)


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    def in_force(self, at: datetime) -> Self:
        return self.filter(effective_from__lte=at).filter(
            Q(effective_to__isnull=True) | Q(effective_to__gt=at)
        )


class PolicyVersion(models.Model):
    """Terms for one severity from `effective_from` on. A change is a new row."""

    severity = models.CharField(max_length=8, choices=Severity.choices)
    version = models.PositiveIntegerField()
    threshold_minutes = models.PositiveIntegerField()
    penalty_per_minute = models.DecimalField(max_digits=18, decimal_places=7)
    reward_base = models.DecimalField(max_digits=18, decimal_places=7)
    calendar = models.ForeignKey(
        Calendar,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="policies",
        help_text="When the clock runs; without one, always.",
    )
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=254)
    published_at = models.DateTimeField(default=timezone.now)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        ordering = ("severity", "-version")
        constraints = (
            models.UniqueConstraint(fields=("severity", "version"), name="policy_version_numbers_are_unique"),
            models.UniqueConstraint(
                fields=("severity",),
                condition=Q(effective_to__isnull=True),
                name="policy_one_open_version_per_severity",
            ),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return f"{self.severity}-v{self.version}"

    def was_in_force(self, at: datetime) -> bool:
        return self.effective_from <= at and (self.effective_to is None or at < self.effective_to)

    @cached_property
    def rule(self) -> clock.Rule:
        """What the clock has to know of it."""
        return clock.Rule(self.threshold_minutes, self.calendar.hours if self.calendar else None)

    @property
    def terms(self) -> Terms:
        return Terms(self.threshold_minutes, self.penalty_per_minute, self.reward_base)


class SLAResult(models.Model):
    """What one outage earned or cost, and why. A recomputation adds a row and supersedes this one."""

    class Status(models.TextChoices):
        MET = "met"
        VIOLATED = "violated"

    class Outcome(models.TextChoices):
        REWARD = "reward"
        PENALTY = "penalty"

    class Rating(models.TextChoices):
        EXCEPTIONAL = "exceptional"
        EXCELLENT = "excellent"
        GOOD = "good"
        POOR = "poor"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outage = models.ForeignKey(Outage, on_delete=models.PROTECT, related_name="sla_results")
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="results")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    status = models.CharField(max_length=8, choices=Status.choices)
    outcome = models.CharField(max_length=7, choices=Outcome.choices)
    rating = models.CharField(max_length=11, choices=Rating.choices)
    mttr_minutes = models.PositiveIntegerField()
    threshold_minutes = models.PositiveIntegerField()
    amount = models.DecimalField(max_digits=18, decimal_places=7, help_text="Signed: a penalty is negative.")
    reason_code = models.CharField(max_length=32)
    decision_trace = models.JSONField(default=list)
    clock_source = models.CharField(max_length=8, choices=ClockSource.choices)
    is_latest = models.BooleanField(default=True)
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-computed_at", "id")
        verbose_name = "SLA result"
        constraints = (
            models.UniqueConstraint(
                fields=("outage",), condition=Q(is_latest=True), name="sla_one_latest_result_per_outage"
            ),
            models.CheckConstraint(
                condition=Q(outcome="penalty", amount__lte=0) | Q(outcome="reward", amount__gte=0),
                name="sla_penalty_is_negative_and_reward_is_not",
            ),
        )

    def __str__(self) -> str:
        return f"{self.outcome} {digits(self.amount)} for {self.mttr_minutes} minutes"

    @property
    def asked(self) -> "ContractInvocation | None":
        """What the contract is asked about it, or was; None where our own arithmetic alone decides."""
        return getattr(self, "invocation", None)


class ContractInvocationQuerySet(models.QuerySet["ContractInvocation"]):
    def due(self, at: datetime) -> Self:
        """To be carried a step further: of those that share an account one at a time, in their order."""
        state = ContractInvocation.State
        signed = ContractInvocation.objects.filter(account=OuterRef("account"), state=state.SIGNED)
        waiting = Q(state=state.PENDING) & ~Exists(signed)
        return self.filter(Q(state=state.SIGNED) | waiting, next_action_at__lte=at)


class ContractInvocation(models.Model):
    """A call of the SLA contract: the calculation of one result, or an order of an admin.

    It is bound to one sequence number of one account before anything is signed. The network consumes a
    number once, so whatever is signed for this pair can land once at most.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        SIGNED = "signed"
        CONFIRMED = "confirmed"
        MISMATCH = "mismatch"
        REFUSED = "refused"

    CALCULATION = "calculate_sla"

    function = models.CharField(max_length=32, default=CALCULATION)
    argument = models.CharField(max_length=56, blank=True, help_text="The address that an order names.")
    result = models.OneToOneField(
        SLAResult, on_delete=models.PROTECT, null=True, blank=True, related_name="invocation"
    )
    job_id = models.UUIDField(null=True, blank=True, unique=True, help_text="Where an order can be watched.")
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    account = models.CharField(max_length=56, blank=True, help_text="Of the operator, or of the admin.")
    sequence = models.PositiveBigIntegerField(null=True, blank=True)
    envelope_xdr = models.TextField(blank=True)
    hash = models.CharField(max_length=64, blank=True)
    earlier_hashes = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    max_time = models.DateTimeField(
        null=True, blank=True, help_text="The network refuses the envelope after this."
    )
    fee = models.PositiveBigIntegerField(null=True, blank=True, help_text="What it has cost, in stroops.")
    ledger = models.PositiveBigIntegerField(null=True, blank=True)
    answer = models.JSONField(null=True, blank=True, help_text="What the contract said, numbers as text.")
    error = models.CharField(max_length=64, blank=True, help_text="Why it was refused, or what differs.")
    tries = models.PositiveIntegerField(default=0)
    next_action_at = models.DateTimeField(default=timezone.now, help_text="Leased or waiting until then.")
    last_answer = models.CharField(max_length=255, blank=True)
    correlation_id = models.CharField(max_length=128, blank=True, help_text="Under which it was asked for.")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ContractInvocationQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("account", "sequence"), name="contract_one_use_per_sequence_number"
            ),
            models.UniqueConstraint(
                fields=("account",),
                condition=Q(state="signed"),
                name="contract_one_live_invocation_per_account",
            ),
            models.CheckConstraint(
                condition=~Q(state="signed")
                | Q(sequence__isnull=False, max_time__isnull=False) & ~Q(envelope_xdr="") & ~Q(hash=""),
                name="contract_signed_is_kept_with_its_pair",
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(ledger__isnull=False),
                name="contract_confirmed_was_seen_in_a_ledger",
            ),
            models.CheckConstraint(
                condition=Q(function="calculate_sla", result__isnull=False, job_id__isnull=True)
                | ~Q(function="calculate_sla") & Q(result__isnull=True, job_id__isnull=False),
                name="contract_calculates_a_result_or_obeys_an_order",
            ),
        )
        indexes = (
            models.Index(
                fields=("next_action_at", "id"),
                condition=Q(state__in=("pending", "signed")),
                name="contract_due",
            ),
        )

    def __str__(self) -> str:
        return f"{self.function} {self.state}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in {self.State.PENDING, self.State.SIGNED}

    @property
    def seen_hash(self) -> str | None:
        """That of the transaction, once a ledger has shown it."""
        return self.hash if self.ledger is not None else None
