"""A stream that tells a page when its session is over; docs/adr/0009-event-stream.md has what it costs."""

import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from apexchainx.accounts.models import EndReason, Session
from apexchainx.accounts.services import sessions
from apexchainx.api.authentication import AnyBearerAuthentication, AnyCookieAuthentication
from apexchainx.api.renderers import JSONRenderer, encode
from apexchainx.api.scopes import ANY_USER

HEARTBEAT_SECONDS: float = 15
# How often a held stream looks at its session.
LOOK_SECONDS: float = 1
# What a page is told; what is not here has expired, as far as it is concerned.
REASONS: dict[str, str] = {
    EndReason.ADMIN_LOGOUT: "admin_logout",
    EndReason.DEACTIVATED: "admin_logout",
    EndReason.ROLE_CHANGED: "admin_logout",
    EndReason.PASSWORD_CHANGED: "password_changed",
}
# How to ask, and one event of the stream, for the description.
BY_SESSION: list[Any] = [{"bearer": []}, {"cookie": []}]
EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"type": "string", "enum": ["heartbeat", "session_revoked"]},
        "data": {"type": "string", "description": 'JSON: {}, or {"reason": "session_expired"}.'},
    },
}


class Places:
    """How many streams this process holds open."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken = 0

    def take(self) -> bool:
        with self.lock:
            if self.taken >= settings.AUTH_EVENT_STREAMS:
                return False
            self.taken += 1
            return True

    def give_back(self) -> None:
        with self.lock:
            self.taken -= 1


PLACES = Places()


class EventsView(APIView):
    """Server-sent events: `session_revoked` with its reason, and a heartbeat every 15 seconds.

    A stream ends after a while, or at once where too many are open; the browser comes again by itself.
    """

    needs_second_factor = False
    rate: ClassVar = "none"
    scopes: ClassVar = {"get": ANY_USER}
    authentication_classes = (AnyBearerAuthentication, AnyCookieAuthentication)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[JSONRenderer, str]:
        """Whoever accepts only event streams gets a refusal all the same, as JSON."""
        return JSONRenderer(), JSONRenderer.media_type

    @extend_schema(auth=BY_SESSION, responses={(200, "text/event-stream"): EVENT})
    def get(self, request: Request) -> StreamingHttpResponse:
        session = request.auth if isinstance(request.auth, Session) else None
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(stream(session), content_type="text/event-stream", headers=headers)


def stream(session: Session | None) -> Iterator[bytes]:
    """How the session stands and, where there is a place, what becomes of it."""
    yield b"retry: %d\n\n" % (HEARTBEAT_SECONDS * 1000)
    yield state(session)
    if session is None or not session.is_live(timezone.now()) or not PLACES.take():
        return
    try:
        yield from watch(session.pk)
    finally:
        PLACES.give_back()


def watch(session_id: UUID) -> Iterator[bytes]:
    """Look at the session until it is over or the stream's time is; no connection is held between looks."""
    end = time.monotonic() + settings.AUTH_EVENT_SECONDS
    beat = time.monotonic() + HEARTBEAT_SECONDS
    while time.monotonic() < end:
        connection.close()
        time.sleep(LOOK_SECONDS)
        session = sessions.as_it_stands(session_id)
        if session is None or not session.is_live(timezone.now()):
            yield revoked(session)
            return
        if time.monotonic() >= beat:
            beat += HEARTBEAT_SECONDS
            yield state(session)


def state(session: Session | None) -> bytes:
    if session is not None and not session.is_live(timezone.now()):
        return revoked(session)
    return event("heartbeat", {})


def revoked(session: Session | None) -> bytes:
    reason = session.ended_reason if session else ""
    return event("session_revoked", {"reason": REASONS.get(reason, "session_expired")})


def event(name: str, data: dict[str, str]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), encode(data))
