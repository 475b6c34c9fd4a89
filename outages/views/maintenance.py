"""Maintenance windows over HTTP."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx import context
from apexchainx.api.idempotency import idempotent
from outages.filters import MaintenanceFilter
from outages.models import MaintenanceWindow
from outages.serializers.maintenance import MaintenanceWindowSerializer, PlanSerializer, described
from outages.services import maintenance

ID = OpenApiParameter("window_id", str, OpenApiParameter.PATH)


class MaintenanceWindowViewSet(viewsets.GenericViewSet[MaintenanceWindow]):
    """Planned work that the clock does not count, once a second person has approved it."""

    queryset = MaintenanceWindow.objects.all()
    serializer_class = MaintenanceWindowSerializer
    filterset_class = MaintenanceFilter
    lookup_url_kwarg = "window_id"
    lookup_value_regex = "[^/]+"
    scopes: ClassVar = {"read": "outages:read", "write": "outages:write", "approve": "policy:write"}

    def list(self, _request: Request) -> Response:
        """Newest first. `at` is a moment inside, `from` and `to` a span that the windows overlap."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(described(page))

    @extend_schema(request=PlanSerializer, responses={201: MaintenanceWindowSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """A draft: it stops no clock before its approval."""
        return answer(maintenance.plan(maintenance.Plan(**stated(request))), status=201)

    @extend_schema(parameters=[ID])
    def retrieve(self, _request: Request, window_id: str) -> Response:
        return answer(maintenance.found(window_id))

    @extend_schema(parameters=[ID], request=PlanSerializer)
    def update(self, request: Request, window_id: str) -> Response:
        """Another plan for a draft. An approved window is evidence: withdraw it and plan another."""
        return answer(maintenance.change(window_id, stated(request)))

    @extend_schema(parameters=[ID], request=PlanSerializer(partial=True))
    def partial_update(self, request: Request, window_id: str) -> Response:
        """As PUT; what is left out stays."""
        return answer(maintenance.change(window_id, stated(request, partial=True)))

    @extend_schema(parameters=[ID], responses={204: None})
    def destroy(self, request: Request, window_id: str) -> Response:
        """Withdraw it: it is kept and listed as withdrawn. An approved one takes the right to approve."""
        maintenance.withdraw(window_id, may_rule=may_rule(request))
        return Response(status=204)

    @extend_schema(parameters=[ID], request=None, responses=MaintenanceWindowSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    @idempotent
    def approve(self, _request: Request, window_id: str) -> Response:
        """From now on the clock knows of it; whoever planned it cannot approve it."""
        return answer(maintenance.approve(window_id))


def stated(request: Request, *, partial: bool = False) -> dict[str, Any]:
    body = PlanSerializer(data=request.data, partial=partial)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def answer(window: MaintenanceWindow, *, status: int = 200) -> Response:
    return Response(described([window])[0], status=status)


def may_rule(request: Request) -> bool:
    """As for the approval itself: not in another's name."""
    return "policy:write" in getattr(request.user, "scopes", ()) and not context.current().impersonator
