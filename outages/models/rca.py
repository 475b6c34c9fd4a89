"""Why an outage happened, and what is done about it."""

from datetime import date
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from outages.models.outage import Outage


class RootCauseAnalysisQuerySet(models.QuerySet["RootCauseAnalysis"]):
    def of(self, reference: str) -> Self:
        """Every version for one outage, with what its document needs."""
        analyses = self.filter(outage__reference=reference).select_related("outage__recurrence_of")
        return analyses.prefetch_related("outage__follow_ups__outage")

    def published(self) -> Self:
        return self.filter(status=RootCauseAnalysis.Status.PUBLISHED)


class RootCauseAnalysis(models.Model):
    """One version of the analysis of one outage; a change is a new version, and all are kept."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"

    outage = models.ForeignKey(Outage, on_delete=models.PROTECT, related_name="analyses")
    version = models.PositiveIntegerField()
    status = models.CharField(max_length=9, choices=Status.choices)
    root_cause = models.TextField()
    contributing_factors = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    remediation = models.TextField(blank=True)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)

    objects = RootCauseAnalysisQuerySet.as_manager()

    class Meta:
        ordering = ("outage_id", "-version")
        verbose_name = "root cause analysis"
        verbose_name_plural = "root cause analyses"
        constraints = (
            models.UniqueConstraint(fields=("outage", "version"), name="rca_version_numbers_are_unique"),
        )

    def __str__(self) -> str:
        return f"RCA v{self.version} of {self.outage}"


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def overdue(self, on: date) -> Self:
        return self.filter(done_at__isnull=True, due_on__lt=on)


class FollowUp(models.Model):
    """Something that somebody does, by a day, so that it does not happen again."""

    outage = models.ForeignKey(Outage, on_delete=models.PROTECT, related_name="follow_ups")
    number = models.PositiveIntegerField()
    action = models.CharField(max_length=500)
    owner = models.CharField(max_length=255)
    due_on = models.DateField()
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=254, blank=True)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        ordering = ("due_on", "id")
        constraints = (
            models.UniqueConstraint(fields=("outage", "number"), name="follow_up_numbers_are_unique"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by="") | Q(done_at__isnull=False) & ~Q(done_by=""),
                name="follow_up_done_names_who_did_it",
            ),
        )
        indexes = (
            models.Index(fields=("due_on",), condition=Q(done_at__isnull=True), name="follow_up_open"),
        )

    def __str__(self) -> str:
        return f"{self.number}. {self.action}"

    @property
    def is_done(self) -> bool:
        return self.done_at is not None
