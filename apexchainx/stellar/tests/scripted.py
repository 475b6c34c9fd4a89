"""A server that answers what a test tells it to, and remembers what it was asked."""

import json
import socket
import struct
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Answer:
    """One answer to every request of its kind. Status 0 resets the connection, -1 says nothing at all."""

    status: int
    content: str = ""
    content_type: str = "application/json"


RESET = Answer(0)
SILENCE = Answer(-1)


def document(status: int, content: Any) -> Answer:
    return Answer(status, json.dumps(content))


def problem(status: int, kind: str, **extras: Any) -> Answer:
    """As Horizon states it."""
    stated = {"type": f"https://stellar.org/horizon-errors/{kind}", "title": kind, "status": status}
    return document(status, {**stated, "detail": f"about {kind}", "extras": extras})


class Scripted:
    """`get` and `post` are the answers; `asked` is what came, in order."""

    def __init__(self) -> None:
        self.get = self.post = problem(404, "not_found")
        self.asked: list[str] = []
        self.is_over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.respond(scripted.get)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.respond(scripted.post)

            def respond(self, answer: Answer) -> None:
                scripted.asked.append(f"{self.command} {self.path}")
                if answer == SILENCE:
                    scripted.is_over.wait(5)
                elif answer == RESET:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
                    self.connection.close()
                else:
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.content_type)
                    self.end_headers()
                    self.wfile.write(answer.content.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
