"""Our client, and the ledger behind it."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from apexchainx.errors import Conflict
from apexchainx.stellar import envelopes, horizon, keys
from apexchainx.stellar.envelopes import Envelope
from apexchainx.stellar.horizon import Account, Balance, FeeStats, Outcome, Submission
from apexchainx.stellar.keys import KeyPair


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
    assert horizon.fee_stats() == FeeStats(base_fee=100, p90=100)


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
