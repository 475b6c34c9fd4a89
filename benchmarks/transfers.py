"""Import and export against a stock baseline: `benchmarks/transfers.py --rows 100000`

Imports 1,000 outages, open and resolved, and exports 10,000 and all of them, ours and stock in turn on the
same tables of DATABASE_URL; imports are rolled back. An empty database is seeded with --rows outages first.
Prints medians, ratios and the peak memory of an export; exit code 1 where a goal is missed.
"""

import argparse
import io
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apexchainx.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from apexchainx import context  # noqa: E402
from benchmarks.baseline import transfers as stock  # noqa: E402
from benchmarks.seed import seed  # noqa: E402
from outages.models import Outage  # noqa: E402
from outages.serializers.exports import copied  # noqa: E402
from outages.serializers.imports import ImportRowSerializer, judge  # noqa: E402
from outages.serializers.transfers import from_body  # noqa: E402
from payments.services import imports  # noqa: E402

IMPORT_GOAL, EXPORT_GOAL = 20, 8
SEVERITIES = ("critical", "high", "medium", "low")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="how many outages to seed")
    parser.add_argument("--tries", type=int, default=3, help="of each; the median counts")
    given = parser.parse_args()
    settings.DEBUG = False  # With it Django keeps the text of every statement.
    if not Outage.objects.exists():
        seed(connection, given.rows)
    with context.acting_as("1", source="api"):
        ratios = [
            compare("import of 1,000, open", imported(rows()), stocked(rows()), given.tries),
            compare("import of 1,000, resolved", imported(rows(20)), stocked(rows(20)), given.tries),
        ]
    some = Outage.objects.filter(pk__in=list(Outage.objects.values_list("pk", flat=True)[:10_000]))
    exports = [compare("export of 10,000", exported(some), written(some), given.tries)]
    everything, count = Outage.objects.all(), Outage.objects.count()
    exports.append(compare(f"export of {count:,}", exported(everything), written(everything), 1))
    memory()
    return int(min(ratios) < IMPORT_GOAL or min(exports) < EXPORT_GOAL)


def compare(what: str, ours: Callable[[], object], theirs: Callable[[], object], tries: int) -> float:
    """How many times as fast ours is."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(tries):
        for run, seconds in zip((ours, theirs), times, strict=True):
            begin = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - begin)
    mine, other = median(times[0]), median(times[1])
    say(f"{what:<28} {mine:8.3f} s   stock {other:8.3f} s   {other / mine:6.1f} x")
    return other / mine


def rows(minutes: int | None = None) -> list[dict[str, Any]]:
    ended = {} if minutes is None else {"mttr_minutes": minutes}
    return [
        {
            "site_name": f"Site {number}",
            "severity": SEVERITIES[number % 4],
            "description": "Fibre cut between two aggregation sites",
            "affected_services": ["4G", "5G"],
            "detected_at": "2026-01-10T10:00:00Z",
            "assigned_to": "amina",
            **ended,
        }
        for number in range(1000)
    ]


def imported(outages: list[dict[str, Any]]) -> Callable[[], object]:
    def run() -> None:
        with transaction.atomic():
            upload = from_body({"outages": outages})
            plan = imports.examine(*judge(upload.rows, ImportRowSerializer()))
            imports.import_list(upload.origin, plan)
            transaction.set_rollback(True)

    return run


def stocked(outages: list[dict[str, Any]]) -> Callable[[], object]:
    def run() -> None:
        with transaction.atomic():
            stock.import_rows(outages)
            transaction.set_rollback(True)

    return run


def exported(outages: Any) -> Callable[[], object]:
    return lambda: sum(len(piece) for piece in copied(outages, "csv"))


def written(outages: Any) -> Callable[[], object]:
    return lambda: stock.export(outages, io.StringIO())


def memory() -> None:
    """The highest that a process of its own has needed, for nothing and for everything."""
    peaks = []
    for flags in (["--from", "9000-01-01"], []):
        command = [sys.executable, str(ROOT / "manage.py"), "export_outages", "--out", "-", *flags]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        peaks.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    say(f"peak memory of the command: {peaks[0]:.0f} MiB for no outage, {peaks[1]:.0f} MiB for all")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
