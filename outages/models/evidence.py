"""Facts that the clock is read from, and maintenance that it does not count."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from apexchainx.references import reference
from outages import clock
from outages.models.outage import Outage

LONGEST_DETAIL = 500


class Fact(models.Model):
    """One statement about an outage's clock. A trigger refuses UPDATE, and DELETE unless its outage goes."""

    class Kind(models.TextChoices):
        DETECTED = "detected"
        SEVERITY = "severity"
        ACKNOWLEDGED = "acknowledged"
        INVESTIGATING = "investigating"
        ASSIGNED = "assigned"
        PAUSED = "paused"
        RESUMED = "resumed"
        REPEATED = "repeated"
        RESOLVED = "resolved"

    outage = models.ForeignKey(
        Outage, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="facts"
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    detail = models.CharField(
        max_length=LONGEST_DETAIL, blank=True, help_text="The severity, the assignee, or the reason."
    )
    occurred_at = models.DateTimeField(help_text="The time that it is about.")
    recorded_at = models.DateTimeField(default=timezone.now, help_text="When it was stated.")
    actor = models.CharField(max_length=254)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(occurred_at__lte=F("recorded_at")), name="fact_is_about_what_has_happened"
            ),
            models.UniqueConstraint(
                fields=("outage",), condition=Q(kind="resolved"), name="fact_one_resolution_per_outage"
            ),
        )
        indexes = (models.Index(fields=("outage", "id"), name="fact_by_outage"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.occurred_at:%Y-%m-%d %H:%M}"

    @property
    def plain(self) -> clock.Fact:
        """As the clock reads it."""
        return clock.Fact(self.kind, self.occurred_at, self.recorded_at, self.detail)


class MaintenanceWindowQuerySet(models.QuerySet["MaintenanceWindow"]):
    def in_effect(self) -> Self:
        """Approved and not withdrawn."""
        return self.filter(approved_at__isnull=False, withdrawn_at__isnull=True)

    def excluding(self, outage: Outage) -> Self:
        """Those that stop the clock of this outage, as far as is known now."""
        place = Q(service_key__in=[service.lower() for service in outage.affected_services])
        place |= Q(site_name__iexact=outage.site_name) & ~Q(site_name="")
        place |= Q(region__iexact=outage.region) & ~Q(region="")
        windows = self.in_effect().alias(service_key=Lower("service"))
        return windows.filter(place, sla_relevant=False, ends_at__gt=outage.detected_at)


class MaintenanceWindow(models.Model):
    """Planned work at a site, in a region or on a service: a draft until a second person approves it."""

    name = models.CharField(max_length=200)
    site_name = models.CharField(max_length=255, blank=True)
    region = models.CharField(max_length=64, blank=True)
    service = models.CharField(max_length=255, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    sla_relevant = models.BooleanField(
        default=False, help_text="Whether the clock runs on; otherwise the window does not count."
    )
    reason = models.CharField(max_length=500)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)
    approved_by = models.CharField(max_length=254, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True, help_text="From here on the clock knows of it.")
    withdrawn_by = models.CharField(max_length=254, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = MaintenanceWindowQuerySet.as_manager()

    class Meta:
        ordering = ("-starts_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="maintenance_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=~Q(site_name="") & Q(region="") & Q(service="")
                | Q(site_name="") & ~Q(region="") & Q(service="")
                | Q(site_name="") & Q(region="") & ~Q(service=""),
                name="maintenance_is_at_one_site_region_or_service",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by="")
                | Q(approved_at__isnull=False) & ~Q(approved_by=""),
                name="maintenance_approval_names_its_approver",
            ),
        )
        indexes = (
            models.Index(fields=("-starts_at", "-id"), name="maintenance_newest_first"),
            models.Index(fields=("ends_at",), name="maintenance_by_end"),
        )

    def __str__(self) -> str:
        return f"{self.reference} {self.name}"

    @property
    def reference(self) -> str:
        return reference("MW", self.pk)

    @property
    def subject(self) -> str:
        return f"maintenance:{self.reference}"

    @property
    def plain(self) -> clock.Window:
        """As the clock reads it; it is known since its approval."""
        return clock.Window(self.starts_at, self.ends_at, self.approved_at or self.created_at, self.name)
