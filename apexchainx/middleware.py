"""What every request passes: correlation id, body limit, optional trailing slash, security headers, actor."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware as DjangoCommonMiddleware

from apexchainx import context, logs
from apexchainx.api.exceptions import answer, under_prefix

Handler = Callable[[HttpRequest], HttpResponse]

# The API answers JSON only; pages (admin, docs) load their own files and nothing else.
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# Their addresses mean something with the slash; everywhere else it is optional.
SLASHED = ("/admin/", settings.STATIC_URL)


class CorrelationMiddleware:
    """Takes the caller's correlation id where it is well formed, makes one up where not, and answers it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Correlation-ID", "")
        correlation_id = given if context.CORRELATION_ID.fullmatch(given) else ""
        with context.acting_as("anonymous", source="api", correlation_id=correlation_id) as here:
            response = self.get_response(request)
            # Django's own line about the answer is written when this context is over.
            request.META[logs.CONTEXT] = context.current()
        response["X-Correlation-ID"] = here.correlation_id
        return response


class EdgeMiddleware:
    """What no view should have to see is refused here; what every answer needs is added."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(SLASHED):
            request.path_info = request.path_info.rstrip("/") or "/"
        response = refuse(request) or self.get_response(request)
        api = under_prefix(request)
        response.setdefault("Content-Security-Policy", API_POLICY if api else PAGE_POLICY)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if api:
            response.setdefault("Cache-Control", "no-store")
        return response


def refuse(request: HttpRequest) -> HttpResponse | None:
    limit = settings.MAX_REQUEST_BODY_SIZE_BYTES
    if announced(request) > limit:
        if request.content_type == "multipart/form-data":
            return answer(413, f"File exceeds {limit // 2**20} MB limit")
        return answer(413, f"Request body too large. Maximum allowed size is {limit} bytes.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return answer(415, "Send the body without a content encoding.")
    if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        return answer(400, "The address holds a NUL.")
    return None


def announced(request: HttpRequest) -> int:
    """The length of the body, more than which is not read; what is no number announces nothing."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        return 0
    return int(length) if len(length) < 20 else 10**20


class CommonMiddleware(DjangoCommonMiddleware):
    """Django's own, which checks the host name; a probe asks for health by address, and may."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path_info.startswith("/health") else super().process_request(request)


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
