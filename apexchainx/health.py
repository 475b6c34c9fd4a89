"""Whether the process lives, and whether it can serve."""

import logging

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from psycopg_pool import PoolTimeout

logger = logging.getLogger(__name__)


def health(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readiness(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers and is migrated; 503 with what is missing otherwise."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('audit_auditevent') IS NOT NULL")
            row = cursor.fetchone()
    except (Error, PoolTimeout):
        logger.warning("Not ready: the database does not answer", exc_info=True)
        return JsonResponse({"status": "unavailable", "database": "does not answer"}, status=503)
    if not row or not row[0]:
        return JsonResponse({"status": "unavailable", "database": "not migrated"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok"})
