"""Closing: by the clock, by hand, with whoever waits, and in spite of trouble."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import stellar_sdk
from stellar_sdk import Asset, Keypair, TransactionBuilder, TransactionEnvelope

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.ledger import ROOT, Ledger, TooLate
from apexchainx.stellar.sandbox.results import TransactionOutcome
from apexchainx.stellar.sandbox.store import Account, Applied, Store
from apexchainx.stellar.tests.bench import pay

XLM = Asset.native()
NEVER = 3600


@contextmanager
def running(tmp_path: Path, *, period: float, patience: float = 5.0) -> Iterator[Ledger]:
    store = Store(tmp_path / "ledger.sqlite3")
    ledger = Ledger(store, period=period, patience=patience)
    try:
        yield ledger
    finally:
        ledger.stop()
        store.close()


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[Ledger]:
    """It closes when it is told to, and whoever submits waits for that."""
    with running(tmp_path, period=NEVER) as ledger:
        yield ledger


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Ledger]:
    """Whoever submits to it waits a tenth of a second."""
    with running(tmp_path, period=NEVER, patience=0.1) as ledger:
        yield ledger


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def funded(ledger: Ledger) -> Keypair:
    keypair = Keypair.random()
    ledger.fund(keypair.public_key)
    return keypair


def account(ledger: Ledger, keypair: Keypair) -> Account:
    with ledger.reading() as store:
        account = store.account(keypair.public_key)
    assert account
    return account


def payment(ledger: Ledger, source: Keypair, amount: str = "1", *, max_time: int = 0) -> TransactionEnvelope:
    sequence = stellar_sdk.Account(source.public_key, account(ledger, source).sequence)
    builder = TransactionBuilder(sequence, PASSPHRASE).add_time_bounds(0, max_time)
    envelope = builder.append_operation(pay(ROOT, XLM, amount)).build()
    envelope.sign(source)
    return envelope


def applied(ledger: Ledger, envelope: TransactionEnvelope) -> Applied:
    outcome = ledger.submit(envelope.to_xdr())
    assert isinstance(outcome, Applied)
    return outcome


def refused(ledger: Ledger, envelope: TransactionEnvelope) -> TransactionOutcome:
    outcome = ledger.submit(envelope.to_xdr())
    assert isinstance(outcome, TransactionOutcome)
    return outcome


def until(ledger: Ledger, *, waiting: int) -> None:
    """Returns once so many wait for the next ledger."""
    deadline = time.monotonic() + 5
    while len(ledger._queue) < waiting:
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.002)


def test_a_submission_waits_for_its_ledger(by_hand: Ledger, pool: ThreadPoolExecutor) -> None:
    source = funded(by_hand)
    answer = pool.submit(applied, by_hand, payment(by_hand, source))
    until(by_hand, waiting=1)
    assert not answer.done()

    closed = by_hand.close()

    assert (answer.result(1).successful, answer.result(1).ledger) == (True, closed.sequence)


def test_an_empty_ledger_is_one_too(by_hand: Ledger) -> None:
    before = by_hand.latest()

    assert by_hand.close().sequence == before.sequence + 1
    assert by_hand.latest().sequence == before.sequence + 1


def test_a_ledger_takes_all_that_wait_in_their_order(by_hand: Ledger, pool: ThreadPoolExecutor) -> None:
    sources = [funded(by_hand) for _ in range(3)]
    answers = []
    for number, source in enumerate(sources, start=1):
        envelope = payment(by_hand, source)
        answers.append(pool.submit(applied, by_hand, envelope))
        until(by_hand, waiting=number)

    closed = by_hand.close()

    tokens = [answer.result(1).document["paging_token"] for answer in answers]
    assert tokens == [str(closed.sequence << 32 | order << 12) for order in (1, 2, 3)]


def test_one_envelope_that_waits_twice_is_applied_once(by_hand: Ledger, pool: ThreadPoolExecutor) -> None:
    source = funded(by_hand)
    envelope = payment(by_hand, source)
    answers = [pool.submit(applied, by_hand, envelope) for _ in range(2)]
    until(by_hand, waiting=1)
    time.sleep(0.05)

    by_hand.close()

    assert answers[0].result(1) == answers[1].result(1)
    assert account(by_hand, source).balance == 9_999 * 10**7 - 100


def test_the_clock_closes_ledgers(tmp_path: Path) -> None:
    with running(tmp_path, period=0.02) as ledger:
        source = funded(ledger)
        before = ledger.latest().sequence

        landed = applied(ledger, payment(ledger, source))

        assert landed.successful
        assert landed.ledger > before


def test_without_a_period_every_submission_closes_a_ledger(tmp_path: Path) -> None:
    with running(tmp_path, period=0) as ledger:
        source = funded(ledger)
        before = ledger.latest().sequence

        landed = applied(ledger, payment(ledger, source))

        assert (landed.ledger, ledger.latest().sequence) == (before + 1, before + 1)


def test_while_one_waits_another_of_its_source_is_not_taken_in(
    impatient: Ledger, pool: ThreadPoolExecutor
) -> None:
    source = funded(impatient)
    first, second = (payment(impatient, source, amount) for amount in ("1", "2"))

    for envelope in (first, second):
        with pytest.raises(TooLate) as timeout:
            impatient.submit(envelope.to_xdr())
        assert str(timeout.value) == envelope.hash_hex()
    assert len(impatient._queue) == 1
    impatient.close()

    assert applied(impatient, first).successful
    assert refused(impatient, second).code == "tx_bad_seq"
    assert account(impatient, source).balance == 9_999 * 10**7 - 100


def test_too_late_for_the_client_may_be_in_time_for_the_ledger(impatient: Ledger) -> None:
    envelope = payment(impatient, funded(impatient))
    with pytest.raises(TooLate):
        impatient.submit(envelope.to_xdr())

    closed = impatient.close()

    assert applied(impatient, envelope).ledger == closed.sequence


def test_what_has_expired_when_the_ledger_closes_is_left_out(
    by_hand: Ledger, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, now = funded(by_hand), int(time.time())
    envelope = payment(by_hand, source, max_time=now + 60)
    before = account(by_hand, source)
    answer = pool.submit(applied, by_hand, envelope)
    until(by_hand, waiting=1)
    monkeypatch.setattr(by_hand, "_now", lambda: now + 61)

    by_hand.close()

    assert isinstance(answer.exception(1), TooLate)
    assert account(by_hand, source) == before
    assert refused(by_hand, envelope).code == "tx_too_late"


def test_stopping_lets_nobody_wait(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with running(tmp_path, period=NEVER, patience=2) as ledger:
        source = funded(ledger)
        first, second = (payment(ledger, source, amount) for amount in ("1", "2"))
        answers = [pool.submit(applied, ledger, first)]
        until(ledger, waiting=1)
        answers.append(pool.submit(applied, ledger, second))
        time.sleep(0.05)

        ledger.stop()

        assert [type(answer.exception(1)) for answer in answers] == [TooLate, TooLate]
        assert account(ledger, source).balance == 10_000 * 10**7


def test_a_ledger_that_cannot_be_written_is_not_closed_and_the_next_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path, period=0.02) as ledger:
        source = funded(ledger)
        envelope = payment(ledger, source)
        broken = sqlite3.OperationalError("disk I/O error")
        with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL):
            patch.setattr(ledger._store, "add_ledger", lambda *_, **__: (_ for _ in ()).throw(broken))
            with pytest.raises(TooLate):
                ledger.submit(envelope.to_xdr())
            assert account(ledger, source).balance == 10_000 * 10**7

        assert applied(ledger, envelope).successful
        assert account(ledger, source).balance == 9_999 * 10**7 - 100


def test_ledger_time_does_not_run_backwards(by_hand: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    first = by_hand.close()
    monkeypatch.setattr(time, "time", lambda: first.closed_at - 100)

    assert by_hand.close().closed_at == first.closed_at


def test_friendbot_does_not_wait_for_the_clock(by_hand: Ledger) -> None:
    keypair = funded(by_hand)

    assert account(by_hand, keypair).balance == 10_000 * 10**7


def test_a_new_period_holds_from_now_on(by_hand: Ledger, pool: ThreadPoolExecutor) -> None:
    source = funded(by_hand)
    answer = pool.submit(applied, by_hand, payment(by_hand, source))
    until(by_hand, waiting=1)

    by_hand.set_period(0.02)

    assert answer.result(2).successful
    before = by_hand.latest().sequence
    by_hand.set_period(0)
    assert applied(by_hand, payment(by_hand, source)).ledger > before


def test_the_clock_may_be_set_ahead_and_waits_when_it_is_set_back(
    by_hand: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.5)

    by_hand.set_clock(3600)
    ahead = by_hand.close().closed_at
    by_hand.set_clock(-60)
    back = by_hand.close().closed_at
    monkeypatch.setattr(time, "time", lambda: 2_000_003_700.0)

    assert (ahead, back, by_hand.close().closed_at) == (2_000_003_600, 2_000_003_600, 2_000_003_640)


def test_a_time_bound_is_judged_by_the_ledgers_clock(by_hand: Ledger) -> None:
    by_hand.set_period(0)
    source = funded(by_hand)
    envelope = payment(by_hand, source, max_time=int(time.time()) + 600)

    by_hand.set_clock(3600)

    assert refused(by_hand, envelope).code == "tx_too_late"
