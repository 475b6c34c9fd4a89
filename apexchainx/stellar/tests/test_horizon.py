"""Our client, and the ledger behind it."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from stellar_sdk import Asset, Claimant, CreateClaimableBalance, Keypair, Server, SetOptions
from stellar_sdk import Signer as SdkSigner

from apexchainx.errors import Conflict
from apexchainx.stellar import envelopes, horizon, keys
from apexchainx.stellar.envelopes import Envelope
from apexchainx.stellar.horizon import Account, Balance, FeeStats, LedgerPayment, Outcome, Signer, Submission
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.tests import bench


def known(address: str) -> Account:
    """The account, which must be there."""
    account = horizon.account(address)
    assert account
    return account


@pytest.fixture
def holder(sandbox: str) -> KeyPair:
    """An account that trusts our asset and holds none of it."""
    holder = keys.generate()
    horizon.friendbot(holder.address)
    sequence = known(holder.address).sequence + 1
    trust = envelopes.trustline(signer=holder, sequence=sequence, base_fee=100, max_time=0)
    assert horizon.submit(trust.xdr).outcome == Outcome.APPLIED
    return holder


def payment(signer: KeyPair, to: str, *, amount: str = "5", sequence: int | None = None) -> Envelope:
    """With the next number of the signer's account, where no other is given."""
    number = known(signer.address).sequence + 1 if sequence is None else sequence
    return envelopes.payment(
        signer=signer,
        sequence=number,
        destination=to,
        amount=Decimal(amount),
        memo="SLA:PAY001",
        base_fee=100,
        max_time=int(time.time()) + 60,
    )


def test_an_account_that_is_not_there_is_none(sandbox: str) -> None:
    assert horizon.account(keys.generate().address) is None


def test_an_account_is_read_with_its_balances(sandbox: str, issuer: KeyPair, holder: KeyPair) -> None:
    horizon.submit(payment(issuer, holder.address, amount="750.0000001").xdr)

    account = known(holder.address)

    assert (account.usdc, account.xlm) == (Decimal("750.0000001"), Decimal("9999.99999"))
    assert account.balances == (
        Balance("USDC", issuer.address, Decimal("750.0000001"), "credit_alphanum4"),
        Balance("XLM", "", Decimal("9999.99999"), "native"),
    )
    assert account.has_trustline
    assert account.sequence % 2**32 == 1


def test_the_same_code_of_another_issuer_is_not_our_asset(
    sandbox: str, settings: Any, holder: KeyPair
) -> None:
    settings.STELLAR_ASSET_ISSUER = keys.generate().address

    account = known(holder.address)

    assert (account.usdc, account.has_trustline) == (Decimal(0), False)


def test_an_applied_payment_is_reported_and_found(sandbox: str, issuer: KeyPair, holder: KeyPair) -> None:
    envelope = payment(issuer, holder.address)

    submission = horizon.submit(envelope.xdr)
    found = horizon.transaction(envelope.hash)
    assert found

    assert submission == Submission(Outcome.APPLIED, envelope.hash, ledger=found.ledger, code="tx_success")
    assert (found.hash, found.successful, found.operations) == (envelope.hash, True, ())
    assert found.envelope_xdr == envelope.xdr
    assert abs(datetime.now(UTC) - found.created_at) < timedelta(seconds=5)


def test_an_applied_payment_sent_again_is_reported_again(
    sandbox: str, issuer: KeyPair, holder: KeyPair
) -> None:
    envelope = payment(issuer, holder.address)

    assert horizon.submit(envelope.xdr) == horizon.submit(envelope.xdr)
    assert known(holder.address).usdc == 5


def test_a_payment_that_failed_in_the_ledger_is_final_and_says_why(sandbox: str, issuer: KeyPair) -> None:
    stranger = keys.generate()
    horizon.friendbot(stranger.address)
    envelope = payment(issuer, stranger.address)

    submission = horizon.submit(envelope.xdr)

    found = horizon.transaction(envelope.hash)
    assert found
    assert (found.successful, found.operations) == (False, ("op_no_trust",))
    assert (submission.outcome, submission.ledger) == (Outcome.FAILED_ON_LEDGER, found.ledger)
    assert (submission.code, submission.operations) == ("tx_failed", ("op_no_trust",))


def test_a_refusal_that_no_ledger_has_is_unknown_with_its_codes(
    sandbox: str, issuer: KeyPair, holder: KeyPair
) -> None:
    late = payment(issuer, holder.address, sequence=known(issuer.address).sequence + 2)
    void = payment(issuer, holder.address, amount="0")

    skipped, malformed = horizon.submit(late.xdr), horizon.submit(void.xdr)

    assert (skipped.outcome, skipped.hash, skipped.code) == (Outcome.UNKNOWN, late.hash, "tx_bad_seq")
    assert (malformed.outcome, malformed.operations) == (Outcome.UNKNOWN, ("op_malformed",))
    assert horizon.transaction(late.hash) is None
    assert horizon.transaction(void.hash) is None


def test_fees_are_read(sandbox: str) -> None:
    charged = dict.fromkeys((10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99), 100)

    assert horizon.fee_stats() == FeeStats(base_fee=100, p90=100, charged=charged)


