from decimal import Decimal

import pytest
from stellar_sdk import Account, Asset, Keypair, TransactionBuilder, TransactionEnvelope

from apexchainx.stellar import envelopes, keys
from apexchainx.stellar.envelopes import PaymentFacts
from apexchainx.stellar.sandbox import PASSPHRASE

DESTINATION = "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"


@pytest.fixture
def issuer(settings):
    settings.STELLAR_NETWORK_PASSPHRASE = PASSPHRASE
    settings.STELLAR_ASSET_CODE = "USDC"
    issuer = keys.generate()
    settings.STELLAR_ASSET_ISSUER = issuer.address
    return issuer


def payment(signer, **changes):
    facts = {"sequence": 8, "destination": DESTINATION, "amount": Decimal("750.0000001"), "memo": "SLP:OUT001"}
    return envelopes.payment(signer=signer, **facts | {"base_fee": 150, "max_time": 1_900_000_000} | changes)


def test_a_payment_is_described_as_it_was_built(issuer):
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


def test_a_payment_is_pinned_and_signed(issuer):
    signer = keys.generate()

    envelope = payment(signer)

    parsed = TransactionEnvelope.from_xdr(envelope.xdr, PASSPHRASE)
    Keypair.from_public_key(signer.address).verify(parsed.hash(), parsed.signatures[0].signature)
    assert (envelope.hash, envelope.sequence, envelope.max_time) == (parsed.hash_hex(), 8, 1_900_000_000)
    assert (parsed.transaction.sequence, parsed.transaction.fee) == (8, 150)


def test_the_same_payment_has_the_same_envelope(issuer):
    signer = keys.generate()

    assert payment(signer) == payment(signer)
    assert payment(signer).hash != payment(signer, sequence=9).hash


def test_a_payment_without_memo_is_described_with_an_empty_one(issuer):
    assert envelopes.describe(payment(keys.generate(), memo="").xdr).memo == ""


@pytest.mark.parametrize("changes", [{"amount": Decimal("0.00000001")}, {"amount": Decimal(-1)}, {"memo": "m" * 29}])
def test_values_that_no_envelope_holds_are_refused(issuer, changes):
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the SDK's
        payment(keys.generate(), **changes)


def test_a_trustline_is_no_payment(issuer):
    envelope = envelopes.trustline(signer=keys.generate(), sequence=1, base_fee=100, max_time=0)

    with pytest.raises(ValueError, match="exactly one payment"):
        envelopes.describe(envelope.xdr)


def test_an_envelope_with_two_payments_is_refused(issuer):
    builder = TransactionBuilder(Account(issuer.address, 1), PASSPHRASE).add_time_bounds(0, 0)
    for _ in range(2):
        builder.append_payment_op(DESTINATION, Asset.native(), "1")

    with pytest.raises(ValueError, match="exactly one payment"):
        envelopes.describe(builder.build().to_xdr())


def test_a_memo_that_is_no_text_is_refused(issuer):
    builder = TransactionBuilder(Account(issuer.address, 1), PASSPHRASE).add_time_bounds(0, 0).add_id_memo(5)
    builder.append_payment_op(DESTINATION, Asset.native(), "1")

    with pytest.raises(ValueError, match="not a text"):
        envelopes.describe(builder.build().to_xdr())
