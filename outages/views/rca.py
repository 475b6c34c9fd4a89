"""Root cause analyses and their follow-ups over HTTP."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.idempotency import idempotent
from apexchainx.api.pagination import whole
from apexchainx.errors import NotFound
from outages.filters import FollowUpFilter
from outages.models import FollowUp, Outage, RootCauseAnalysis
from outages.serializers.rca import (
    FollowUpChangeSerializer,
    FollowUpSerializer,
    NewRcaSerializer,
    PublicationSerializer,
    RcaSerializer,
)
from outages.serializers.rca_document import document
from outages.services import rca

OUTAGE = OpenApiParameter("outage_id", str, OpenApiParameter.PATH)
LARGEST_VERSION = 2**31 - 1
VERSION = OpenApiParameter(
    "version",
    {"type": "integer", "minimum": 1, "maximum": LARGEST_VERSION},
    description="Drafts too; without it, the newest one that is published.",
)


class RcaViewSet(viewsets.GenericViewSet[RootCauseAnalysis]):
    """Why an outage happened. Every change is a new version, and all are kept."""

    queryset = RootCauseAnalysis.objects.all()
    serializer_class = RcaSerializer
    pagination_class = None
    scopes: ClassVar = {"read": "outages:read", "write": "outages:write"}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """The exported document is Markdown, whatever is asked for, and its refusals are JSON."""
        return super().perform_content_negotiation(request, force=force or self.action == "export")

    def wanted(self, request: Request, outage_id: str) -> RootCauseAnalysis:
        """The version that the query names, or the newest one that is published."""
        version = whole(request, "version", 0, 1, LARGEST_VERSION)
        return rca.published(outage_id, version=version or None)

    @extend_schema(parameters=[OUTAGE], request=NewRcaSerializer, responses={201: RcaSerializer})
    @idempotent
    def create(self, request: Request, outage_id: str) -> Response:
        """The next version of the analysis of a resolved outage, published or as a draft."""
        body = NewRcaSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(RcaSerializer(rca.analyse(outage_id, **body.validated_data)).data, status=201)

    @extend_schema(parameters=[OUTAGE, VERSION])
    def retrieve(self, request: Request, outage_id: str) -> Response:
        return Response(RcaSerializer(self.wanted(request, outage_id)).data)

    @extend_schema(parameters=[OUTAGE], responses=RcaSerializer(many=True))
    def versions(self, _request: Request, outage_id: str) -> Response:
        """Every version, drafts too, newest first."""
        if not Outage.objects.filter(reference=outage_id).exists():
            raise NotFound(f"There is no outage {outage_id}.")
        return Response(RcaSerializer(RootCauseAnalysis.objects.of(outage_id), many=True).data)

    @extend_schema(parameters=[OUTAGE], request=PublicationSerializer, responses={201: RcaSerializer})
    @idempotent
    def publish(self, request: Request, outage_id: str) -> Response:
        """A draft's content as the next version, published."""
        body = PublicationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(RcaSerializer(rca.publish(outage_id, **body.validated_data)).data, status=201)

    @extend_schema(parameters=[OUTAGE, VERSION], responses={(200, "text/markdown"): OpenApiTypes.STR})
    def export(self, request: Request, outage_id: str) -> HttpResponse:
        """The analysis as a Markdown document, with the outage's clock, timeline, SLA result and payment."""
        text = document(self.wanted(request, outage_id))
        name = f"{outage_id}-rca.md"
        return HttpResponse(
            text,
            content_type="text/markdown; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


class FollowUpViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[FollowUp]):
    """What was promised after outages, the most urgent first."""

    queryset = FollowUp.objects.select_related("outage")
    serializer_class = FollowUpSerializer
    filterset_class = FollowUpFilter
    scopes: ClassVar = {"read": "outages:read", "write": "outages:write"}

    @extend_schema(
        parameters=[OUTAGE, OpenApiParameter("number", int, OpenApiParameter.PATH)],
        request=FollowUpChangeSerializer,
        responses=FollowUpSerializer,
    )
    def partial_update(self, request: Request, outage_id: str, number: int) -> Response:
        """Say that a follow-up is done, or that it is open again."""
        body = FollowUpChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        item = rca.mark_done(outage_id, number, is_done=body.validated_data["done"])
        return Response(FollowUpSerializer(item).data)
