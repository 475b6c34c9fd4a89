"""Several people at the same moment, each with a connection of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from apexchainx.errors import DomainError

Act = Callable[[], object]


def race(acts: Sequence[Act]) -> list[str]:
    """What became of each, in their order: `done`, or the code of the refusal."""
    start = Barrier(len(acts))

    def run(act: Act) -> str:
        try:
            start.wait()
            act()
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
