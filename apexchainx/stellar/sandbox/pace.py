"""The clock that closes ledgers."""

import threading
from collections.abc import Callable


class Pace:
    """Calls `close` once in every period, in a thread of its own; a period of 0 seconds means never."""

    def __init__(self, close: Callable[[], None], period: float) -> None:
        self._close = close
        self._period = period
        self._is_over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="sandbox-closer", daemon=True)
        self._thread.start()

    @property
    def period(self) -> float:
        return self._period

    def change(self, period: float) -> None:
        """The next ledger closes one new period from now."""
        with self._changed:
            self._period = period
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while self._has_passed():
            self._close()

    def _has_passed(self) -> bool:
        """Once a period has passed undisturbed; False when it is over."""
        with self._changed:
            while not self._is_over:
                if not self._changed.wait(self._period or None):
                    return True
        return False
