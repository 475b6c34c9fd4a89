from typing import ClassVar

from rest_framework import mixins, viewsets

from audit.filters import AuditEventFilter
from audit.models import AuditEvent
from audit.serializers import AuditEventSerializer


class AuditEventViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[AuditEvent]):
    """Every fact the system has stated, newest first. Nothing here can be changed."""

    queryset = AuditEvent.objects.all()
    serializer_class = AuditEventSerializer
    filterset_class = AuditEventFilter
    scopes: ClassVar = {"read": "audit:read"}
