"""The log: facts, written once."""

from typing import Self

from django.db import models
from django.db.models.functions import Now

from audit.events import choices


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def stream(self, name: str) -> Self:
        """What happened to one thing, whichever app stated it, in the order it was recorded."""
        return self.filter(stream=name).order_by("id")


class AuditEvent(models.Model):
    """One fact. A database trigger refuses UPDATE, DELETE and TRUNCATE."""

    event = models.CharField(max_length=64, choices=choices)
    subject = models.CharField(max_length=128, help_text="What it is about, such as payment:PAY001.")
    stream = models.CharField(max_length=128, blank=True, help_text="The outage it belongs to, if any.")
    actor = models.CharField(max_length=254, help_text="A user's id, service:<key id> or system.")
    impersonator = models.CharField(
        max_length=254,
        blank=True,
        db_default="",
        help_text="The id of the admin who acted in the actor's name.",
    )
    source = models.CharField(max_length=16, help_text="api, admin, command or task.")
    correlation_id = models.CharField(max_length=128, blank=True)
    data = models.JSONField(default=dict)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("stream", "id"), name="audit_by_stream"),
            models.Index(fields=("event", "id"), name="audit_by_event"),
            models.Index(fields=("correlation_id", "id"), name="audit_by_correlation"),
            models.Index(fields=("recorded_at",), name="audit_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.event} {self.subject}"
