from decimal import Decimal
from typing import Any

import pytest
from stellar_sdk import Asset, ChangeTrust, Keypair, NoneMemo, Payment, TextMemo, TransactionEnvelope

from apexchainx.stellar import envelopes, keys
from apexchainx.stellar.envelopes import Envelope
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


def test_a_payment_holds_what_was_asked_for(issuer: KeyPair) -> None:
    signer = keys.generate()

    transaction = TransactionEnvelope.from_xdr(payment(signer).xdr, PASSPHRASE).transaction

    assert transaction.operations == [Payment(DESTINATION, Asset("USDC", issuer.address), "750.0000001")]
    assert (transaction.source.account_id, transaction.memo) == (signer.address, TextMemo("SLP:OUT001"))


def test_a_trustline_holds_what_was_asked_for(issuer: KeyPair) -> None:
    envelope = envelopes.trustline(signer=keys.generate(), sequence=1, base_fee=100, max_time=0)

    transaction = TransactionEnvelope.from_xdr(envelope.xdr, PASSPHRASE).transaction
    assert transaction.operations == [ChangeTrust(Asset("USDC", issuer.address))]


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


def test_a_payment_may_go_without_memo(issuer: KeyPair) -> None:
    envelope = payment(keys.generate(), memo="")

    assert TransactionEnvelope.from_xdr(envelope.xdr, PASSPHRASE).transaction.memo == NoneMemo()


@pytest.mark.parametrize(
    "changes", [{"amount": Decimal("0.00000001")}, {"amount": Decimal(-1)}, {"memo": "m" * 29}]
)
def test_values_that_no_envelope_holds_are_refused(issuer: KeyPair, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the SDK's
        payment(keys.generate(), **changes)


@pytest.mark.parametrize("text", ["", "AAAA", "%%%", "no envelope"])
def test_what_is_no_envelope_is_not_parsed(text: str) -> None:
    with pytest.raises(ValueError, match="not a transaction envelope"):
        envelopes.parsed(text, PASSPHRASE)
