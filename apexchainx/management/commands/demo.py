"""Tell the whole story over HTTP, on a running instance or on one of its own: `manage.py demo`."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from apexchainx import embedded_postgres, supervisor
from apexchainx.demo.client import StoryFailed
from apexchainx.demo.receiver import listening
from apexchainx.demo.story import Stage, tell
from apexchainx.management import instance as instances
from apexchainx.management.command import ExampleCommand

START_SECONDS = 120


class Command(ExampleCommand):
    help = "Tell the whole story, from an outage to settled money, with evidence at each step."
    examples = ("./apex demo", "./apex demo --url http://127.0.0.1:8080")
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--var", type=Path, default=settings.BASE_DIR / "var", help="of a running instance"
        )
        parser.add_argument("--url", help="where the running instance answers, if not as in var/demo.json")

    def handle(self, *args: Any, var: Path, url: str | None, **options: Any) -> None:
        begin = time.monotonic()
        for number in supervisor.SIGNALS:
            signal.signal(number, supervisor.stop)
        try:
            with self._facts(var, url) as facts, listening() as receiver:
                tell(Stage(facts, receiver, self._say))
        except StoryFailed as failure:
            raise CommandError(str(failure)) from failure
        except supervisor.Stopped:
            raise CommandError("Stopped.") from None
        self._say(self.style.SUCCESS(f"The whole story is true. ({time.monotonic() - begin:.0f} s)"))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    @contextmanager
    def _facts(self, var: Path, url: str | None) -> Iterator[dict[str, Any]]:
        """What var/demo.json says about the instance to play on."""
        facts = _read(var / "demo.json")
        where = url or facts.get("url", "")
        if facts and instances.answers(f"{where}/health/readiness"):
            self._say(f"Playing on {where}.")
            yield {**facts, "url": where}
            return
        if url:
            raise CommandError(f"{url} does not answer, or {var / 'demo.json'} is missing: is `up` running?")
        with self._own_instance() as own:
            yield own

    @contextmanager
    def _own_instance(self) -> Iterator[dict[str, Any]]:
        """A whole system in a temporary directory, for this story alone."""
        directory = Path(tempfile.mkdtemp(prefix="apexchainx-demo-"))
        ports = [str(embedded_postgres.free_port()) for _ in range(2)]
        self._say(f"No running instance; starting one in {directory}.")
        arguments = ("--var", str(directory), "--port", ports[0], "--ledger-port", ports[1], "-v", "0")
        command = (sys.executable, str(settings.BASE_DIR / "manage.py"), "up", *arguments)
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, preexec_fn=supervisor.die_with_parent  # noqa: PLW1509
        )  # fmt: skip
        try:
            yield _wait_until_up(process, directory)
        finally:
            process.terminate()
            process.wait()
            embedded_postgres.remove(directory)


def _read(path: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return facts


def _wait_until_up(process: "subprocess.Popen[bytes]", var: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CommandError("The instance did not start; see above.")
        if (var / "ready").exists():
            return _read(var / "demo.json")
        time.sleep(0.2)
    raise CommandError(f"The instance is not ready after {START_SECONDS} s.")
