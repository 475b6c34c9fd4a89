"""How often one may call: counted over all processes, and told in every answer under the prefix."""

import ipaddress
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_ratelimit.core import get_usage  # type: ignore[import-untyped]
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from apexchainx import context
from apexchainx.api import exceptions
from apexchainx.api.client import address_of
from apexchainx.errors import DomainError, TooMany

if TYPE_CHECKING:
    from rest_framework.views import APIView

# A view's `rate` names one of these; without it the limit is that of whoever calls.
AUTHENTICATED, ANONYMOUS, PAYMENTS, AUTH, NONE = "authenticated", "anonymous", "payments", "auth", "none"
RATE = re.compile(r"(\d+)/(\d*)([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
# Where a request keeps how its caller stands, once it is counted.
STANDING = "apexchainx.rate_limit"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in so many seconds."""

    policy: str
    calls: int
    seconds: int

    @classmethod
    def of(cls, policy: str) -> "Limit | None":
        """The limit that the settings give; None where it is switched off."""
        rate = RATE.fullmatch(getattr(settings, f"RATE_LIMIT_{policy.upper()}"))
        if rate is None:
            return None
        calls, multiple, unit = rate.groups()
        return cls(policy, int(calls), int(multiple or 1) * SECONDS[unit])


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a limit is left, and in how many seconds it is whole again."""

    limit: Limit
    remaining: int
    resets_in: int

    @property
    def headers(self) -> dict[str, str]:
        """The older family, which clients know, and that of the IETF's draft."""
        policy, calls = self.limit.policy, self.limit.calls
        return {
            "X-RateLimit-Limit": str(calls),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(int(time.time()) + self.resets_in),
            "RateLimit-Policy": f'"{policy}";q={calls};w={self.limit.seconds}',
            "RateLimit": f'"{policy}";r={self.remaining};t={self.resets_in}',
        }


class CallerThrottle(BaseThrottle):
    """Counts a call that may be made, unless its view says that it costs nothing."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        rate = getattr(view, "rate", "")
        if rate == NONE or not exceptions.under_prefix(request):
            spare(request)
        else:
            count(request, rate or usual(request))
        return True


def handle(error: Exception, circumstances: dict[str, Any]) -> Response:
    """DRF's exception handler: what was refused before it was counted counts as well."""
    return exceptions.handle(judged(error, circumstances["request"], circumstances["view"]), circumstances)


def judged(error: Exception, request: Request, view: "APIView") -> Exception:
    """The error, or that there were too many of them."""
    is_counted = STANDING in request.META or not exceptions.under_prefix(request)
    if is_counted or isinstance(error, DatabaseError):
        return error
    try:
        count(request, AUTH if getattr(view, "rate", "") == AUTH else usual(request))
    except (DomainError, DatabaseError) as refusal:
        return refusal
    return error


def usual(request: Request) -> str:
    """A caller whose name is not valid is nobody."""
    try:
        return AUTHENTICATED if request.user.is_authenticated else ANONYMOUS
    except APIException:
        return ANONYMOUS


def spare(request: Request) -> None:
    """This call costs nothing: the limit stands whole."""
    limit = Limit.of(usual(request))
    request.META[STANDING] = limit and Standing(limit, limit.calls, limit.seconds)


def count(request: HttpRequest | Request, policy: str) -> None:
    """One call more under this policy. Raises TooMany beyond its limit."""
    limit = Limit.of(policy)
    request.META[STANDING] = None
    if limit is None:
        return
    usage = get_usage(
        request,
        group=policy,
        key=lambda *_: counted_for(request, policy),
        rate=(limit.calls, limit.seconds),
        increment=True,
    )
    left = max(usage["time_left"] + 1, 1)  # The last second of a window belongs to it.
    request.META[STANDING] = Standing(limit, max(limit.calls - usage["count"], 0), left)
    if usage["should_limit"]:
        raise TooMany(
            f"Too many requests: {limit.calls} in {limit.seconds} seconds are allowed.", retry_after=left
        )


def counted_for(request: HttpRequest | Request, policy: str) -> str:
    """A user, a key or an address; the doors of identity are counted one by one."""
    if policy in {AUTHENTICATED, PAYMENTS}:
        return context.current().actor
    place = network_of(address_of(request))
    return f"{getattr(request.resolver_match, 'route', '')} {place}" if policy == AUTH else place


def network_of(address: str) -> str:
    """Who has one IPv6 address has the 2**64 of its network."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


class LimitsMiddleware:
    """Tells the caller's standing; what never reached a view is counted here, for its address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not exceptions.under_prefix(request):
            return response
        if STANDING not in request.META:
            response = counted(request, response)
        standing: Standing | None = request.META.get(STANDING)
        for name, value in standing.headers.items() if standing else ():
            response[name] = value
        return response


def counted(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response, or that there were too many; without a database nobody counts."""
    try:
        count(request, ANONYMOUS)
    except TooMany as refusal:
        response = exceptions.answer(429, refusal.message)
        response["Retry-After"] = str(refusal.retry_after)
    except DatabaseError:
        request.META[STANDING] = None
    return response
