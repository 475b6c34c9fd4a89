"""What a search costs in the database: `benchmarks/search.py --rows 1000000 [--plans]`

Seeds the database of DATABASE_URL where it has no outages yet, learns their words, and prints for searches of
each kind how long the two statements of a search ran (EXPLAIN ANALYZE, the best of three), how many outages
were put in order, and how the statement found them. Exit code 1 where one takes 50 ms or more.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apexchainx.settings")
django.setup()

from django.db import connection  # noqa: E402

from benchmarks.seed import seed  # noqa: E402
from outages.filters import MOST_RANKED  # noqa: E402
from outages.models import Outage, Word  # noqa: E402
from outages.models.words import UNDERSTAND, asked, words_of  # noqa: E402

SEARCHES = {
    "common word": "data",
    "frequent word": "rectifier",
    "two frequent words": "lagos tower",
    "three words": "flooding kano mast",
    "words that never meet": "lagos nairobi",
    "stemmed": "batteries failing",
    "beginning": "ant",
    "beginning of a rare word": "lusak shelt",
    "error of typing": "pwoer",
    "error beside a word": "rectifeir lagos",
    "id": "OUT12345",
    "site id": "SITE02369",
    "part of an id": "02369",
    "ticket": "c4ca4238",
    "inside a word": "ectifie",
    "nothing": "zyxgate",
    "signs": "100%_\\",
}
LONGEST = 50.0


def ran(statement: str, parameters: Any) -> dict[str, Any]:
    """The quickest of three plans that were carried out."""
    found = []
    for _ in range(3):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters)
            [answer] = cursor.fetchone()
            found += json.loads(answer) if isinstance(answer, str) else answer
    return min(found, key=lambda one: float(one["Execution Time"]))


def ways(plan: dict[str, Any]) -> list[str]:
    """By which indexes, or without one; what was never begun does not count."""
    if not plan["Actual Loops"]:
        return []
    own = [plan["Index Name"]] if "Index Name" in plan else []
    own += ["SEQUENTIAL"] if plan["Node Type"] == "Seq Scan" else []
    return own + [way for child in plan.get("Plans", ()) for way in ways(child)]


def measure(text: str, *, shows_plan: bool) -> tuple[float, str]:
    understood = ran(UNDERSTAND, asked(words_of(text.lower())))
    ranked = Outage.objects.all().most_relevant(Word.objects.sought(text), of=MOST_RANKED)
    statement, parameters = ranked.values("pk")[:50].query.sql_with_params()
    page = ran(statement, parameters)
    if shows_plan:
        say(ranked.values("pk")[:50].explain())
    first, second = float(understood["Execution Time"]), float(page["Execution Time"])
    found = ", ".join(dict.fromkeys(ways(page["Plan"])))
    return first + second, f"{first:>9.1f}{second:>9.1f}{len(ranked):>7}  {found}"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--rows", type=int, default=15_000, help="how many outages to seed, where there are none"
    )
    parser.add_argument("--plans", action="store_true", help="print each plan")
    given = parser.parse_args()
    if not Outage.objects.exists():
        seed(connection, given.rows)
    Word.objects.learn()
    say(f"{Outage.objects.count()} outages, {Word.objects.count()} words\n")
    say(f"{'':<26}{'':<20}{'words ms':>9}{'page ms':>9}{'found':>7}  by")
    slowest = 0.0
    for kind, text in SEARCHES.items():
        took, line = measure(text, shows_plan=given.plans)
        slowest = max(slowest, took)
        say(f"{kind:<26}{text:<20}{line}")
    say(f"\nslowest: {slowest:.1f} ms")
    return int(slowest >= LONGEST)


if __name__ == "__main__":
    sys.exit(main())
