"""Payments over HTTP: web processes show them, the signer moves them."""

from typing import Any, ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from payments.filters import PaymentFilter
from payments.models import Payment, PaymentQuerySet
from payments.serializers import PaymentSerializer, SummarySerializer


@extend_schema(description="Payments, newest first, with the sums over everything that the filters select.")
class HistoryViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Payment]):
    queryset = Payment.objects.select_related("outage")
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    pagination_alias = "transactions"
    scopes: ClassVar = {"read": "payments:read"}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().list(request, *args, **kwargs)
        selected = cast("PaymentQuerySet", self.filter_queryset(Payment.objects.all()))
        response.data["summary"] = SummarySerializer(selected.totals()).data
        return response
