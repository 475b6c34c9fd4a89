"""The ledger as it was a few ledgers ago, for whoever reads from a server that lags."""

from collections import deque

from apexchainx.stellar.sandbox.store import Closed, Store


class Replicas:
    """Copies in memory, one after each ledger, kept only as long as some rule lets reads lag."""

    def __init__(self) -> None:
        self._copies: deque[tuple[int, Store]] = deque()

    def keep(self, store: Store, latest: Closed, *, lag: int) -> None:
        """Copy the store as it is after the latest ledger, and forget what is more than `lag` ledgers old."""
        if lag and (not self._copies or self._copies[-1][0] < latest.sequence):
            self._copies.append((latest.sequence, store.copy()))
        while len(self._copies) > (lag + 1 if lag else 0):
            self._copies.popleft()[1].close()

    def behind(self, ledgers: int) -> Store:
        """As it was so many ledgers ago, but not before the rule was made: a replica lags from then on."""
        newest = self._copies[-1][0]
        old = [store for sequence, store in self._copies if sequence <= newest - ledgers]
        return old[-1] if old else self._copies[0][1]

    def close(self) -> None:
        while self._copies:
            self._copies.pop()[1].close()
