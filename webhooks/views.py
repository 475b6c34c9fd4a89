"""Webhooks over HTTP."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.idempotency import idempotent
from apexchainx.api.pagination import StyledPagination
from webhooks import services
from webhooks.filters import DeliveryFilter
from webhooks.models import Delivery, Webhook
from webhooks.serializers import (
    CreatedWebhookSerializer,
    DeliveryDetailSerializer,
    DeliverySerializer,
    WebhookRequestSerializer,
    WebhookSerializer,
)

NEWEST = 50
PAGING = {"limit", "offset", "page", "page_size", "cursor"}


class WebhookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Webhook]):
    """Who is told of what. The secret is shown once, in the answer that creates it."""

    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer
    pagination_class = None
    scopes: ClassVar = {"read": "webhooks:read", "write": "webhooks:write"}

    def drafted(self, request: Request) -> Webhook:
        body = WebhookRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return services.draft(**body.validated_data)

    @extend_schema(request=WebhookRequestSerializer, responses={201: CreatedWebhookSerializer})
    @idempotent(prepare="drafted", shown_once="secret")
    def create(self, _request: Request, webhook: Webhook) -> Response:
        return Response(CreatedWebhookSerializer(services.create(webhook)).data, status=201)

    @extend_schema(request=WebhookRequestSerializer, responses=WebhookSerializer)
    def partial_update(self, request: Request, **_: Any) -> Response:
        webhook = self.get_object()
        body = WebhookRequestSerializer(webhook, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        return Response(WebhookSerializer(services.update(webhook.pk, **body.validated_data)).data)

    def destroy(self, _request: Request, **_: Any) -> Response:
        services.delete(self.get_object().pk)
        return Response(status=204)


class NewestUnlessPaged(StyledPagination):
    """A request that does not page gets the newest as a bare array."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.is_paged = bool(PAGING & request.query_params.keys())
        if not self.is_paged:
            return list(queryset[:NEWEST])
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response(self, data: Any) -> Response:
        return super().get_paginated_response(data) if self.is_paged else Response(data)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {"oneOf": [schema, super().get_paginated_response_schema(schema)]}


class DeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Delivery]):
    """What one subscriber was told, newest first, with every attempt."""

    queryset = Delivery.objects.all()
    serializer_class = DeliverySerializer
    pagination_class = NewestUnlessPaged
    filterset_class = DeliveryFilter
    scopes: ClassVar = {"read": "webhooks:read"}

    def get_queryset(self) -> QuerySet[Delivery]:
        deliveries = Delivery.objects.all()
        return deliveries if self.action == "retrieve" else deliveries.brief()

    def get_serializer_class(self) -> type[DeliverySerializer]:
        return DeliveryDetailSerializer if self.action == "retrieve" else DeliverySerializer

    def filter_queryset(self, queryset: QuerySet[Delivery, Any]) -> QuerySet[Delivery, Any]:
        webhook = get_object_or_404(Webhook, pk=self.kwargs["webhook_id"])
        return super().filter_queryset(queryset.filter(webhook=webhook))
