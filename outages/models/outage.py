"""An outage and where it stands."""

from datetime import UTC, datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Subquery, When
from django.db.models.functions import Coalesce, Upper
from django.utils import timezone

from outages.clock import RANK
from outages.models.columns import CauseKey, NextReference, Relevance, SearchField, SearchText, SearchVector
from outages.models.words import Sought
from wallets.models import Owner


class Severity(models.TextChoices):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Source(models.TextChoices):
    """How an outage came to us. What is imported is history told by somebody, and weaker evidence."""

    API = "api"
    ADMIN = "admin"
    COMMAND = "command"
    TASK = "task"
    IMPORT = "import"
    ALARM = "alarm"


# More than are collected where a search is not common, at a million outages.
SOON_COLLECTED = 5_000
# Of so many newest ones a common search finds enough.
SOON_READ = 50_000
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


class OutageQuerySet(models.QuerySet["Outage"]):
    def open(self) -> Self:
        return self.exclude(state=Outage.State.RESOLVED)

    def overlapping(self, start: datetime, end: datetime) -> Self:
        return self.filter(detected_at__lt=end).filter(
            Q(resolved_at__isnull=True) | Q(resolved_at__gte=start)
        )

    def newest(self) -> Self:
        return self.order_by("-detected_at", "-id")

    def newest_collected(self, few: int) -> "OutageQuerySet":
        """The newest of so many, which an index of words finds before they are put in order."""
        collected = self.order_by().values("pk")[:few]
        return Outage.objects.filter(pk__in=collected).newest()

    def newest_read(self, few: int) -> Any:
        """The newest that stand among the newest outages; where those have too few, older ones follow."""
        detections = Outage.objects.order_by("-detected_at").values("detected_at")
        start = Coalesce(Subquery(detections[SOON_READ : SOON_READ + 1]), EARLIEST)
        recent = self.filter(detected_at__gte=start).newest()
        older = self.filter(detected_at__lt=start).newest_collected(SOON_COLLECTED)
        return recent.values("pk")[:few].union(older.values("pk")[:few], all=True)[:few]

    def most_relevant(self, sought: Sought, *, of: int) -> "OutageQuerySet":
        """Of the newest so many matches, the most relevant first; `relevance` says how much.

        The weights of the words found (site, then services and cause, then description and notes), less for
        what is old: half of it after ninety days. Whoever names an id finds it first.
        """
        matches = self.filter(sought.condition)
        newest: Any = matches.newest_collected(SOON_COLLECTED).values("pk")[:of]
        if sought.is_common:
            newest = matches.newest_read(of)
        relevance = Relevance("search_vector", sought.query, "detected_at")
        named = Q(reference__iexact=sought.text) | Q(site_id__iexact=sought.text)
        ranked = Outage.objects.filter(pk__in=newest).annotate(relevance=relevance, is_named=named)
        return ranked.order_by("-is_named", "-relevance", "-id")


Outages = models.Manager.from_queryset(OutageQuerySet)


class OutageManager(Outages):  # type: ignore[type-arg]
    """Outages without what they are only searched by."""

    def get_queryset(self) -> OutageQuerySet:
        found = OutageQuerySet(self.model, using=self._db)
        return found.defer("search_text", "search_vector")


