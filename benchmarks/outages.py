"""Outages over HTTP, ours against a stock baseline: `benchmarks/outages.py --rows 15000 --seconds 5`

Seeds the database of DATABASE_URL, which must have no outages yet (or exactly those rows, from an earlier
run), starts the product and the baseline on it, each with its own gunicorn, and asks both the same with eight
connections. Prints throughput, p50, p99 and ratios; exit code 1 where a goal is missed. With --rows 1000000
the figures of two runs show what a large table costs.
"""

import argparse
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
ENVIRONMENT = {
    "DEBUG": "false",
    "SECRET_KEY": "a-key-for-measuring-that-signs-nothing-of-value-at-all",
    "ALLOWED_HOSTS": "127.0.0.1",
    "SECURE_SSL_REDIRECT": "false",
    "LOG_LEVEL": "ERROR",
    **{f"RATE_LIMIT_{name}": "0" for name in ("AUTHENTICATED", "ANONYMOUS", "PAYMENTS", "AUTH")},
}
os.environ |= ENVIRONMENT
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apexchainx.settings")
django.setup()

from django.db import connection  # noqa: E402

from apexchainx.accounts.models import User  # noqa: E402
from apexchainx.accounts.services.sessions import begin  # noqa: E402
from benchmarks.baseline.authentication import token  # noqa: E402
from benchmarks.seed import seed  # noqa: E402
from outages.models import Outage, Word  # noqa: E402

