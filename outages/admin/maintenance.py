"""Maintenance windows for NOC staff."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from apexchainx import context
from apexchainx.errors import DomainError, Invalid
from apexchainx.read_only_admin import ReadOnly
from outages.models import MaintenanceWindow
from outages.services import maintenance


class PlanForm(ModelForm):
    class Meta:
        model = MaintenanceWindow
        fields = tuple(maintenance.Plan.__dataclass_fields__)

    def clean(self) -> dict[str, Any]:
        """The service's own rules, told beside the field."""
        stated = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                maintenance.refuse_bad(maintenance.Plan(**stated))
            except Invalid as refusal:
                for field, texts in refusal.details["fields"].items():
                    self.add_error(field, texts)
        return dict(stated)


class StatusFilter(admin.SimpleListFilter):
    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, str(label)) for word, label in MaintenanceWindow.Status.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[MaintenanceWindow]
    ) -> QuerySet[MaintenanceWindow]:
        return queryset.with_status(self.value()) if self.value() else queryset  # type: ignore[attr-defined]


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(ReadOnly):
    """Planned here as over HTTP, by the same service; a second person approves."""

    list_display = (
        "reference",
        "name",
        "status",
        "site_name",
        "region",
        "service",
        "starts_at",
        "ends_at",
        "sla_relevant",
        "created_by",
        "approved_by",
    )
    list_filter = (StatusFilter, "sla_relevant")
    search_fields = ("name", "site_name", "region", "service", "reason")
    date_hierarchy = "starts_at"
    actions = ("approve", "withdraw")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "outages:write" in getattr(request.user, "scopes", ())

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return may_rule(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if obj else {"form": PlanForm}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj else PlanForm.Meta.fields

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        obj.pk = maintenance.plan(maintenance.Plan(**form.cleaned_data)).pk

    @admin.action(description="Approve: the clock knows of it from now on", permissions=["approve"])
    def approve(self, request: HttpRequest, queryset: QuerySet[MaintenanceWindow]) -> None:
        """Each for itself: one that is refused does not stop the others."""
        for window in queryset.order_by("pk"):
            try:
                maintenance.approve(window.reference)
            except DomainError as refusal:
                self.message_user(request, f"{window.reference}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, f"{window.reference} is approved.", messages.SUCCESS)

    @admin.action(description="Withdraw: it counts no longer", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[MaintenanceWindow]) -> None:
        """Each for itself, as with approvals; an approved one takes the right to approve."""
        for window in queryset.order_by("pk"):
            try:
                maintenance.withdraw(window.reference, may_rule=may_rule(request))
            except DomainError as refusal:
                self.message_user(request, f"{window.reference}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, f"{window.reference} is withdrawn.", messages.SUCCESS)


def may_rule(request: HttpRequest) -> bool:
    """Here and over HTTP alike, approvals are a manager's, in person."""
    return "policy:write" in getattr(request.user, "scopes", ()) and not context.current().impersonator
