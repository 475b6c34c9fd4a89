"""Root cause analyses and follow-ups for NOC staff."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apexchainx.errors import DomainError
from apexchainx.read_only_admin import ReadOnly
from outages.models import FollowUp, RootCauseAnalysis
from outages.services.rca import mark_done


@admin.register(RootCauseAnalysis)
class RootCauseAnalysisAdmin(ReadOnly):
    list_display = ("outage", "version", "status", "root_cause", "created_by", "created_at")
    list_filter = ("status",)
    search_fields = ("outage__reference", "outage__site_name", "root_cause")
    date_hierarchy = "created_at"
    list_select_related = ("outage",)


class OverdueFilter(admin.SimpleListFilter):
    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("overdue", "Overdue"), ("done", "Done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[FollowUp]) -> QuerySet[FollowUp]:
        if self.value() == "overdue":
            return queryset.filter(pk__in=FollowUp.objects.overdue(timezone.now().date()))
        if self.value() is None:
            return queryset
        return queryset.filter(done_at__isnull=self.value() == "open")


@admin.register(FollowUp)
class FollowUpAdmin(ReadOnly):
    list_display = ("outage", "number", "action", "owner", "due_on", "done_at", "done_by")
    list_display_links = ("number", "action")
    list_filter = (OverdueFilter,)
    search_fields = ("outage__reference", "action", "owner")
    date_hierarchy = "due_on"
    list_select_related = ("outage",)
    actions = ("finish", "reopen")

    def has_write_permission(self, request: HttpRequest) -> bool:
        return "outages:write" in getattr(request.user, "scopes", ())

    @admin.action(description="Done", permissions=["write"])
    def finish(self, request: HttpRequest, queryset: QuerySet[FollowUp]) -> None:
        self.mark(request, queryset, is_done=True)

    @admin.action(description="Open again", permissions=["write"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[FollowUp]) -> None:
        self.mark(request, queryset, is_done=False)

    def mark(self, request: HttpRequest, queryset: QuerySet[FollowUp], *, is_done: bool) -> None:
        """Each for itself: one that is refused does not stop the others."""
        word = "done" if is_done else "open again"
        for item in queryset.select_related("outage").order_by("pk"):
            name = f"{item.outage.reference}, {item}"
            try:
                mark_done(item.outage.reference, item.number, is_done=is_done)
            except DomainError as refusal:
                self.message_user(request, f"{name}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, f"{name}: {word}.", messages.SUCCESS)
