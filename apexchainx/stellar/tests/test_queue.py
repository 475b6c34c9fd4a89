"""While one transaction of an account waits for its ledger, what becomes of others of that account."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stellar_sdk import (
    Account,
    Asset,
    FeeBumpTransactionEnvelope,
    Keypair,
    TransactionBuilder,
    TransactionEnvelope,
)

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.ledger import ROOT, Ledger
from apexchainx.stellar.sandbox.queue import Receipt, Status
from apexchainx.stellar.sandbox.store import Store
from apexchainx.stellar.tests.bench import bumped, decoded, pay

XLM = Asset.native()
NEVER = 3600


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """It closes only when it is told to."""
    store = Store(tmp_path / "ledger.sqlite3")
    ledger = Ledger(store, period=NEVER, patience=0)
    yield ledger
    ledger.stop()
    store.close()


@pytest.fixture
def source(ledger: Ledger) -> Keypair:
    source = Keypair.random()
    ledger.fund(source.public_key)
    return source


def payment(
    ledger: Ledger, source: Keypair, amount: str = "1", *, ahead: int = 1, base_fee: int = 100
) -> TransactionEnvelope:
    """A payment with the number that is so far ahead of the account's."""
    with ledger.reading() as store:
        account = store.account(source.public_key)
    assert account
    builder = TransactionBuilder(
        Account(source.public_key, account.sequence + ahead - 1), PASSPHRASE, base_fee
    )
    envelope = builder.add_time_bounds(0, 0).append_operation(pay(ROOT, XLM, amount)).build()
    envelope.sign(source)
    return envelope


def offered(ledger: Ledger, envelope: TransactionEnvelope | FeeBumpTransactionEnvelope) -> Receipt:
    return ledger.offer(envelope.to_xdr())


def code(receipt: Receipt) -> str:
    assert receipt.outcome
    return receipt.outcome.code


def balance(ledger: Ledger, owner: Keypair) -> int:
    with ledger.reading() as store:
        account = store.account(owner.public_key)
    assert account
    return account.balance


def is_applied(ledger: Ledger, envelope: TransactionEnvelope | FeeBumpTransactionEnvelope) -> bool:
    with ledger.reading() as store:
        return store.applied(envelope.hash_hex()) is not None


def test_what_is_valid_is_pending_and_in_the_next_ledger(ledger: Ledger, source: Keypair) -> None:
    envelope = payment(ledger, source)

    assert offered(ledger, envelope) == Receipt(Status.PENDING, envelope.hash_hex())
    assert not is_applied(ledger, envelope)
    ledger.close()

    assert is_applied(ledger, envelope)
    assert balance(ledger, source) == 9_999 * 10**7 - 100


def test_the_same_one_again_is_a_duplicate_and_is_applied_once(ledger: Ledger, source: Keypair) -> None:
    envelope = payment(ledger, source)
    offered(ledger, envelope)

    assert offered(ledger, envelope) == Receipt(Status.DUPLICATE, envelope.hash_hex())

    ledger.close()
    assert balance(ledger, source) == 9_999 * 10**7 - 100


@pytest.mark.parametrize("ahead", [1, 2])
def test_another_one_is_to_try_again_later(ledger: Ledger, source: Keypair, ahead: int) -> None:
    first, other = payment(ledger, source), payment(ledger, source, "2", ahead=ahead)
    offered(ledger, first)

    assert offered(ledger, other) == Receipt(Status.TRY_AGAIN_LATER, other.hash_hex())

    ledger.close()
    assert (is_applied(ledger, first), is_applied(ledger, other)) == (True, False)
    assert balance(ledger, source) == 9_999 * 10**7 - 100


def test_one_with_an_older_number_is_refused(ledger: Ledger, source: Keypair) -> None:
    old = payment(ledger, source, ahead=0)
    offered(ledger, payment(ledger, source))

    receipt = offered(ledger, old)

    assert (receipt.status, code(receipt)) == (Status.ERROR, "tx_bad_seq")


