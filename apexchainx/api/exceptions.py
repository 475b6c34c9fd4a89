"""Every failure under the prefix has one body: the error envelope."""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views import defaults
from psycopg_pool import PoolTimeout
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error

from apexchainx import context
from apexchainx.api.renderers import encode
from apexchainx.errors import DomainError

logger = logging.getLogger(__name__)

CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
DOMAIN_STATUS = {
    "Unauthenticated": 401,
    "Refused": 403,
    "NotFound": 404,
    "Conflict": 409,
    "NotReady": 422,
    "Invalid": 400,
    "Unavailable": 503,
    "TooLarge": 413,
}


def envelope(
    status: int, message: str, *, code: str = "", details: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`{"error": {code, message, details, timestamp, correlation_id}, "detail": message}`"""
    return {
        "error": {
            "code": code or CODES.get(status, "ERROR"),
            "message": message,
            "details": dict(details or {}),
            "timestamp": timezone.now(),
            "correlation_id": context.current().correlation_id,
        },
        "detail": message,
    }


def handle(error: Exception, _context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: one branch for each family of failures, and a crash is one of them."""
    if isinstance(error, DomainError):
        return domain(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing here.")
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.ValidationError):
        return invalid(error)
    if isinstance(error, exceptions.APIException):
        return api(error)
    if isinstance(error, RequestDataTooBig):
        return Response(envelope(413, too_large()), status=413)
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout)):
        logger.exception("The database does not answer")
        return Response(envelope(503, "The database does not answer. Try again shortly."), status=503)
    logger.exception("Unhandled failure")
    return Response(envelope(500, "Something failed on our side. The correlation id finds it."), status=500)


def domain(error: DomainError) -> Response:
    status = next(DOMAIN_STATUS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in DOMAIN_STATUS)
    return Response(envelope(status, error.message, code=error.code, details=error.details), status=status)


def api(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    message = error.detail["detail"] if isinstance(error.detail, dict) else error.detail
    return Response(envelope(error.status_code, str(message)), status=error.status_code, headers=headers)


def invalid(error: exceptions.ValidationError) -> Response:
    """Field errors by path; the document's `field` and `allowed_values` where one field is wrong."""
    fields = dict(flatten(as_serializer_error(error)))
    details: dict[str, Any] = {"fields": fields}
    message = "; ".join(text for texts in fields.values() for text in texts[:1])
    if len(fields) == 1:
        details["field"] = next(iter(fields))
        allowed = getattr(error, "allowed_values", None)
        if allowed:
            details["allowed_values"] = allowed
    if fields and set(fields) != {"non_field_errors"}:
        message = "; ".join(f"{path}: {texts[0]}" for path, texts in fields.items())
    return Response(envelope(400, message or "The request is not valid.", details=details), status=400)


def flatten(errors: Any, path: str = "") -> list[tuple[str, list[str]]]:
    """DRF's nested errors as (dotted path, sentences)."""
    if isinstance(errors, dict):
        return [pair for key, value in errors.items() for pair in flatten(value, f"{path}.{key}".lstrip("."))]
    if isinstance(errors, list) and any(isinstance(item, (dict, list)) for item in errors):
        return [
            pair for index, value in enumerate(errors) if value for pair in flatten(value, f"{path}.{index}".lstrip("."))
        ]
    sentences = errors if isinstance(errors, list) else [errors]
    return [(path or "non_field_errors", [str(sentence) for sentence in sentences])]


def too_large() -> str:
    return f"Request body too large. Maximum allowed size is {settings.MAX_REQUEST_BODY_SIZE_BYTES} bytes."


def answer(status: int, message: str, **details: Any) -> HttpResponse:
    """The envelope for what happens outside DRF."""
    return HttpResponse(
        encode(envelope(status, message, details=details)), status=status, content_type="application/json"
    )


def under_prefix(request: HttpRequest) -> bool:
    return request.path_info.startswith(f"{settings.API_V1_PREFIX}/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if under_prefix(request):
        return answer(400, "The request cannot be understood.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if under_prefix(request):
        return answer(403, "You may not do this.")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if under_prefix(request):
        return answer(404, "There is no such route.", path=request.path_info)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if under_prefix(request):
        return answer(500, "Something failed on our side. The correlation id finds it.")
    return defaults.server_error(request)
