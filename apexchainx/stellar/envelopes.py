"""Building, signing and parsing transaction envelopes, without a network."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings

from apexchainx.stellar.keys import KeyPair

if TYPE_CHECKING:
    from stellar_sdk import Asset, FeeBumpTransactionEnvelope, TransactionBuilder, TransactionEnvelope


@dataclass(frozen=True)
class Envelope:
    """A signed transaction. Its hash is final before anybody has seen it."""

    xdr: str
    hash: str
    sequence: int
    max_time: int


def payment(
    *,
    signer: KeyPair,
    sequence: int,
    destination: str,
    amount: Decimal,
    memo: str,
    base_fee: int,
    max_time: int,
) -> Envelope:
    """Pay our asset. From the issuer it mints, to the issuer it burns.

    `sequence` is this transaction's own number, `base_fee` is in stroops, `max_time` in Unix seconds, `memo`
    has at most 28 bytes. Raises ValueError for values that no envelope can hold.
    """
    builder = _builder(signer, sequence, base_fee, max_time)
    builder.append_payment_op(destination=destination, asset=_asset(), amount=amount)
    if memo:
        builder.add_text_memo(memo)
    return _signed(builder, signer)


def trustline(*, signer: KeyPair, sequence: int, base_fee: int, max_time: int) -> Envelope:
    """Let the signer's account hold our asset, without a limit."""
    builder = _builder(signer, sequence, base_fee, max_time)
    builder.append_change_trust_op(asset=_asset())
    return _signed(builder, signer)


def parsed(xdr: str, passphrase: str) -> "TransactionEnvelope | FeeBumpTransactionEnvelope":
    """The envelope in this text, for the network of this passphrase; ValueError where it is none."""
    from stellar_sdk import TransactionBuilder

    try:
        return TransactionBuilder.from_xdr(xdr, passphrase)
    except Exception as error:
        raise ValueError(f"This is not a transaction envelope: {error}") from error


def _asset() -> "Asset":
    from stellar_sdk import Asset

    return Asset(settings.STELLAR_ASSET_CODE, settings.STELLAR_ASSET_ISSUER)


def _builder(signer: KeyPair, sequence: int, base_fee: int, max_time: int) -> "TransactionBuilder":
    from stellar_sdk import Account, TransactionBuilder

    account = Account(signer.address, sequence - 1)
    builder = TransactionBuilder(account, settings.STELLAR_NETWORK_PASSPHRASE, base_fee=base_fee)
    return builder.add_time_bounds(0, max_time)


def _signed(builder: "TransactionBuilder", signer: KeyPair) -> Envelope:
    envelope = builder.build()
    envelope.sign(signer.secret)
    transaction = envelope.transaction
    bounds = transaction.preconditions and transaction.preconditions.time_bounds
    return Envelope(
        xdr=envelope.to_xdr(),
        hash=envelope.hash_hex(),
        sequence=transaction.sequence,
        max_time=bounds.max_time if bounds else 0,
    )
