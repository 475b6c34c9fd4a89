"""Who is at the other end of the line."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The caller's address: the socket's, or what the outermost of our own proxies saw.

    Of X-Forwarded-For only the entries that our proxies have written count, and those stand at the right.
    """
    nearest = str(request.META.get("REMOTE_ADDR") or "")
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    count = settings.TRUSTED_PROXY_COUNT
    seen = hops[-count] if 0 < count <= len(hops) else nearest
    try:
        return str(ipaddress.ip_address(seen))
    except ValueError:
        return nearest
