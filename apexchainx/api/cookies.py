"""Sessions of browsers: the cookies that carry tokens, and what a request that comes by cookie shows."""

import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apexchainx.accounts.services.sessions import Tokens

ACCESS, REFRESH, CSRF = "noc_access_token", "noc_refresh_token", "apex_csrf"
SHOW_ORIGIN = f"Send X-CSRF-Token with the value of the cookie {CSRF}."
SAFE = {"GET", "HEAD", "OPTIONS"}
# Where a request keeps the access token that authentication has renewed for it.
RENEWED = "apexchainx.renewed_access_token"


def give(response: HttpResponseBase, tokens: Tokens, *, csrf: str = "") -> None:
    """Both tokens, which scripts cannot read, and the value that they send back to show whose page it is."""
    left = int((tokens.session.expires_at - timezone.now()).total_seconds())
    give_access(response, tokens.access_token)
    put(response, REFRESH, tokens.refresh_token, seconds=left)
    put(response, CSRF, csrf or secrets.token_urlsafe(32), seconds=left, is_hidden=False)


def give_access(response: HttpResponseBase, token: str) -> None:
    put(response, ACCESS, token, seconds=settings.ACCESS_TOKEN_SECONDS)


def put(response: HttpResponseBase, name: str, value: str, *, seconds: int, is_hidden: bool = True) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        domain=settings.AUTH_COOKIE_DOMAIN,
        secure=not settings.DEBUG,
        httponly=is_hidden,
        samesite="Lax",
    )


def take_back(response: HttpResponseBase) -> None:
    for name in (ACCESS, REFRESH, CSRF):
        response.delete_cookie(name, domain=settings.AUTH_COOKIE_DOMAIN, samesite="Lax")


def shows_its_origin(request: HttpRequest) -> bool:
    """A page of ours sent it: it changes nothing, or repeats our cookie in a header, or its Origin is known.

    A browser sends cookies with what other sites make it send, but those sites cannot read our cookie.
    """
    if request.method in SAFE:
        return True
    cookie, repeated = request.COOKIES.get(CSRF, ""), request.headers.get("X-CSRF-Token", "")
    if cookie and constant_time_compare(repeated, cookie):
        return True
    return request.headers.get("Origin") in {
        *settings.ALLOWED_ORIGINS,
        origin(settings.APP_BASE_URL),
        f"{request.scheme}://{request.get_host()}",
    }


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class RenewalMiddleware:
    """Hands over the access token that authentication has renewed, unless the answer has its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        token = request.META.get(RENEWED)
        if token and ACCESS not in response.cookies:
            give_access(response, token)
        return response
