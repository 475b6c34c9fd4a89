"""The story of one outage over HTTP, by the page."""

from typing import ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import AuditEvent
from outages.serializers.detail import coming
from outages.serializers.outage import reading_of
from outages.serializers.timeline import TimelineEntrySerializer, recorded
from outages.views.lifecycle import told


class TimelineView(GenericAPIView[AuditEvent]):
    """What happened to an outage, oldest first, and after the last entry what is planned."""

    queryset = AuditEvent.objects.all()
    serializer_class = TimelineEntrySerializer
    scopes: ClassVar = {"read": "outages:read"}

    @extend_schema(
        parameters=[OpenApiParameter("outage_id", str, OpenApiParameter.PATH)],
        responses=TimelineEntrySerializer(many=True),
    )
    def get(self, _request: Request, outage_id: str) -> Response:
        """Recorded entries by the page; planned ones follow the last of them and are not counted."""
        outage = get_object_or_404(told(), reference=outage_id)
        events = AuditEvent.objects.stream(outage.stream)
        page = list(self.paginate_queryset(events) or ())
        entries = [recorded(event) for event in page]
        if is_the_end(page, events):
            entries += coming(outage, reading_of(outage))
        return self.get_paginated_response(entries)


def is_the_end(page: list[AuditEvent], events: QuerySet[AuditEvent]) -> bool:
    return page[-1:] == list(events.reverse()[:1])
