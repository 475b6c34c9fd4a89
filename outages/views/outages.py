"""Outages over HTTP."""

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.idempotency import idempotent
from outages.filters import OutageFilter
from outages.models import Outage
from outages.serializers.outage import (
    CreatedOutageSerializer,
    NewOutageSerializer,
    OutageDetailSerializer,
    OutageSerializer,
    ResolutionSerializer,
    SettlementSerializer,
)
from outages.services import reporting
from outages.views.lists import OutageLists
from payments.services.settling import settle
from sla.models import SLAResult


def told() -> QuerySet[Outage]:
    """Outages with what their documents need."""
    latest = SLAResult.objects.filter(is_latest=True).select_related("policy", "payment__outage")
    prefetch = Prefetch("sla_results", queryset=latest, to_attr="latest_results")
    return Outage.objects.select_related("team", "operator").prefetch_related(prefetch)


class OutageViewSet(OutageLists, mixins.RetrieveModelMixin):
    """Outages: reported, listed, resolved into money."""

    queryset = Outage.objects.all()
    serializer_class = OutageSerializer
    filterset_class = OutageFilter
    lookup_field = "reference"
    lookup_url_kwarg = "outage_id"
    lookup_value_regex = "[^/]+"
    pagination_alias = "outages"
    scopes: ClassVar = {"read": "outages:read", "write": "outages:write"}

    def get_queryset(self) -> QuerySet[Outage]:
        return told()

    @extend_schema(responses=OutageDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Everything about one outage: its clock, its result, its money and its timeline."""
        return Response(OutageDetailSerializer(self.get_object()).data)

    @extend_schema(request=NewOutageSerializer, responses={201: CreatedOutageSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Report an outage; its clock runs from `detected_at`, or from now."""
        body = NewOutageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        outage = reporting.create(reporting.Report(**body.validated_data))
        return Response(CreatedOutageSerializer(told().get(pk=outage.pk)).data, status=201)

    @extend_schema(request=ResolutionSerializer, responses=SettlementSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    @idempotent
    def resolve(self, request: Request, outage_id: str) -> Response:
        """End an outage: its SLA is evaluated and its payment made due, all of it or none of it."""
        body = ResolutionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        stated = body.validated_data
        settlement = settle(
            outage_id,
            at=stated.get("resolved_at"),
            minutes=stated.get("mttr_minutes"),
            notes=stated.get("resolution_notes", ""),
            root_cause=stated.get("root_cause", ""),
        )
        settlement.outage.latest_results = [settlement.result]  # type: ignore[attr-defined]
        return Response(SettlementSerializer(settlement).data)