def test_the_latest_close_is_read(sandbox: str) -> None:
    before = horizon.latest_close()
    requests.post(f"{sandbox}/sandbox/close", timeout=5)

    assert before <= horizon.latest_close() <= datetime.now(UTC)
    assert horizon.latest_close().utcoffset() == timedelta(0)


def test_friendbot_funds_an_account_once(sandbox: str) -> None:
    address = keys.generate().address
    horizon.friendbot(address)

    with pytest.raises(Conflict, match="already funded") as refusal:
        horizon.friendbot(address)

    assert refusal.value.code == "STELLAR_FRIENDBOT_REFUSED"
    assert known(address).xlm == 10_000


# Payments, claimable balances, signers


def test_payments_are_read_on_from_a_cursor(sandbox: str, issuer: KeyPair, holder: KeyPair) -> None:
    first = payment(issuer, holder.address, amount="5")
    second = payment(issuer, holder.address, amount="0.0000001", sequence=first.sequence + 1)
    for each in (first, second):
        horizon.submit(each.xdr)

    funding, *payments = horizon.payments_since(holder.address)

    assert (funding.kind, funding.destination, funding.code, funding.amount) == (
        "create_account",
        holder.address,
        "XLM",
        Decimal(10_000),
    )
    assert [each.amount for each in payments] == [Decimal(5), Decimal("0.0000001")]
    found = horizon.transaction(first.hash)
    assert found
    assert payments[0] == LedgerPayment(
        id=(found.ledger << 32) + (1 << 12) + 1,
        cursor=payments[0].cursor,
        kind="payment",
        transaction_hash=first.hash,
        successful=True,
        source=issuer.address,
        destination=holder.address,
        code="USDC",
        issuer=issuer.address,
        amount=Decimal(5),
        memo="SLA:PAY001",
    )
    assert (payments[0].operation_index, payments[0].ledger, payments[0].is_ours) == (0, found.ledger, True)
    assert horizon.payments_since(holder.address, payments[0].cursor) == payments[1:]
    assert horizon.payments_since(holder.address, payments[1].cursor) == []
    assert horizon.payments_since(holder.address, limit=2) == [funding, payments[0]]


def test_payments_of_nobody_are_none(sandbox: str) -> None:
    assert horizon.payments_since(keys.generate().address) == []


def test_claimable_balances_are_read(
    sandbox: str, server: Server, usdc: Asset, mint: Keypair, issuer: KeyPair
) -> None:
    address = keys.generate().address
    for amount, asset in (("2.5", usdc), ("1", Asset.native())):
        bench.send(server, mint, CreateClaimableBalance(asset, amount, [Claimant(address)]))

    first, second = horizon.claimable_balances(address)

    assert (first.code, first.issuer, first.amount) == ("USDC", issuer.address, Decimal("2.5"))
    assert (second.code, second.issuer, second.amount) == ("XLM", "", Decimal(1))
    assert (first.claimants, first.sponsor) == ((address,), issuer.address)
    assert len(first.id) == 72
    assert horizon.claimable_balances(address, first.cursor) == [second]


def test_signers_are_read_with_their_weights(sandbox: str, server: Server) -> None:
    shared, other = bench.funded(server), keys.generate().address
    bench.send(server, shared, SetOptions(signer=SdkSigner.ed25519_public_key(other, 3)))

    assert set(known(shared.public_key).signers) == {
        Signer(shared.public_key, 1, "ed25519_public_key"),
        Signer(other, 3, "ed25519_public_key"),
    }


def test_the_latest_ledger_is_read(sandbox: str, server: Server) -> None:
    sequence = bench.close(server)

    latest = horizon.latest_ledger()

    assert (latest.sequence, latest.closed_at) == (sequence, horizon.latest_close())


def test_a_fee_bump_is_found_by_both_hashes(sandbox: str, server: Server, mint: Keypair) -> None:
    payer = bench.funded(server)
    inner = bench.signed(server, mint, bench.pay(payer, Asset.native(), "1"))
    bump = bench.bumped(payer, inner, 200)

    submission = horizon.submit(bump.to_xdr())

    assert (submission.outcome, submission.hash) == (Outcome.APPLIED, bump.hash_hex())
    for hash_ in (bump.hash_hex(), inner.hash_hex()):
        found = horizon.transaction(hash_)
        assert found
        assert (found.hash, found.outer_hash, found.inner_hash) == (
            hash_,
            bump.hash_hex(),
            inner.hash_hex(),
        )


@pytest.mark.parametrize(
    ("code", "operations", "expected"),
    [
        ("tx_failed", ("op_success", "op_underfunded"), "STELLAR_INSUFFICIENT_BALANCE"),
        ("tx_insufficient_balance", (), "STELLAR_INSUFFICIENT_BALANCE"),
        ("tx_failed", ("op_no_trust",), "STELLAR_NO_TRUSTLINE"),
        ("tx_failed", ("op_src_no_trust",), "STELLAR_NO_TRUSTLINE"),
        ("tx_failed", ("op_line_full",), "STELLAR_TRANSACTION_FAILED"),
        ("tx_bad_seq", (), "STELLAR_TRANSACTION_FAILED"),
        ("", (), "STELLAR_TIMEOUT"),
    ],
)
def test_what_horizon_says_has_a_word_of_the_api(
    code: str, operations: tuple[str, ...], expected: str
) -> None:
    assert horizon.error_code(code, operations) == expected
