"""Calendars of policies over HTTP."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.idempotency import idempotent
from sla.models import Calendar
from sla.serializers import CalendarSerializer, ScheduleSerializer
from sla.services import calendars

CALENDAR_ID = OpenApiParameter("calendar_id", str, OpenApiParameter.PATH)


class CalendarViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Calendar]):
    """When the clock of a policy runs. A calendar that a policy names stays as it is."""

    queryset = Calendar.objects.all()
    serializer_class = CalendarSerializer
    lookup_url_kwarg = "calendar_id"
    lookup_value_regex = "[^/]+"
    scopes: ClassVar = {"read": "sla:read", "write": "policy:write"}

    @extend_schema(request=ScheduleSerializer, responses={201: CalendarSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        calendar = calendars.create_calendar(calendars.Schedule(**scheduled(request)))
        return Response(CalendarSerializer(calendar).data, status=201)

    @extend_schema(parameters=[CALENDAR_ID])
    def retrieve(self, _request: Request, calendar_id: str) -> Response:
        return Response(CalendarSerializer(calendars.found(calendar_id)).data)

    @extend_schema(parameters=[CALENDAR_ID], request=ScheduleSerializer)
    def update(self, request: Request, calendar_id: str) -> Response:
        calendar = calendars.change_calendar(calendar_id, scheduled(request))
        return Response(CalendarSerializer(calendar).data)

    @extend_schema(parameters=[CALENDAR_ID], request=ScheduleSerializer(partial=True))
    def partial_update(self, request: Request, calendar_id: str) -> Response:
        calendar = calendars.change_calendar(calendar_id, scheduled(request, partial=True))
        return Response(CalendarSerializer(calendar).data)

    @extend_schema(parameters=[CALENDAR_ID], responses={204: None})
    def destroy(self, _request: Request, calendar_id: str) -> Response:
        calendars.delete_calendar(calendar_id)
        return Response(status=204)


def scheduled(request: Request, *, partial: bool = False) -> dict[str, Any]:
    body = ScheduleSerializer(data=request.data, partial=partial)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
