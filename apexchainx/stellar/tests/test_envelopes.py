from decimal import Decimal
from typing import Any

import pytest
from stellar_sdk import (
    Account,
    Asset,
    FeeBumpTransaction,
    FeeBumpTransactionEnvelope,
    Keypair,
    TransactionBuilder,
    TransactionEnvelope,
)

from apexchainx.stellar import envelopes, keys
from apexchainx.stellar.envelopes import Envelope, PaymentFacts
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.sandbox import PASSPHRASE

DESTINATION = "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"


@pytest.fixture
def issuer(settings: Any) -> KeyPair:
    settings.STELLAR_NETWORK_PASSPHRASE = PASSPHRASE
    settings.STELLAR_ASSET_CODE = "USDC"
    issuer = keys.generate()
    settings.STELLAR_ASSET_ISSUER = issuer.address
    return issuer


def payment(signer: KeyPair, **changes: Any) -> Envelope:
    facts: dict[str, Any] = {
        "sequence": 8,
        "destination": DESTINATION,
        "amount": Decimal("750.0000001"),
        "memo": "SLP:OUT001",
        "base_fee": 150,
        "max_time": 1_900_000_000,
    }
    return envelopes.payment(signer=signer, **facts | changes)


def test_a_payment_is_described_as_it_was_built(issuer: KeyPair) -> None:
    signer = keys.generate()

    envelope = payment(signer)

    assert envelopes.describe(envelope.xdr) == PaymentFacts(
        source=signer.address,
        destination=DESTINATION,
        amount=Decimal("750.0000001"),
        asset_code="USDC",
        asset_issuer=issuer.address,
        sequence=8,
        memo="SLP:OUT001",
    )


def test_a_payment_is_pinned_and_signed(issuer: KeyPair) -> None:
    signer = keys.generate()

    envelope = payment(signer)

    parsed = TransactionEnvelope.from_xdr(envelope.xdr, PASSPHRASE)
    Keypair.from_public_key(signer.address).verify(parsed.hash(), parsed.signatures[0].signature)
    assert (envelope.hash, envelope.sequence, envelope.max_time) == (parsed.hash_hex(), 8, 1_900_000_000)
    assert (parsed.transaction.sequence, parsed.transaction.fee) == (8, 150)


def test_the_same_payment_has_the_same_envelope(issuer: KeyPair) -> None:
    signer = keys.generate()

    assert payment(signer) == payment(signer)
    assert payment(signer).hash != payment(signer, sequence=9).hash


def test_a_payment_without_memo_is_described_with_an_empty_one(issuer: KeyPair) -> None:
    assert envelopes.describe(payment(keys.generate(), memo="").xdr).memo == ""


@pytest.mark.parametrize(
    "changes", [{"amount": Decimal("0.00000001")}, {"amount": Decimal(-1)}, {"memo": "m" * 29}]
)
def test_values_that_no_envelope_holds_are_refused(issuer: KeyPair, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the SDK's
        payment(keys.generate(), **changes)


def test_a_trustline_is_no_payment(issuer: KeyPair) -> None:
    envelope = envelopes.trustline(signer=keys.generate(), sequence=1, base_fee=100, max_time=0)

    with pytest.raises(ValueError, match="exactly one payment"):
        envelopes.describe(envelope.xdr)


def test_an_envelope_with_two_payments_is_refused(issuer: KeyPair) -> None:
    builder = TransactionBuilder(Account(issuer.address, 1), PASSPHRASE).add_time_bounds(0, 0)
    for _ in range(2):
        builder.append_payment_op(DESTINATION, Asset.native(), "1")

    with pytest.raises(ValueError, match="exactly one payment"):
        envelopes.describe(builder.build().to_xdr())


def test_a_fee_bump_is_no_payment(issuer: KeyPair) -> None:
    inner = TransactionEnvelope.from_xdr(payment(issuer).xdr, PASSPHRASE)
    bump = FeeBumpTransactionEnvelope(FeeBumpTransaction(issuer.address, 400, inner), PASSPHRASE)

    with pytest.raises(ValueError, match="fee bump"):
        envelopes.describe(bump.to_xdr())


@pytest.mark.parametrize("text", ["", "AAAA", "%%%", "no envelope"])
def test_what_is_no_envelope_is_not_described(issuer: KeyPair, text: str) -> None:
    with pytest.raises(ValueError, match="not a transaction envelope"):
        envelopes.describe(text)


def test_a_memo_that_is_no_text_is_refused(issuer: KeyPair) -> None:
    builder = TransactionBuilder(Account(issuer.address, 1), PASSPHRASE).add_time_bounds(0, 0).add_id_memo(5)
    builder.append_payment_op(DESTINATION, Asset.native(), "1")

    with pytest.raises(ValueError, match="not a text"):
        envelopes.describe(builder.build().to_xdr())
