"""Subscribers, a name service without a network, a receiver on this machine, and answers to deliveries."""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import time_machine
from django.db import transaction
from rest_framework.test import APIClient

from apexchainx import context
from apexchainx.demo.receiver import Delivery as Received
from audit.events import Event
from audit.log import record
from audit.models import AuditEvent
from webhooks import delivery, sender, services
from webhooks.models import Delivery, Webhook

Make = Callable[..., Webhook]
State = Callable[..., AuditEvent]
NOW = datetime(2026, 1, 16, 10, 30, tzinfo=UTC)
PUBLIC_ADDRESS = "93.184.216.34"
look_up = socket.getaddrinfo


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What each host name resolves to; every other has no address."""
    known = {"hooks.example.com": [PUBLIC_ADDRESS], "new-endpoint.example.com": [PUBLIC_ADDRESS]}

    def resolve(host: str, port: int, *args: Any, **options: Any) -> Any:
        if not host.endswith((".com", ".test")):
            return look_up(host, port, *args, **options)
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [found for address in known[host] for found in look_up(address, port, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


@pytest.fixture
def open_network(settings: Any) -> None:
    """As in development: this machine may be called, over plain HTTP."""
    settings.WEBHOOK_ALLOW_PRIVATE_NETWORKS = settings.WEBHOOK_ALLOW_HTTP = True


def read_request(wire: socket.socket) -> None:
    """All of it: closing a connection with something unread resets it."""
    request = b""
    while not request.endswith(b"}") and (piece := wire.recv(65536)):
        request += piece


@dataclass
class Receiver:
    """Keeps what comes in, and answers as it is told; `before_answer` runs in the thread of the request."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    before_answer: Callable[[], object] = lambda: None

    @property
    def ids(self) -> list[str]:
        return [request.id for request in self.received]


@pytest.fixture
def receiver(open_network: None) -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.received.append(
                Received({name.lower(): value for name, value in self.headers.items()}, body)
            )
            told.before_answer()
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, format: str, *args: object) -> None:
            """Tests look at what came in."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/hooks?site=1"
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def make_webhook() -> Callable[..., Webhook]:
    def make(**fields: Any) -> Webhook:
        subscription = {"url": "https://hooks.example.com/in", "events": ["*"], **fields}
        return services.create(services.draft(**subscription))

    return make


@pytest.fixture
def state() -> Callable[..., AuditEvent]:
    """A fact, stated by user 7 under a known correlation id."""

    def make(event: Event = Event.OUTAGE_CREATED, **data: Any) -> AuditEvent:
        with context.acting_as("7", source="api", correlation_id="corr-1"), transaction.atomic():
            return record(event, "outage:OUT001", stream="outage:OUT001", **data)

    return make


# Answers that nobody gave


def answer(status: int | None, **fields: Any) -> sender.Answer:
    return sender.Answer(status, error="" if status else "ConnectionResetError", latency_ms=12, **fields)


def conclude(claimed: Delivery, status: int | None, **fields: Any) -> Delivery:
    """As if this had come back."""
    given = answer(status, **fields)
    delivery.conclude(claimed, delivery.attempt(claimed, given, NOW), given)
    return Delivery.objects.get(pk=claimed.pk)


def answered(status: int | None, **fields: Any) -> Delivery:
    """The delivery that is due, after this answer to it."""
    (claimed,) = delivery.claim(1)
    return conclude(claimed, status, **fields)


@pytest.fixture
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 1.0)


# Clients


@pytest.fixture
def manager(client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("manager")


@pytest.fixture
def tell(state: State) -> Callable[[int], None]:
    """So many facts to every subscriber, each delivered at the second attempt."""

    def make(count: int) -> None:
        for _ in range(count):
            state()
        for status in (500, 200):
            Delivery.objects.filter(status="pending").update(next_attempt_at=datetime.now(UTC))
            while claimed := delivery.claim(16):
                for row in claimed:
                    given = sender.Answer(status, b"said", latency_ms=12)
                    delivery.conclude(row, delivery.attempt(row, given, datetime.now(UTC)), given)

    return make
