"""The sandbox ledger as a process of its own."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.conf import settings


@contextmanager
def process(path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command with its URL; afterwards it is dead, one way or the other."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "manage.py", "sandbox_ledger", "--port", str(port), "--file", str(path)]
    with subprocess.Popen(  # noqa: S603
        [*command, *arguments], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == f"Sandbox ledger listens on http://127.0.0.1:{port}\n"
            yield child, f"http://127.0.0.1:{port}"
        finally:
            child.kill()
