"""The sandbox ledger itself: what it takes in, when it closes, and what it answers."""

import hashlib
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from stellar_sdk import Account, Keypair, TransactionBuilder, TransactionEnvelope
from stellar_sdk.xdr import TransactionResultCode

from apexchainx.stellar import envelopes
from apexchainx.stellar.sandbox import PASSPHRASE, results
from apexchainx.stellar.sandbox.amounts import FRIENDBOT_GIFT, TOTAL, as_text
from apexchainx.stellar.sandbox.execution import execute
from apexchainx.stellar.sandbox.results import TransactionOutcome
from apexchainx.stellar.sandbox.store import Applied, Closed, Store
from apexchainx.stellar.sandbox.validation import is_supported, refuse

ROOT = Keypair.from_raw_ed25519_seed(hashlib.sha256(PASSPHRASE.encode()).digest())

logger = logging.getLogger(__name__)


class Malformed(ValueError):
    """This is not a transaction envelope."""


class TooLate(Exception):
    """The transaction was taken in, and no ledger has it yet."""


@dataclass
class Waiting:
    """A transaction that was taken in. `is_over` once a ledger has closed on it, with it or without."""

    envelope: TransactionEnvelope
    is_over: bool = False


class Ledger:
    """One ledger with one writer. With a period of 0 seconds every submission closes a ledger at once."""

    def __init__(self, store: Store, *, period: float = 0, patience: float = 30) -> None:
        self._store = store
        self._period = period
        self._patience = patience
        self._lock = threading.RLock()
        self._has_closed = threading.Condition(self._lock)
        self._queue: dict[str, Waiting] = {}
        self._is_stopping = threading.Event()
        self._closer = threading.Thread(target=self._keep_closing, name="sandbox-closer", daemon=True)
        with self._lock:
            self._found()
        if period > 0:
            self._closer.start()

    def stop(self) -> None:
        """Close no more ledgers by the clock, and let nobody wait any longer; the queue is forgotten."""
        self._is_stopping.set()
        with self._lock:
            self._has_closed.notify_all()
        if self._period > 0:
            self._closer.join()

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """The store, while no ledger closes."""
        with self._lock:
            yield self._store

    def latest(self) -> Closed:
        with self._lock:
            latest = self._store.latest()
        if latest is None:
            raise LookupError("no ledger")
        return latest

    def submit(self, envelope_xdr: str) -> Applied | TransactionOutcome:
        """The record in history, or why the transaction was not taken in.

        Blocks until its ledger has closed. Raises Malformed, or TooLate when patience ends first.
        """
        try:
            envelope = envelopes.parsed(envelope_xdr, PASSPHRASE)
        except ValueError as error:
            raise Malformed(str(error)) from error
        if not is_supported(envelope):
            return results.transaction(TransactionResultCode.txNOT_SUPPORTED, 0)
        with self._lock:
            answer = self._store.applied(envelope.hash_hex()) or self._take_in(envelope)
            return self._wait(answer) if isinstance(answer, Waiting) else answer

    def fund(self, address: str) -> Applied:
        """Create an account from the root account, in a ledger of its own."""
        with self._lock:
            root = self._store.account(ROOT.public_key)
            builder = TransactionBuilder(Account(ROOT.public_key, root.sequence if root else 0), PASSPHRASE)
            builder.add_time_bounds(0, 0).append_create_account_op(address, as_text(FRIENDBOT_GIFT))
            envelope = builder.build()
            envelope.sign(ROOT)
            self._close([envelope], self._now())
            return self._history(envelope)

    def close(self) -> Closed:
        """Close one ledger now, with all that waits. Whatever comes of it, nobody waits after it."""
        with self._lock:
            batch, self._queue = list(self._queue.values()), {}
            try:
                return self._close([each.envelope for each in batch], self._now())
            finally:
                for waiting in batch:
                    waiting.is_over = True
                self._has_closed.notify_all()

    def _found(self) -> None:
        if self._store.latest() is not None:
            return
        with self._store.transaction():
            self._store.add_ledger(Closed(1, int(time.time())), successful=0, failed=0, operations=0)
            self._store.add_account(ROOT.public_key, sequence=0, balance=TOTAL, modified=1)

    def _take_in(self, envelope: TransactionEnvelope) -> Applied | TransactionOutcome | Waiting:
        now = self._now()
        refusal = refuse(envelope, self._store, now)
        if refusal is not None:
            return refusal
        if self._period == 0:
            self._close([envelope], now)
            return self._history(envelope)
        return self._enqueue(envelope)

    def _enqueue(self, envelope: TransactionEnvelope) -> Waiting:
        """One transaction per source: a second one is not queued and waits in vain, as on the network."""
        waiting = self._queue.get(envelope.hash_hex()) or Waiting(envelope)
        sources = {each.envelope.transaction.source.account_id for each in self._queue.values()}
        if envelope.transaction.source.account_id not in sources:
            self._queue[envelope.hash_hex()] = waiting
        return waiting

    def _wait(self, waiting: Waiting) -> Applied:
        """The lock is held, but not while this waits."""
        self._has_closed.wait_for(lambda: waiting.is_over or self._is_stopping.is_set(), self._patience)
        applied = self._store.applied(waiting.envelope.hash_hex())
        if applied is None:
            raise TooLate(waiting.envelope.hash_hex())
        return applied

    def _keep_closing(self) -> None:
        """A ledger that cannot be written now does not stop the later ones."""
        while not self._is_stopping.wait(self._period):
            try:
                self.close()
            except sqlite3.Error:
                logger.exception("sandbox_close_failed")

    def _now(self) -> int:
        """Ledger time does not run backwards."""
        latest = self._store.latest()
        return max(int(time.time()), latest.closed_at if latest else 0)

    def _history(self, envelope: TransactionEnvelope) -> Applied:
        applied = self._store.applied(envelope.hash_hex())
        if applied is None:
            raise LookupError(envelope.hash_hex())
        return applied

    def _close(self, envelopes: Sequence[TransactionEnvelope], now: int) -> Closed:
        """Apply what is valid still; the whole ledger is one transaction of the file."""
        ledger = Closed(self.latest().sequence + 1, now)
        with self._store.transaction():
            applied: list[Applied] = []
            for envelope in envelopes:
                if refuse(envelope, self._store, now) is None:
                    applied.append(execute(envelope, self._store, ledger, order=len(applied) + 1))
            succeeded = [each for each in applied if each.successful]
            self._store.add_ledger(
                ledger,
                successful=len(succeeded),
                failed=len(applied) - len(succeeded),
                operations=sum(len(each.codes) for each in succeeded),
            )
        return ledger
