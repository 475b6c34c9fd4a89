"""What every request passes: correlation id, body limit, optional trailing slash, security headers, actor."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apexchainx import context
from apexchainx.api.exceptions import answer, too_large, under_prefix

Handler = Callable[[HttpRequest], HttpResponse]

# The API answers JSON only; pages (admin, docs) load their own files and Swagger's inline start-up script.
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'"
)


class CorrelationMiddleware:
    """Takes the caller's correlation id where it is well formed, makes one up where not, and answers it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Correlation-ID", "")
        correlation_id = given if context.CORRELATION_ID.fullmatch(given) else ""
        with context.acting_as("anonymous", source="api", correlation_id=correlation_id) as here:
            response = self.get_response(request)
        response["X-Correlation-ID"] = here.correlation_id
        return response


class EdgeMiddleware:
    """The rules for everything under the API's prefix, before and after the view."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.refuse(request) or self.get_response(request)
        api = under_prefix(request)
        response.setdefault("Content-Security-Policy", API_POLICY if api else PAGE_POLICY)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if api:
            response.setdefault("Cache-Control", "no-store")
        return response

    def refuse(self, request: HttpRequest) -> HttpResponse | None:
        if request.path_info.endswith("/") and (under_prefix(request) or request.path_info in ROOT_PAGES):
            request.path_info = request.path_info.rstrip("/")
        if not under_prefix(request):
            return None
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.MAX_REQUEST_BODY_SIZE_BYTES:
            return answer(413, too_large())
        if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
            return answer(415, "Send the body without a content encoding.")
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return answer(400, "The address holds a NUL.")
        return None


ROOT_PAGES = ("/docs/", "/redoc/", "/health/", "/health/liveness/", "/health/readiness/")


class AdminActorMiddleware:
    """In the admin the signed-in user acts, and the log says that it was the admin."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/") or not request.user.is_authenticated:
            return self.get_response(request)
        here = context.current()
        with context.acting_as(str(request.user.pk), source="admin", correlation_id=here.correlation_id):
            return self.get_response(request)
