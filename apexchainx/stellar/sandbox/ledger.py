"""The sandbox ledger itself: what it takes in, when it closes, and what it answers."""

import hashlib
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from stellar_sdk import Account, Keypair, TransactionBuilder
from stellar_sdk.xdr import TransactionResultCode

from apexchainx.stellar.sandbox import PASSPHRASE, distortion, submission
from apexchainx.stellar.sandbox.amounts import FRIENDBOT_GIFT, TOTAL, as_text
from apexchainx.stellar.sandbox.execution import execute
from apexchainx.stellar.sandbox.faults import INCLUSIONS, REFUSALS, Faults, Kind, Rule, Target
from apexchainx.stellar.sandbox.pace import Pace
from apexchainx.stellar.sandbox.queue import Queue, Receipt, Status, Waiting, error
from apexchainx.stellar.sandbox.replicas import Replicas
from apexchainx.stellar.sandbox.results import TransactionOutcome
from apexchainx.stellar.sandbox.store import Applied, Closed, Store
from apexchainx.stellar.sandbox.submission import Submission
from apexchainx.stellar.sandbox.validation import refuse

ROOT = Keypair.from_raw_ed25519_seed(hashlib.sha256(PASSPHRASE.encode()).digest())
BANNED_LEDGERS = 10

logger = logging.getLogger(__name__)


class Malformed(ValueError):
    """This is not a transaction envelope."""


class TooLate(Exception):
    """The transaction was taken in, and no ledger has it yet."""


