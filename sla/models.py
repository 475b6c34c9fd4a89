"""Policies that are never edited, and results that name the policy they came from."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import OuterRef, Q
from django.utils import timezone

from outages.models import Outage, Severity
from sla.policy import Terms, digits


class ClockSource(models.TextChoices):
    """How strong the evidence for the minutes is: declared means that back-dating changed the verdict."""

    MEASURED = "measured"
    DECLARED = "declared"


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    def in_force(self, at: datetime | OuterRef) -> Self:
        return self.filter(effective_from__lte=at).filter(
            Q(effective_to__isnull=True) | Q(effective_to__gt=at)
        )

    def governing_outer_outage(self) -> Self:
        """For a subquery on outages: the version that judges the outer row."""
        return self.in_force(OuterRef("detected_at")).filter(severity=OuterRef("severity"))


class PolicyVersion(models.Model):
    """Terms for one severity from `effective_from` on. A change is a new row."""

    severity = models.CharField(max_length=8, choices=Severity.choices)
    version = models.PositiveIntegerField()
    threshold_minutes = models.PositiveIntegerField()
    penalty_per_minute = models.DecimalField(max_digits=18, decimal_places=7)
    reward_base = models.DecimalField(max_digits=18, decimal_places=7)
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
