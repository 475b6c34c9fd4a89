"""The sandbox ledger over HTTP."""

import json
import logging
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from apexchainx.stellar.sandbox import mishaps
from apexchainx.stellar.sandbox.ledger import Ledger
from apexchainx.stellar.sandbox.mishaps import Reset
from apexchainx.stellar.sandbox.problems import Problem, not_found
from apexchainx.stellar.sandbox.request import Answer, Request
from apexchainx.stellar.sandbox.store import Store

LARGEST_BODY = 1_000_000
IDLE_SECONDS = 30
LINGER_NOT = struct.pack("ii", 1, 0)
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}

logger = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """One thread per connection; closing it ends the connections that are still open."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], ledger: Ledger) -> None:
        self.ledger = ledger
        self.connections: set[socket.socket] = set()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for our own name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remembered before its thread starts, so that closing overlooks none."""
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Whoever has asked is answered still, and then the connection ends."""
        for connection in tuple(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        super().server_close()


class Handler(BaseHTTPRequestHandler):
    """Reads a request, has it answered, and writes the document in one go."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS
    default_request_version = "HTTP/1.0"

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def respond(self) -> None:
        try:
            answer = self._answer(self._read())
        except Problem as problem:
            self._refuse(problem)
        except Reset:
            self._reset()
        else:
            self._write("application/json", answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = respond  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is not HTTP at all is answered by a problem document, too."""
        self.close_connection = True
        self._refuse(Problem(code, HTTPStatus(code).name.lower(), detail=message or explain or ""))

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)

    def _answer(self, request: Request) -> Answer:
        try:
            return mishaps.answer(self.server.ledger, request)
        except (Problem, Reset):
            raise
        except Exception:
            logger.exception("sandbox_request_failed")
            raise Problem(500, "server_error") from None

    def _read(self) -> Request:
        body = self._read_body()
        path, _, query = self.path.partition("?")
        if path.startswith("/sandbox/") and not ip_address(self.client_address[0]).is_loopback:
            raise not_found()
        return Request(
            method="GET" if self.command == "HEAD" else self.command,
            path=path.rstrip("/") or "/",
            query=query,
            base=f"http://{self.headers.get('Host', f'127.0.0.1:{self.server.server_port}')}",
            content_type=self.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
            body=body,
        )

    def _read_body(self) -> bytes:
        """All of it. After a refusal the connection is of no use, because the body still stands in it."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise Problem(400, "bad_request", detail="The body needs a Content-Length.")
        if len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY:
            self.close_connection = True
            raise Problem(413, "request_entity_too_large")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionAbortedError
        return body

    def _reset(self) -> None:
        """The peer sees a reset, not an end: what it was sent is lost as well."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        os.close(self.connection.detach())

    def _refuse(self, problem: Problem) -> None:
        answer = Answer(problem.document, problem.status)
        self._write("application/problem+json; charset=utf-8", answer, problem.headers)

    def _write(self, content_type: str, answer: Answer, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(answer.document, separators=(",", ":")).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@contextmanager
def running(path: Path, *, port: int = 0, period: float = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """A ledger that lives in this file and listens in a thread; yields its URL. Port 0 means any free one.

    Raises OSError where the port is taken, and sqlite3.Error where another ledger has the file.
    """
    store = Store(path)
    try:
        ledger = Ledger(store, period=period)
        server = _bound((host, port), ledger)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="sandbox-server")
        thread.start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            ledger.stop()
            server.server_close()
    finally:
        store.close()


def serve(path: Path, host: str, port: int, period: float, *, announce: Callable[[str], object]) -> None:
    """Run until SIGTERM or SIGINT; `announce` is told the URL once it answers."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    with running(path, port=port, period=period, host=host) as url:
        announce(url)
        signal.sigwait(STOP_SIGNALS)


def _bound(address: tuple[str, int], ledger: Ledger) -> Server:
    try:
        return Server(address, ledger)
    except OSError:
        ledger.stop()
        raise