def test_others_are_not_in_its_way(ledger: Ledger, source: Keypair) -> None:
    other = Keypair.random()
    ledger.fund(other.public_key)
    envelopes = [payment(ledger, each) for each in (source, other)]

    assert [offered(ledger, each).status for each in envelopes] == [Status.PENDING] * 2

    ledger.close()
    assert all(is_applied(ledger, each) for each in envelopes)


def test_what_cannot_be_valid_is_refused_and_does_not_wait(ledger: Ledger, source: Keypair) -> None:
    skipping = offered(ledger, payment(ledger, source, ahead=2))

    assert (skipping.status, code(skipping)) == (Status.ERROR, "tx_bad_seq")
    assert offered(ledger, payment(ledger, source)).status == Status.PENDING


def test_a_fee_bump_of_ten_times_the_fee_takes_the_place(ledger: Ledger, source: Keypair) -> None:
    inner = payment(ledger, source)
    bump = bumped(source, inner, 1000)
    offered(ledger, inner)

    assert offered(ledger, bump) == Receipt(Status.PENDING, bump.hash_hex())
    assert offered(ledger, bump).status == Status.DUPLICATE
    assert offered(ledger, inner).status == Status.TRY_AGAIN_LATER

    ledger.close()
    assert is_applied(ledger, bump)
    assert is_applied(ledger, inner), "it is found by the hash of the transaction in it"
    assert code(offered(ledger, inner)) == "tx_bad_seq"
    assert offered(ledger, bump).status == Status.TRY_AGAIN_LATER
    assert balance(ledger, source) == 9_999 * 10**7 - 200


def test_a_fee_bump_of_less_is_told_how_much_is_needed(ledger: Ledger, source: Keypair) -> None:
    inner = payment(ledger, source)
    bump = bumped(source, inner, 999)
    offered(ledger, inner)

    receipt = offered(ledger, bump)

    assert (receipt.status, code(receipt)) == (Status.ERROR, "tx_insufficient_fee")
    assert receipt.outcome
    assert decoded(receipt.outcome.result_xdr)[2] == 2000
    ledger.close()
    assert (is_applied(ledger, inner), is_applied(ledger, bump)) == (True, False)


def test_a_fee_bump_over_a_fee_bump_needs_ten_times_as_much_again(ledger: Ledger, source: Keypair) -> None:
    inner = payment(ledger, source)
    offered(ledger, bumped(source, inner, 200))

    cheap, dear = (offered(ledger, bumped(source, inner, fee)) for fee in (1999, 2000))

    assert (cheap.status, dear.status) == (Status.ERROR, Status.PENDING)


def test_a_fee_bump_of_a_later_number_has_to_wait(ledger: Ledger, source: Keypair) -> None:
    offered(ledger, payment(ledger, source))

    later = offered(ledger, bumped(source, payment(ledger, source, ahead=2), 5000))

    assert later.status == Status.TRY_AGAIN_LATER


def test_an_applied_one_is_banned_for_ten_ledgers_and_then_its_number_is_used(
    ledger: Ledger, source: Keypair
) -> None:
    envelope = payment(ledger, source)
    offered(ledger, envelope)
    ledger.close()

    statuses = []
    for _ in range(11):
        statuses.append(offered(ledger, envelope).status)
        ledger.close()

    assert statuses == [Status.TRY_AGAIN_LATER] * 10 + [Status.ERROR]
    assert code(offered(ledger, envelope)) == "tx_bad_seq"
    assert balance(ledger, source) == 9_999 * 10**7 - 100


def test_without_a_period_what_is_pending_is_applied_already(ledger: Ledger, source: Keypair) -> None:
    ledger.set_period(0)
    envelope = payment(ledger, source)

    assert offered(ledger, envelope).status == Status.PENDING
    assert is_applied(ledger, envelope)


def test_what_waits_is_applied_when_the_period_ends_for_good(ledger: Ledger, source: Keypair) -> None:
    envelope = payment(ledger, source)
    offered(ledger, envelope)

    ledger.set_period(0)

    assert is_applied(ledger, envelope)