class Ledger:
    """One ledger with one writer. With a period of 0 seconds every submission closes a ledger at once."""

    def __init__(self, store: Store, *, period: float = 0, patience: float = 30) -> None:
        self.faults = Faults()
        self._store = store
        self._replicas = Replicas()
        self._offset = 0.0
        self._patience = patience
        self._lock = threading.RLock()
        self._has_closed = threading.Condition(self._lock)
        self._queue = Queue()
        self._is_stopping = False
        self._found()
        self._pace = Pace(self._close_in_time, period)

    def stop(self) -> None:
        """Close no more ledgers by the clock, and let nobody wait any longer; the queue is forgotten."""
        self._is_stopping = True
        with self._lock:
            self._has_closed.notify_all()
        self._pace.stop()
        with self._lock:
            self._replicas.close()

    # Settings

    @property
    def period(self) -> float:
        return self._pace.period

    @property
    def clock_offset(self) -> float:
        return self._offset

    def set_period(self, seconds: float) -> None:
        """From now on. Where no clock will close a ledger any more, what waits gets its own at once."""
        self._pace.change(seconds)
        with self._lock:
            if seconds == 0 and len(self._queue):
                self.close()

    def set_clock(self, offset: float) -> None:
        """Seconds that ledger time is ahead of real time, but it never runs backwards: it waits."""
        with self._lock:
            self._offset = offset

    def add_fault(self, kind: Kind, **choices: Any) -> Rule:
        """A rule as in Faults.add. A replica that lags starts from the present state."""
        with self._lock:
            rule = self.faults.add(kind, **choices)
            self._keep_replicas(self.latest())
            return rule

    # Reading

    @contextmanager
    def reading(self, *, behind: int = 0) -> Iterator[Store]:
        """The store while no ledger closes, or as it was so many ledgers ago."""
        with self._lock:
            yield self._replicas.behind(behind) if behind else self._store

    def latest(self) -> Closed:
        with self._lock:
            return latest(self._store)

    # Writing

    def submit(self, envelope_xdr: str) -> Applied | TransactionOutcome:
        """The record in history, or why the transaction was not taken in.

        Blocks until its ledger has closed. Raises Malformed, or TooLate when patience ends first.
        """
        new = _parsed(envelope_xdr)
        with self._lock:
            refusal = self._refuse_falsely(new)
            if refusal and refusal.outcome:
                return refusal.outcome
            applied = self._store.applied(new.hash)
            if applied is not None:
                return applied
            receipt = self._judge(new)
            return receipt.outcome or self._wait(new)

    def offer(self, envelope_xdr: str) -> Receipt:
        """What stellar-core says at once. Raises Malformed."""
        new = _parsed(envelope_xdr)
        with self._lock:
            return self._refuse_falsely(new) or self._judge(new)

    def fund(self, address: str) -> Applied:
        """Create an account from the root account, in a ledger of its own."""
        with self._lock:
            root = self._store.account(ROOT.public_key)
            builder = TransactionBuilder(Account(ROOT.public_key, root.sequence if root else 0), PASSPHRASE)
            builder.add_time_bounds(0, 0).append_create_account_op(address, as_text(FRIENDBOT_GIFT))
            envelope = builder.build()
            envelope.sign(ROOT)
            new = Submission(envelope)
            self._close([Waiting(new, due=0)])
            applied = self._store.applied(new.hash)
            if applied is None:
                raise LookupError(new.hash)
            return applied

    def close(self) -> Closed:
        """Close one ledger now, with all that is due. Whatever comes of it, nobody waits after it."""
        with self._lock:
            batch = self._queue.take(self.latest().sequence + 1)
            try:
                return self._close(batch)
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

    def _judge(self, new: Submission) -> Receipt:
        """The lock is held. Applied a short while ago is banned; the queue comes before validation."""
        newest = self.latest().sequence
        if self._is_banned(new, newest):
            return Receipt(Status.TRY_AGAIN_LATER, new.hash)
        receipt = self._queue.judge(new)
        if receipt is not None:
            return receipt
        outcome = refuse(new, self._store, self._now())
        if outcome is not None:
            return Receipt(Status.ERROR, new.hash, outcome)
        self._take_in(new, newest)
        return Receipt(Status.PENDING, new.hash)

    def _is_banned(self, new: Submission, newest: int) -> bool:
        """What was applied as it is; the transaction in a fee bump was not, on its own."""
        applied = self._store.applied(new.hash)
        if applied is None or newest - applied.ledger >= BANNED_LEDGERS:
            return False
        return bool(applied.document.get("inner_transaction", {}).get("hash") != new.hash)

    def _take_in(self, new: Submission, newest: int) -> None:
        rule = self._strike(INCLUSIONS, new)
        late = rule.ledgers if rule and rule.kind == Kind.LATE else 0
        is_wrong = rule is not None and rule.kind == Kind.WRONG_AMOUNT
        self._queue.add(Waiting(new, due=newest + 1 + late, is_wrong=is_wrong))
        if self.period == 0 and not late:
            self.close()

    def _wait(self, new: Submission) -> Applied:
        """The lock is held, but not while this waits. Without a clock there is nothing to wait for."""
        waiting = self._queue.of_source(new.source)
        own = waiting if waiting and waiting.submission.hash == new.hash else Waiting(new, due=0)
        if self.period:
            self._has_closed.wait_for(lambda: self._is_settled(own), self._patience)
        applied = self._store.applied(new.hash)
        if applied is None:
            raise TooLate(new.hash)
        return applied

    def _is_settled(self, waiting: Waiting) -> bool:
        is_over = waiting.is_over or self._is_stopping
        return is_over or self._store.applied(waiting.submission.hash) is not None

    def _close_in_time(self) -> None:
        """A ledger that cannot be written now does not stop the later ones."""
        try:
            self.close()
        except sqlite3.Error:
            logger.exception("sandbox_close_failed")

    def _now(self) -> int:
        """Ledger time does not run backwards."""
        newest = self._store.latest()
        return max(int(time.time() + self._offset), newest.closed_at if newest else 0)

    def _close(self, batch: Sequence[Waiting]) -> Closed:
        """Apply what is valid still; the whole ledger is one transaction of the file."""
        ledger = Closed(self.latest().sequence + 1, self._now())
        with self._store.transaction():
            applied: list[Applied] = []
            for each in batch:
                if refuse(each.submission, self._store, ledger.closed_at) is None:
                    order = len(applied) + 1
                    applied.append(execute(each.submission, self._store, ledger, order=order))
                    if each.is_wrong and applied[-1].successful:
                        distortion.halve(self._store, ledger, order=order)
            succeeded = [each for each in applied if each.successful]
            self._store.add_ledger(
                ledger,
                successful=len(succeeded),
                failed=len(applied) - len(succeeded),
                operations=sum(len(each.codes) for each in succeeded),
            )
        self._keep_replicas(ledger)
        return ledger

    def _keep_replicas(self, newest: Closed) -> None:
        self._replicas.keep(self._store, newest, lag=self.faults.most_lag())

    def _refuse_falsely(self, new: Submission) -> Receipt | None:
        rule = self._strike(REFUSALS, new)
        if rule is None:
            return None
        if rule.kind == Kind.BAD_SEQUENCE:
            return error(new, TransactionResultCode.txBAD_SEQ)
        return error(new, TransactionResultCode.txINSUFFICIENT_FEE, fee=2 * new.fee)

    def _strike(self, kinds: frozenset[Kind], new: Submission) -> Rule | None:
        target = Target("transaction", new.source, new.hash)
        return self.faults.strike(kinds, target, self.latest().sequence)


def latest(store: Store) -> Closed:
    newest = store.latest()
    if newest is None:
        raise LookupError("no ledger")
    return newest


def _parsed(envelope_xdr: str) -> Submission:
    try:
        return submission.read(envelope_xdr)
    except ValueError as error:
        raise Malformed(str(error)) from error
