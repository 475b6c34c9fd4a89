import json
from decimal import Decimal
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from apexchainx.api.fields import TextField, pair
from webhooks.models import Attempt, Delivery, Webhook, WebhookStatus


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """A subscription, without its secret."""

    id = serializers.CharField(source="pk")
    name = serializers.SerializerMethodField()
    events = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField(source="is_active")
    is_active = serializers.BooleanField()
    disabled_reason = serializers.SerializerMethodField()

    class Meta:
        model = Webhook
        fields: tuple[str, ...] = (
            "id",
            "name",
            "url",
            "events",
            "status",
            "active",
            "is_active",
            "disabled_reason",
            "consecutive_failures",
            "failing_since",
            "last_success_at",
            "created_by",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_name(self, webhook: Webhook) -> str | None:
        return webhook.name or None

    def get_disabled_reason(self, webhook: Webhook) -> str | None:
        return webhook.disabled_reason or None


class CreatedWebhookSerializer(WebhookSerializer):
    """The one answer that shows the secret."""

    secret = serializers.CharField()

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")
        read_only_fields = fields


class WebhookRequestSerializer(serializers.Serializer[Webhook]):
    """`active`, or `is_active`, is short for a status; a false one leaves a disabled webhook disabled."""

    name = TextField(max_length=255, required=False, allow_blank=True)
    url = TextField(max_length=2048)
    events = serializers.ListField(
        child=TextField(max_length=64), min_length=1, max_length=settings.MAX_WEBHOOK_EVENTS_COUNT
    )
    secret = TextField(max_length=255, required=False, write_only=True)
    status = serializers.ChoiceField(choices=WebhookStatus.choices, required=False)
    active = serializers.BooleanField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(pair(data, "active", "is_active"))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        active = attrs.pop("active", None)
        if active is None:
            return attrs
        if "status" in attrs and active != (attrs["status"] == WebhookStatus.ACTIVE):
            raise ValidationError({"status": ["status and active contradict each other."]})
        if self.instance is None or self.instance.is_active != active:
            attrs.setdefault("status", WebhookStatus.ACTIVE if active else WebhookStatus.PAUSED)
        return attrs


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    error = serializers.SerializerMethodField()

    class Meta:
        model = Attempt
        fields: tuple[str, ...] = ("number", "started_at", "status_code", "latency_ms", "error")
        read_only_fields = fields

    def get_error(self, attempt: Attempt) -> str | None:
        return attempt.error or None


class AttemptDetailSerializer(AttemptSerializer):
    """With the first 16 KiB of what came back."""

    class Meta(AttemptSerializer.Meta):
        fields = (*AttemptSerializer.Meta.fields, "response_body")
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """An event on its way; `message_id` is the webhook-id header."""

    id = serializers.CharField(source="pk")
    webhook_id = serializers.CharField()
    message_id = serializers.CharField(source="public_id")
    attempt_count = serializers.IntegerField(source="attempts")
    attempts = AttemptSerializer(source="tries", many=True)

    class Meta:
        model = Delivery
        fields: tuple[str, ...] = (
            "id",
            "webhook_id",
            "message_id",
            "event",
            "status",
            "attempt_count",
            "next_attempt_at",
            "created_at",
            "delivered_at",
            "correlation_id",
            "attempts",
        )
        read_only_fields = fields


class DeliveryDetailSerializer(DeliverySerializer):
    attempts = AttemptDetailSerializer(source="tries", many=True)
    payload = serializers.SerializerMethodField()

    class Meta(DeliverySerializer.Meta):
        fields = (*DeliverySerializer.Meta.fields, "payload")
        read_only_fields = fields

    def get_payload(self, delivery: Delivery) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(delivery.body, parse_float=Decimal)
        return content