class Outage(models.Model):
    """A service at a site does not work, from `detected_at` until `resolved_at`."""

    class State(models.TextChoices):
        ACTIVE = "active"
        INVESTIGATING = "investigating"
        RESOLVED = "resolved"

    reference = models.CharField("id", max_length=64, unique=True, db_default=NextReference())
    site_name = models.CharField(max_length=255)
    site_id = models.CharField(max_length=64, blank=True)
    region = models.CharField(max_length=64, blank=True)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.ACTIVE)
    description = models.TextField(blank=True)
    affected_services = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    affected_subscribers = models.PositiveIntegerField(null=True, blank=True)
    latitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    assigned_to = models.CharField(max_length=255, blank=True)
    created_by = models.CharField(max_length=254)
    team = models.ForeignKey(
        Owner,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Receives rewards.",
    )
    operator = models.ForeignKey(
        Owner, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Owes penalties."
    )
    detected_at = models.DateTimeField(default=timezone.now)
    recorded_at = models.DateTimeField(
        default=timezone.now, editable=False, help_text="When we first heard of it."
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=254, blank=True)
    mttr_minutes = models.PositiveIntegerField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=254, blank=True)
    paused_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when the clock stands still, if it does."
    )
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.API, editable=False)
    fingerprint = models.CharField(
        max_length=128, blank=True, editable=False, help_text="The alarm that reported it."
    )
    alarm_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="duplicates",
        help_text="The outage that this one was a duplicate of.",
    )
    recurrence_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="recurrences",
        help_text="An earlier outage of the same site with the same cause.",
    )
    root_cause = models.TextField(blank=True)
    resolution_notes = models.TextField(blank=True)
    correlation_id = models.CharField(max_length=128, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(
        default=1, editable=False, help_text="Counts the changes; the first part of the ETag."
    )
    severity_rank = models.GeneratedField(
        expression=Case(
            *(When(severity=word, then=rank) for rank, word in enumerate(RANK)),
            default=0,
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    cause_key = models.GeneratedField(
        expression=CauseKey("root_cause"), output_field=models.CharField(max_length=200), db_persist=True
    )

    search_text = SearchField(expression=SearchText(), output_field=models.TextField())
    search_vector = SearchField(expression=SearchVector(), output_field=SearchVectorField())

    objects = OutageManager()

    class Meta:
        ordering = ("-detected_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True) | Q(resolved_at__gte=F("detected_at")),
                name="outage_resolves_after_detection",
            ),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False)
                & (Q(mttr_minutes__isnull=True) ^ Q(merged_into__isnull=True))
                | Q(resolved_at__isnull=True, mttr_minutes__isnull=True, merged_into__isnull=True)
                & ~Q(state="resolved"),
                name="outage_resolved_iff_resolved_at_and_measured_unless_merged",
            ),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True) | Q(resolved_at__isnull=True),
                name="outage_stands_still_only_while_open",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")),
                name="outage_is_no_duplicate_of_itself",
            ),
            models.UniqueConstraint(
                fields=("fingerprint",),
                condition=~Q(fingerprint="") & Q(resolved_at__isnull=True),
                name="outage_one_open_per_alarm",
            ),
            models.UniqueConstraint(
                fields=("fingerprint", "alarm_started_at"),
                condition=~Q(fingerprint=""),
                name="outage_one_per_alarm_and_start",
            ),
        )
        indexes = (
            models.Index(fields=("-detected_at", "-id"), name="outage_newest_first"),
            models.Index(fields=("severity", "-detected_at", "-id"), name="outage_by_severity"),
            models.Index(fields=("state", "-detected_at", "-id"), name="outage_by_state"),
            models.Index(fields=("site_name", "-detected_at"), name="outage_by_site"),
            # One for each order that a list may have; the other direction reads it backwards.
            models.Index(fields=("state", "id"), name="outage_sorted_by_state"),
            models.Index(fields=("severity_rank", "id"), name="outage_sorted_by_severity"),
            models.Index(fields=("site_name", "id"), name="outage_sorted_by_site"),
            models.Index(fields=("updated_at", "id"), name="outage_sorted_by_update"),
            # Unknown values stand last in both directions, so each direction has its own.
            models.Index("resolved_at", "id", name="outage_sorted_by_end"),
            models.Index(
                F("resolved_at").desc(nulls_last=True), F("id").desc(), name="outage_sorted_by_end_desc"
            ),
            models.Index("mttr_minutes", "id", name="outage_sorted_by_mttr"),
            models.Index(
                F("mttr_minutes").desc(nulls_last=True), F("id").desc(), name="outage_sorted_by_mttr_desc"
            ),
            models.Index(fields=("site_id", "-detected_at", "-id"), name="outage_by_site_id"),
            models.Index(Upper("region"), F("detected_at").desc(), F("id").desc(), name="outage_by_region"),
            models.Index(fields=("assigned_to", "-detected_at", "-id"), name="outage_by_assignee"),
            models.Index(fields=("source", "-detected_at", "-id"), name="outage_by_source"),
            models.Index(
                fields=("-detected_at", "-id"),
                condition=Q(merged_into__isnull=False),
                name="outage_merged_newest_first",
            ),
            models.Index(
                fields=("-detected_at", "-id"),
                condition=Q(recurrence_of__isnull=False),
                name="outage_chronic_newest_first",
            ),
            GinIndex(fields=("affected_services",), name="outage_by_service"),
            GinIndex(fields=("search_vector",), name="outage_search_words"),
            GinIndex(OpClass("search_text", "gin_trgm_ops"), name="outage_search_parts"),
            models.Index(
                fields=("site_name", "cause_key", "detected_at"),
                condition=~Q(cause_key=""),
                name="outage_by_site_and_cause",
            ),
        )

    def __str__(self) -> str:
        return f"{self.reference} {self.site_name} ({self.severity})"

    @property
    def stream(self) -> str:
        return f"outage:{self.reference}"

    @property
    def is_resolved(self) -> bool:
        return self.state == Outage.State.RESOLVED

    @property
    def status(self) -> str:
        """The public word: open or resolved."""
        return "resolved" if self.is_resolved else "open"

    def store(self, *fields: str) -> None:
        """Save these fields as the row's next version; the caller holds its lock."""
        self.version += 1
        self.save(update_fields=(*fields, "version", "updated_at"))

    @property
    def team_key(self) -> str:
        return self.team.key if self.team else settings.DEFAULT_TEAM

    @property
    def operator_key(self) -> str:
        return self.operator.key if self.operator else settings.DEFAULT_OPERATOR
