from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apexchainx.accounts.models import User
from apexchainx.errors import DomainError
from apexchainx.read_only_admin import ReadOnly
from wallets import services
from wallets.models import Owner, Wallet


def may_approve(request: HttpRequest) -> bool:
    """Here and over HTTP alike, owners and approvals are a manager's."""
    return isinstance(request.user, User) and "payments:approve" in request.user.scopes


@admin.register(Owner)
class OwnerAdmin(admin.ModelAdmin):
    list_display = ("key", "name", "kind", "created_at")
    list_filter = ("kind",)
    search_fields = ("key", "name")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Owner | None = None) -> tuple[str, ...]:
        return ("key", "created_at") if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and may_approve(request)

    def has_change_permission(self, request: HttpRequest, obj: Owner | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_approve(request)

    def has_delete_permission(self, request: HttpRequest, obj: Owner | None = None) -> bool:
        """Outages and payments name owners for good."""
        return False

    def save_model(self, request: HttpRequest, obj: Owner, form: ModelForm, change: bool) -> None:
        save = services.change_owner if change else services.create_owner
        obj.pk = save(key=obj.key, name=obj.name, kind=obj.kind).pk

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.path)


@admin.register(Wallet)
class WalletAdmin(ReadOnly):
    list_display = (
        "owner",
        "address",
        "status",
        "registered_by",
        "approved_by",
        "usdc",
        "xlm",
        "has_trustline",
        "fetched_at",
    )
    list_filter = ("status", "owner__kind", "is_funded", "has_trustline")
    search_fields = ("owner__key", "owner__name", "address")
    date_hierarchy = "created_at"
    list_select_related = ("owner",)
    actions = ("approve",)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return may_approve(request)

    @admin.action(description="Approve for payments", permissions=["approve"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Wallet]) -> None:
        """Each for itself: one that is refused does not stop the others."""
        for wallet in queryset.select_related("owner").order_by("pk"):
            try:
                services.approve(wallet.owner.key)
            except DomainError as refusal:
                self.message_user(request, f"{wallet.owner.key}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, f"{wallet.owner.key} is approved.", messages.SUCCESS)
