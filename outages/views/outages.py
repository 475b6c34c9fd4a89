"""Outages over HTTP."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.etags import IF_MATCH, expected_version, versioned
from apexchainx.api.idempotency import idempotent
from outages.filters import OutageFilter
from outages.models import Outage
from outages.serializers.detail import OutageDetailSerializer, UpdatedOutageSerializer
from outages.serializers.documents import outage_document
from outages.serializers.lifecycle import UpdateSerializer
from outages.serializers.outage import (
    CreatedOutageSerializer,
    NewOutageSerializer,
    OutageSerializer,
    ResolutionSerializer,
    SettlementSerializer,
)
from outages.services import lifecycle, reporting
from outages.views.lifecycle import OutageLifecycle, detail_of, stated, told, whole
from outages.views.lists import OutageLists
from payments.services.settling import settle
from payments.services.updating import update


class OutageViewSet(OutageLists, OutageLifecycle):
    """Outages: reported, listed, changed, resolved into money."""

    queryset = Outage.objects.all()
    serializer_class = OutageSerializer
    filterset_class = OutageFilter
    lookup_field = "reference"
    lookup_url_kwarg = "outage_id"
    lookup_value_regex = "[^/]+"
    pagination_alias = "outages"
    scopes: ClassVar = {"read": "outages:read", "write": "outages:write", "destroy": "admin:full"}

    def get_queryset(self) -> QuerySet[Outage]:
        return told()

    @extend_schema(responses=OutageDetailSerializer)
    def retrieve(self, _request: Request, outage_id: str) -> Response:
        """Everything about one outage: its clock, its result, its money and its timeline."""
        return detail_of(outage_id)

    @extend_schema(request=NewOutageSerializer, responses={201: CreatedOutageSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Report an outage; its clock runs from `detected_at`, or from now."""
        body = NewOutageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        outage = reporting.create(reporting.Report(**body.validated_data))
        document = outage_document(outage.pk, message="Outage created successfully")
        return versioned(Response(document, status=201), outage.version)

    @extend_schema(
        request=UpdateSerializer(partial=True), parameters=[IF_MATCH], responses=UpdatedOutageSerializer
    )
    def update(self, request: Request, outage_id: str) -> Response:
        """Change what is named, and nothing else. `status: resolved` ends the outage as `/resolve` does."""
        body = UpdateSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        settlement = update(outage_id, **body.validated_data, version=expected_version(request))
        outage = whole().get(reference=outage_id)
        said = {"sla_triggered": settlement is not None}
        return versioned(Response(UpdatedOutageSerializer(outage, context=said).data), outage.version)

    @extend_schema(
        request=UpdateSerializer(partial=True), parameters=[IF_MATCH], responses=UpdatedOutageSerializer
    )
    def partial_update(self, request: Request, outage_id: str) -> Response:
        """As PUT."""
        return self.update(request, outage_id)

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def destroy(self, request: Request, outage_id: str) -> Response:
        """Delete an outage that should not have been; refused once a result or other records name it."""
        lifecycle.delete(outage_id, version=expected_version(request))
        return Response(status=204)

    @extend_schema(request=ResolutionSerializer, parameters=[IF_MATCH], responses=SettlementSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    @idempotent
    def resolve(self, request: Request, outage_id: str) -> Response:
        """End an outage: its SLA is evaluated and its payment made due, all of it or none of it."""
        said = stated(ResolutionSerializer, request)
        settlement = settle(
            outage_id,
            at=said.get("resolved_at"),
            minutes=said.get("mttr_minutes"),
            notes=said.get("resolution_notes", ""),
            root_cause=said.get("root_cause", ""),
            version=said["version"],
        )
        settlement.outage.latest_results = [settlement.result]  # type: ignore[attr-defined]
        return versioned(Response(SettlementSerializer(settlement).data), settlement.outage.version)
