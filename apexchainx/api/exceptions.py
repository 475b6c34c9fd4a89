"""Every failure under the prefix has one body: the error envelope."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from apexchainx import context
from apexchainx.api.renderers import encode
from apexchainx.errors import (
    Conflict,
    DomainError,
    Invalid,
    NotFound,
    NotReady,
    Refused,
    Stale,
    TooMany,
    Unauthenticated,
    Unavailable,
)

logger = logging.getLogger(__name__)

CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    412: "PRECONDITION_FAILED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
DOMAIN_STATUS: dict[type, int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Refused: 403,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    NotReady: 422,
    TooMany: 429,
    Unavailable: 503,
}
CRASH = "Something failed on our side. The correlation id finds it."
# What Django and the database raise inside a view, with what we say of it.
FOREIGN: tuple[tuple[tuple[type[Exception], ...], int, str], ...] = (
    ((Http404,), 404, "There is nothing here."),
    ((PermissionDenied,), 403, "You may not do this."),
    ((SuspiciousOperation,), 400, "The request cannot be understood."),
    ((OperationalError, InterfaceError), 503, "The database does not answer. Try again shortly."),
    ((Exception,), 500, CRASH),
)
# A sentence may repeat what the caller sent, but not all of ten megabytes.
LONGEST_SENTENCE = 500
MOST_SENTENCES = 5
UNNAMED = "non_field_errors"


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


def handle(error: Exception, _context: dict[str, Any]) -> Response:
    """DRF's exception handler: one branch for each family of failures, and a crash is one of them."""
    if isinstance(error, DomainError):
        status = next(DOMAIN_STATUS[kind] for kind in type(error).__mro__ if kind in DOMAIN_STATUS)
        response = respond(status, error.message, code=error.code, details=error.details)
        if isinstance(error, TooMany):
            response["Retry-After"] = str(error.retry_after)
        return response
    if isinstance(error, exceptions.ValidationError):
        return invalid(error)
    if isinstance(error, exceptions.APIException):
        said = error.detail["detail"] if isinstance(error.detail, dict) else error.detail
        return respond(error.status_code, str(said)[:LONGEST_SENTENCE])
    status, message = next((status, text) for kinds, status, text in FOREIGN if isinstance(error, kinds))
    if status >= 500:
        logger.error(message, exc_info=error)
    return respond(status, message)


def respond(
    status: int, message: str, *, code: str = "", details: Mapping[str, Any] | None = None
) -> Response:
    headers = {"WWW-Authenticate": 'Bearer realm="api"'} if status == 401 else {}
    return Response(envelope(status, message, code=code, details=details), status=status, headers=headers)


def invalid(error: exceptions.ValidationError) -> Response:
    """Field errors by path; the document's `field` and `allowed_values` where one field is wrong."""
    fields = dict(flatten(error.detail))
    details: dict[str, Any] = {"fields": fields}
    if len(fields) == 1 and UNNAMED not in fields:
        details["field"] = next(iter(fields))
        judge = getattr(error, "form", None) or getattr(error.detail, "serializer", None)
        words = vocabulary(judge, details["field"])
        if words:
            details["allowed_values"] = words
    said = [texts[0] if path == UNNAMED else f"{path}: {texts[0]}" for path, texts in fields.items()]
    more = f" And {len(said) - MOST_SENTENCES} more." if len(said) > MOST_SENTENCES else ""
    return respond(
        400, "; ".join(said[:MOST_SENTENCES]) + more or "The request is not valid.", details=details
    )


def flatten(errors: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """DRF's nested errors as (dotted path, sentences)."""
    if isinstance(errors, dict):
        children = [(key, value) for key, value in errors.items() if value]
    elif any(isinstance(item, (dict, list)) for item in errors):
        children = [(index, value) for index, value in enumerate(errors) if value]
    else:
        children = []
        if errors:
            yield path or UNNAMED, [str(sentence)[:LONGEST_SENTENCE] for sentence in errors]
    for key, value in children:
        yield from flatten(
            value if isinstance(value, (dict, list)) else [value], f"{path}.{key}" if path else str(key)
        )


def vocabulary(judge: Any, path: str) -> list[Any]:
    """What the field at this path of a serializer or a filter form takes, where that is a closed set."""
    for step in path.split("."):
        judge = getattr(judge, "fields", {}).get(step) or getattr(judge, "child", None)
    return [word for word in dict(getattr(judge, "choices", ())) if word != ""]


def answer(status: int, message: str, **details: Any) -> HttpResponse:
    """The envelope for what happens outside DRF."""
    body = encode(envelope(status, message, details=details))
    return HttpResponse(body, status=status, content_type="application/json")


def under_prefix(request: HttpRequest) -> bool:
    return f"{request.path_info}/".startswith(f"{settings.API_V1_PREFIX}/")


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
        return answer(500, CRASH)
    return defaults.server_error(request)
