from typing import cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apexchainx.accounts.models import User
from apexchainx.read_only_admin import ReadOnly
from webhooks import services
from webhooks.models import Attempt, Delivery, Webhook, WebhookStatus


@admin.register(Webhook)
class WebhookAdmin(ReadOnly):
    """The API makes subscriptions, and shows their secret once; here they are paused and activated."""

    list_display = (
        "id",
        "name",
        "url",
        "status",
        "disabled_reason",
        "consecutive_failures",
        "failing_since",
        "last_success_at",
        "created_by",
    )
    list_display_links = ("id", "name")
    list_filter = ("status",)
    search_fields = ("name", "url")
    date_hierarchy = "created_at"
    exclude = ("encrypted_secret",)
    actions = ("pause", "activate")

    def has_turn_permission(self, request: HttpRequest) -> bool:
        return "webhooks:write" in cast("User", request.user).scopes

    @admin.action(description="Pause selected webhooks", permissions=["turn"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        self.turn(request, queryset, WebhookStatus.PAUSED)

    @admin.action(description="Activate selected webhooks", permissions=["turn"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        self.turn(request, queryset, WebhookStatus.ACTIVE)

    def turn(self, request: HttpRequest, queryset: QuerySet[Webhook], status: WebhookStatus) -> None:
        chosen = queryset.order_by("pk")
        for webhook in chosen:
            services.update(webhook.pk, status=status)
        self.message_user(request, f"Now {status}: {len(chosen)}.")


class AttemptInline(admin.TabularInline):
    model = Attempt
    fields = ("number", "started_at", "status_code", "latency_ms", "error")
    extra = 0


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    list_display = (
        "public_id",
        "webhook",
        "event",
        "status",
        "attempts",
        "next_attempt_at",
        "created_at",
        "delivered_at",
    )
    list_filter = ("status", "event")
    search_fields = ("message_id", "correlation_id", "webhook__name", "webhook__url")
    date_hierarchy = "created_at"
    list_select_related = ("webhook",)
    inlines = (AttemptInline,)


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    list_display = ("id", "delivery", "number", "started_at", "status_code", "latency_ms", "error")
    list_filter = ("status_code",)
    search_fields = ("delivery__message_id", "error")
    date_hierarchy = "started_at"
    list_select_related = ("delivery",)
