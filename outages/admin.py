from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from apexchainx.read_only_admin import ReadOnly
from outages.models import Outage
from outages.services.reporting import Report, create

REPORTED = (
    "site_name",
    "site_id",
    "region",
    "severity",
    "description",
    "affected_services",
    "affected_subscribers",
    "assigned_to",
    "team",
    "operator",
    "detected_at",
)


@admin.register(Outage)
class OutageAdmin(ReadOnly):
    """Outages are reported here as over HTTP, by the same service; what is reported is evidence and stays."""

    list_display = (
        "reference",
        "site_name",
        "severity",
        "state",
        "detected_at",
        "resolved_at",
        "mttr_minutes",
        "assigned_to",
    )
    list_filter = ("state", "severity", "region")
    search_fields = ("reference", "site_name", "site_id", "description")
    date_hierarchy = "detected_at"
    list_select_related = True
    autocomplete_fields = ("team", "operator")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "outages:write" in getattr(request.user, "scopes", ())

    def get_fields(self, request: HttpRequest, obj: Outage | None = None) -> Any:
        return super().get_fields(request, obj) if obj else REPORTED

    def save_model(self, request: HttpRequest, obj: Outage, form: ModelForm, change: bool) -> None:
        stated = dict(form.cleaned_data)
        for party in ("team", "operator"):
            stated[party] = stated[party].key if stated[party] else ""
        made = create(Report(**stated))
        obj.pk, obj.reference = made.pk, made.reference
