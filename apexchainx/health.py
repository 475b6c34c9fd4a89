"""Whether the process lives, and whether it can serve."""

import logging
from typing import Any, ClassVar

from django.db import Error, connection
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.api.scopes import PUBLIC

logger = logging.getLogger(__name__)

TRIGGERS = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'audit\\_%' AND tgenabled IN ('O', 'A')"


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=("ok", "unavailable"))
    database = serializers.CharField(required=False, help_text="What is missing, if anything.")


class HealthView(APIView):
    """The process lives."""

    rate: ClassVar = "none"
    scopes: ClassVar = {"read": PUBLIC}
    authentication_classes = ()

    @extend_schema(responses=HealthSerializer)
    def get(self, _request: Request) -> Response:
        return Response({"status": "ok"})


class ReadinessView(APIView):
    """200 when the database answers, is migrated and guards the log; 503 with what is missing otherwise."""

    rate: ClassVar = "none"
    scopes: ClassVar = {"read": PUBLIC}
    authentication_classes = ()

    @extend_schema(responses={200: HealthSerializer, 503: HealthSerializer})
    def get(self, _request: Request) -> Response:
        missing = lacking()
        if missing:
            return Response({"status": "unavailable", "database": missing}, status=503)
        return Response({"status": "ok", "database": "ok"})


def lacking() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute(TRIGGERS)
            (guards,) = cursor.fetchone() or (0,)
    except Error:
        logger.warning("Not ready: the database does not answer", exc_info=True)
        return "does not answer"
    return "" if guards == 2 else "not migrated"
