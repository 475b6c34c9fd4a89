"""What was brought in from a file, and how far that got."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class ImportRun(models.Model):
    """One file or list. `digest` finds the run again that a break has interrupted."""

    class Status(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        REFUSED = "refused"

    filename = models.CharField(max_length=255, blank=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was brought in.")
    status = models.CharField(max_length=7, choices=Status.choices)
    rows = models.PositiveIntegerField(default=0, help_text="How many it holds.")
    imported = models.PositiveIntegerField(default=0, help_text="How many have become outages so far.")
    skipped = models.PositiveIntegerField(default=0, help_text="How many were here already.")
    error_count = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list, help_text="The first of them, each with row, field and message.")
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("digest",), condition=Q(status="running"), name="import_one_running_per_file"
            ),
        )

    def __str__(self) -> str:
        return f"{self.filename or 'list'}: {self.imported} of {self.rows}"

    @property
    def subject(self) -> str:
        return f"import:{self.pk}"
