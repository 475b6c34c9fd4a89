"""Facts that the clock is read from, and maintenance that it does not count."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apexchainx.references import number, reference
from outages import clock
from outages.models.outage import Outage

LONGEST_DETAIL = 500
PREFIX = "MW"
# A window is at exactly one of them.
PLACES = ("site_name", "region", "service")


class Fact(models.Model):
    """One statement about an outage's clock. A trigger refuses UPDATE, and DELETE unless its outage goes."""

    class Kind(models.TextChoices):
        DETECTED = "detected"
        SEVERITY = "severity"
        ACKNOWLEDGED = "acknowledged"
        INVESTIGATING = "investigating"
        ASSIGNED = "assigned"
        PLACED = "placed"
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


def places_of(outage: Outage) -> set[tuple[str, str]]:
    """As `MaintenanceWindow.place`: where a window has to be to stop the clock of this outage."""
    site, region = ("site_name", outage.site_name), ("region", outage.region)
    services = (("service", service) for service in outage.affected_services)
    return {(kind, name.casefold()) for kind, name in (site, region, *services)}


class MaintenanceWindowQuerySet(models.QuerySet["MaintenanceWindow"]):
    def referenced(self, text: str) -> Self:
        """The one window with this public id, or none."""
        return self.filter(pk=number(PREFIX, text) or 0)

    def with_status(self, status: str) -> Self:
        """As `MaintenanceWindow.status` says it."""
        if status == MaintenanceWindow.Status.APPROVED:
            return self.in_effect()
        if status == MaintenanceWindow.Status.WITHDRAWN:
            return self.filter(withdrawn_at__isnull=False)
        return self.filter(approved_at__isnull=True, withdrawn_at__isnull=True)

    def in_effect(self) -> Self:
        """Approved and not withdrawn."""
        return self.filter(approved_at__isnull=False, withdrawn_at__isnull=True)

    def overlapping(self, start: datetime, end: datetime) -> Self:
        return self.filter(starts_at__lt=end, ends_at__gt=start)

    def excluding_any(self, outages: Iterable[Outage]) -> Self:
        """Those that stop the clock of any of these outages, if they are at its place."""
        known_since = [min(outage.detected_at, outage.recorded_at) for outage in outages]
        if not known_since:
            return self.none()
        return self.in_effect().filter(sla_relevant=False, ends_at__gt=min(known_since))


class MaintenanceWindow(models.Model):
    """Planned work at a site, in a region or on a service: a draft until a second person approves it."""

    class Status(models.TextChoices):
        DRAFT = "draft"
        APPROVED = "approved"
        WITHDRAWN = "withdrawn"

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
        return reference(PREFIX, self.pk)

    @property
    def subject(self) -> str:
        return f"maintenance:{self.reference}"

    @property
    def status(self) -> str:
        if self.withdrawn_at is not None:
            return self.Status.WITHDRAWN
        return self.Status.APPROVED if self.approved_at is not None else self.Status.DRAFT

    @property
    def place(self) -> tuple[str, str]:
        """What kind of place it is at, and its name in any case of letters."""
        kind = next(name for name in PLACES if getattr(self, name))
        return kind, getattr(self, kind).casefold()

    def concerns(self, outage: Outage) -> bool:
        return self.place in places_of(outage)

    @property
    def plain(self) -> clock.Window:
        """As the clock reads it: known since its approval."""
        return clock.Window(self.starts_at, self.ends_at, self.approved_at or self.created_at, self.name)
