"""An HTTP POST that cannot be led to an internal address, drowned or held up."""

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from queue import Empty, SimpleQueue
from threading import Thread, Timer
from time import monotonic
from urllib.parse import urlsplit

from django.conf import settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

MAX_ANSWER_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0
REGISTRATION_LOOKUP_SECONDS = 2.0
DEFAULT_PORTS = {"https": 443, "http": 80}
FIRST_OPEN_PORT = 1024
AGENT = "ApexChainX-Webhooks/1"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks(*names: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(name) for name in names)


# `is_global` lets some of these pass: shared (CGNAT), tunnelled (6to4, Teredo), class E, metadata of clouds.
NEVER = networks(
    *("0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24"),
    *("192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "fd00:ec2::254/128"),
)
# Every other IPv6 address means this machine or link, is translated to IPv4, or is not given out.
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
PRIVATE = networks("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")


class BlockedError(Exception):
    """This URL or address is none that a delivery may go to."""


class UnresolvedError(Exception):
    """The name has no address now."""


@dataclass(frozen=True, slots=True)
class Target:
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == DEFAULT_PORTS[self.scheme] else f"{name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status code, or an error that says why there is none."""

    status_code: int | None = None
    body: bytes = b""
    error: str = ""
    retry_after: str = ""
    latency_ms: int = 0


def check(url: str) -> None:
    """Refuse at registration what no attempt may reach; a name without an address may have one later."""
    target = parse(url)
    with suppress(UnresolvedError):
        resolve(target, REGISTRATION_LOOKUP_SECONDS)


def post(url: str, *, body: bytes, headers: dict[str, str]) -> Answer:
    """One attempt, over within settings.WEBHOOK_TIMEOUT_SECONDS whatever the other side does."""
    started = monotonic()
    end = started + settings.WEBHOOK_TIMEOUT_SECONDS
    try:
        target = parse(url)
        status, text, retry_after = exchange(target, resolve(target, end - started), body, headers, end)
    except (BlockedError, UnresolvedError) as error:
        return Answer(error=str(error), latency_ms=since(started))
    except (OSError, HTTPError, HTTPException) as error:
        late = monotonic() >= end
        reason = f"No answer within {settings.WEBHOOK_TIMEOUT_SECONDS} s." if late else describe(error)
        return Answer(error=reason, latency_ms=since(started))
    return Answer(status, text, retry_after=retry_after, latency_ms=since(started))


def since(started: float) -> int:
    return round((monotonic() - started) * 1000)


def describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def parse(url: str) -> Target:
    """The parts of a URL that may be called; raises BlockedError for every other."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise BlockedError("Write the URL in printable ASCII, without spaces or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        raise BlockedError("This is not a URL.") from None
    if parts.scheme not in schemes() or not parts.hostname:
        raise BlockedError(f"Give an absolute URL that starts with {':// or '.join(schemes())}://.")
    if "@" in parts.netloc:
        raise BlockedError("The URL may not carry a user name or a password.")
    if port < FIRST_OPEN_PORT and port not in DEFAULT_PORTS.values():
        raise BlockedError(f"Port {port} is not open to webhooks.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port, path)


def schemes() -> tuple[str, ...]:
    return ("https", "http") if settings.WEBHOOK_ALLOW_HTTP else ("https",)


def resolve(target: Target, seconds: float) -> list[str]:
    """The addresses of the host, looked up once and each of them checked: one bad one blocks all."""
    found = lookup(target.host, target.port, seconds)
    for address in found:
        permit(address)
    return found


def lookup(host: str, port: int, seconds: float) -> list[str]:
    """getaddrinfo knows no deadline, so it is asked from a thread that may be left behind."""
    answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise UnresolvedError(f"{host} was not resolved in time.") from None
    if isinstance(answer, Exception):
        raise UnresolvedError(f"{host} cannot be resolved.")
    return answer


def permit(text: str) -> None:
    address = ipaddress.ip_address(text.partition("%")[0])
    private = settings.WEBHOOK_ALLOW_PRIVATE_NETWORKS and within(address, PRIVATE)
    if within(address, NEVER) or not (private or is_public(address)):
        raise BlockedError(f"{address} is not a public address.")


def is_public(address: Address) -> bool:
    return address.is_global and (address.version == 4 or address in GLOBAL_UNICAST)


def within(address: Address, ranges: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    return any(address in network for network in ranges)


def exchange(
    target: Target, addresses: list[str], body: bytes, headers: dict[str, str], end: float
) -> tuple[int, bytes, str]:
    """Send and read: (status, the first bytes of the body, Retry-After)."""
    wire = connect(addresses, target.port, end)
    with cut_off(wire, end), closing(secured(wire, target)) as stream:
        connection = HTTPConnection(target.host, target.port, timeout=remaining(end))
        connection.sock = stream
        ours = {"Host": target.authority, "Accept-Encoding": "identity", "User-Agent": AGENT}
        connection.request("POST", target.path, body, {**headers, **ours}, preload_content=False)
        with closing(connection), closing(connection.getresponse()) as answer:
            return answer.status, first_bytes(answer), answer.headers.get("Retry-After", "")


def connect(addresses: list[str], port: int, end: float) -> socket.socket:
    """To the first checked address that answers; the name is not looked up again."""
    for address in addresses[:-1]:
        with suppress(OSError):
            return socket.create_connection((address, port), min(CONNECT_SECONDS, remaining(end)))
    return socket.create_connection((addresses[-1], port), min(CONNECT_SECONDS, remaining(end)))


def remaining(end: float) -> float:
    """Seconds left; never 0, which sockets take for "do not wait"."""
    return max(end - monotonic(), 0.001)


@contextmanager
def cut_off(wire: socket.socket, end: float) -> Iterator[None]:
    """Shut the connection down at `end`: a socket's own timeout starts anew with each byte that drips in."""
    wire.settimeout(remaining(end))
    double = wire.dup()
    timer = Timer(remaining(end), shut, [double])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        double.close()


def shut(wire: socket.socket) -> None:
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)


def secured(wire: socket.socket, target: Target) -> socket.socket:
    """TLS for the name in the URL, although the connection went to an address."""
    return tls().wrap_socket(wire, server_hostname=target.host) if target.scheme == "https" else wire


@cache
def tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def first_bytes(answer: BaseHTTPResponse) -> bytes:
    """At most MAX_ANSWER_BYTES; the status has been said, so an answer that breaks off is no failure."""
    text = b""
    with suppress(OSError, HTTPError, HTTPException):
        while len(text) < MAX_ANSWER_BYTES and (piece := answer.read1(4096, decode_content=False)):
            text += piece
    return text[:MAX_ANSWER_BYTES]
