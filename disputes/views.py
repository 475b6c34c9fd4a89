"""Disputes over HTTP."""

from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.idempotency import idempotent
from apexchainx.errors import NotFound
from disputes import services
from disputes.filters import DisputeFilter
from disputes.models import Dispute
from disputes.serializers import DisputeSerializer, FilingSerializer


class DisputeViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Dispute]):
    """Objections to SLA results, newest first."""

    queryset = Dispute.objects.select_related("outage")
    serializer_class = DisputeSerializer
    filterset_class = DisputeFilter
    lookup_url_kwarg = "dispute_id"
    scopes: ClassVar = {"read": "sla:read", "write": "disputes:write"}

    @extend_schema(request=FilingSerializer, responses={201: DisputeSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        body = FilingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        filing = body.validated_data
        dispute = services.file(
            filing["outage_id"], reason=filing["reason"], sla_result_id=filing.get("sla_result_id")
        )
        return Response(DisputeSerializer(dispute).data, status=201)

    @extend_schema(parameters=[OpenApiParameter("dispute_id", str, OpenApiParameter.PATH)])
    def retrieve(self, _request: Request, dispute_id: str) -> Response:
        dispute = Dispute.objects.select_related("outage").referenced(dispute_id).first()
        if dispute is None:
            raise NotFound("There is no such dispute.")
        return Response(DisputeSerializer(dispute).data)