CONNECTIONS = 8
OUTAGES = "/api/v1/outages"
WORDS = (
    "rectifier",
    "lagos tower",
    "battery failure",
    "cooling",
    "SITE00077",
    "antenna nairobi",
    "OUT0123",
    "fibre",
)
GOALS = {"list": 5.0, "one outage": 2.0, "create": 1.5, "resolve": 2.0, "search": 6.0}
LONGEST_P99 = 100.0


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    authorization: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one operation: answers per second, and milliseconds."""

    rate: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    body: bytes | None = None


@contextmanager
def serving(application: str, port: int) -> Iterator[None]:
    command = (
        "-m",
        "gunicorn",
        application,
        "--preload",
        "-k",
        "gthread",
        "--threads",
        "4",
        "--workers",
        "2",
    )
    place = ("--bind", f"127.0.0.1:{port}", "--log-level", "error", "--no-control-socket")
    with subprocess.Popen([sys.executable, *command, *place], cwd=ROOT) as process:  # noqa: S603
        try:
            wait_for(port)
            yield
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"Nothing answers at port {port}.")


def measure(server: Server, questions: Callable[[], Asked], *, seconds: float, status: int) -> Figures:
    """Eight connections that each ask again as soon as they are answered."""
    times: list[float] = []
    until = time.perf_counter() + seconds

    def ask() -> None:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        headers = {"Authorization": server.authorization, "Content-Type": "application/json"}
        while (start := time.perf_counter()) < until:
            asked = questions()
            client.request(asked.method, asked.path, body=asked.body, headers=headers)
            answer = client.getresponse()
            said = answer.read()
            if answer.status != status:
                raise SystemExit(f"{asked.method} {asked.path} answered {answer.status}: {said[:300]!r}")
            times.append(time.perf_counter() - start)

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    begin_at = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - begin_at
    times.sort()
    return Figures(
        len(times) / elapsed,
        times[len(times) // 2] * 1000,
        times[min(len(times) * 99 // 100, len(times) - 1)] * 1000,
    )


def get(server: Server, path: str) -> Any:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.request("GET", path, headers={"Authorization": server.authorization})
    return json.loads(client.getresponse().read())


class Questions:
    """What both servers are asked; each takes its own outages to resolve."""

    def __init__(self, rows: int, open_ones: list[str]) -> None:
        self.rows, self.open_ones = rows, open_ones
        self.lock = threading.Lock()

    def listed(self) -> Asked:
        return Asked("GET", f"{OUTAGES}?limit=50&offset={50 * random.randrange(20)}")  # noqa: S311

    def one(self) -> Asked:
        return Asked("GET", f"{OUTAGES}/OUT{random.randrange(1, self.rows):03d}")  # noqa: S311

    def create(self) -> Asked:
        body = {
            "site_name": "Lagos Tower 0042",
            "site_id": "SITE00042",
            "severity": "high",
            "description": "Rectifier down, battery overloaded since the alarm of unit U-77",
            "affected_services": ["4G", "Data"],
            "affected_subscribers": 500,
            "assigned_to": "amina",
        }
        return Asked("POST", OUTAGES, json.dumps(body).encode())

    def resolve(self) -> Asked:
        with self.lock:
            reference = self.open_ones.pop()
        return Asked(
            "POST", f"{OUTAGES}/{reference}/resolve", b'{"resolution_notes": "Replaced the rectifier"}'
        )

    def search(self, path: str) -> Asked:
        return Asked("GET", f"{OUTAGES}{path}{random.choice(WORDS).replace(' ', '+')}&limit=50")  # noqa: S311


OPENED = """
WITH made AS (
    INSERT INTO outages_outage (site_name, site_id, region, severity, state, description, affected_services,
        assigned_to, created_by, detected_at, recorded_at, resolved_by, acknowledged_by, source, fingerprint,
        root_cause, resolution_notes, correlation_id, updated_at, version)
    SELECT 'Lagos Tower 0042', 'SITE00042', 'Region 1', 'high', 'active', 'Rectifier down', '{4G}', '', '1',
        now(), now(), '', '', 'api', '', '', '', '', now(), 1 FROM generate_series(1, %s)
    RETURNING id, reference, severity, detected_at
), facts AS (
    INSERT INTO outages_fact (outage_id, kind, detail, occurred_at, recorded_at, actor)
    SELECT id, k.kind, k.detail, detected_at, detected_at, '1' FROM made, LATERAL (VALUES
        ('detected', ''), ('severity', severity)) AS k (kind, detail)
)
SELECT reference FROM made
"""


def opened(count: int) -> list[str]:
    """Outages to resolve, detected now."""
    with connection.cursor() as cursor:
        cursor.execute(OPENED, [count])
        return [reference for (reference,) in cursor.fetchall()]


def run(ours: Server, stock: Server, *, rows: int, seconds: float) -> bool:
    questions = Questions(rows, [])
    deep = deep_cursor(ours, rows)
    first = f"{OUTAGES}?limit=50&cursor="
    operations: list[tuple[str, Callable[[], Asked], Callable[[], Asked] | None, int]] = [
        ("list", questions.listed, questions.listed, 200),
        ("first by cursor", lambda: Asked("GET", first), questions.listed, 200),
        ("deep by cursor", lambda: Asked("GET", first + deep), None, 200),
        ("one outage", questions.one, questions.one, 200),
        (
            "search",
            lambda: questions.search("/search?q="),
            lambda: questions.search("?search="),
            200,
        ),
        ("create", questions.create, questions.create, 201),
        ("resolve", questions.resolve, questions.resolve, 200),
    ]
    is_reached = True
    say(f"{rows} outages, {CONNECTIONS} connections\n")
    figures = "".join(f"{name:>9}" for name in ("ours/s", "p50 ms", "p99 ms", "stock/s", "p50 ms", "p99 ms"))
    say(f"{'':<18}{figures}{'ratio':>8}{'goal':>7}")
    for name, mine, theirs, status in operations:
        found = []
        for server, asked in ((ours, mine), (stock, theirs)):
            if asked is None:
                continue
            if name == "resolve":
                questions.open_ones = opened(int(seconds * 1_000))
            measure(server, asked, seconds=min(seconds, 1.0), status=status)
            found.append(measure(server, asked, seconds=seconds, status=status))
        is_reached &= told(name, found)
    return is_reached


def told(name: str, found: list[Figures]) -> bool:
    columns = "".join(f"{one.rate:>9.0f}{one.p50:>9.1f}{one.p99:>9.1f}" for one in found)
    if len(found) < 2:
        say(f"{name:<18}{columns}")
        return True
    ratio, goal = found[0].rate / found[1].rate, GOALS.get(name)
    say(f"{name:<18}{columns}{ratio:>8.1f}{goal or '':>7}")
    return goal is None or ratio >= goal


def deep_cursor(server: Server, rows: int) -> str:
    """The cursor of a page far behind, by a page whose place is known."""
    at = rows * 9 // 10
    page = get(server, f"{OUTAGES}?limit=1&offset={at}")["results"]
    bound = page[0]["detected_at"]
    return str(get(server, f"{OUTAGES}?limit=1&cursor=&end_date={bound}")["next_cursor"])


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=15_000, help="how many outages")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each operation is asked for")
    parser.add_argument("--port", type=int, default=8_700, help="of ours; the baseline takes the next one")
    given = parser.parse_args()
    if not Outage.objects.exists():
        seed(connection, given.rows)
        Word.objects.learn()
    user, _ = User.objects.get_or_create(
        email="benchmark@example.com", defaults={"role": "engineer", "is_active": True, "password": "!"}
    )
    ours = Server(given.port, f"Bearer {begin(user).access_token}")
    stock = Server(given.port + 1, f"Token {token(user)}")
    with (
        serving("apexchainx.wsgi:application", ours.port),
        serving("benchmarks.baseline.wsgi:application", stock.port),
    ):
        return 0 if run(ours, stock, rows=given.rows, seconds=given.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
