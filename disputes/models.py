"""Objections to SLA results."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apexchainx.references import number, reference
from outages.models import Outage
from sla.models import SLAResult

PREFIX = "DIS"
LONGEST_REASON = 5000


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def referenced(self, text: str) -> Self:
        """The one dispute with this public id, or none."""
        return self.filter(pk=number(PREFIX, text) or 0)


class Dispute(models.Model):
    """Somebody says that a result is wrong; one at a time for each result."""

    class Status(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"
        REJECTED = "rejected"

    outage = models.ForeignKey(Outage, on_delete=models.PROTECT, related_name="disputes")
    sla_result = models.ForeignKey(SLAResult, on_delete=models.PROTECT, related_name="disputes")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    reason = models.TextField()
    filed_by = models.CharField(max_length=254, help_text="A user's id or service:<key id>.")
    resolution_notes = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = DisputeQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("sla_result",), condition=Q(status="open"), name="disputes_one_open_per_result"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("open", "resolved", "rejected")), name="disputes_status_is_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="disputes_reason_is_given"),
        )
        indexes = (
            models.Index(fields=("-created_at", "-id"), name="disputes_newest_first"),
            models.Index(fields=("status", "-created_at", "-id"), name="disputes_by_status"),
        )

    def __str__(self) -> str:
        return f"{self.reference} ({self.status})"

    @property
    def reference(self) -> str:
        return reference(PREFIX, self.pk)
