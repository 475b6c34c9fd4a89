"""Building, signing and reading transaction envelopes, without a network."""

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


@dataclass(frozen=True)
class PaymentFacts:
    """What an envelope with one payment would do."""

    source: str
    destination: str
    amount: Decimal
    asset_code: str
    asset_issuer: str
    sequence: int
    memo: str


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


def describe(xdr: str) -> PaymentFacts:
    """The facts of an envelope with exactly one payment and a text memo or none; ValueError for any other."""
    from stellar_sdk import NoneMemo, Payment, TextMemo, TransactionEnvelope

    envelope = parsed(xdr, settings.STELLAR_NETWORK_PASSPHRASE)
    if not isinstance(envelope, TransactionEnvelope):
        raise ValueError("The envelope is a fee bump.")  # noqa: TRY004 - the type is not the caller's
    transaction = envelope.transaction
    operations, memo = transaction.operations, transaction.memo
    if len(operations) != 1 or not isinstance(operations[0], Payment):
        raise ValueError("The envelope does not hold exactly one payment.")
    if not isinstance(memo, TextMemo | NoneMemo):
        raise ValueError("The envelope's memo is not a text.")  # noqa: TRY004 - the type is not the caller's
    only = operations[0]
    return PaymentFacts(
        source=(only.source or transaction.source).account_id,
        destination=only.destination.account_id,
        amount=Decimal(only.amount),
        asset_code=only.asset.code,
        asset_issuer=only.asset.issuer or "",
        sequence=transaction.sequence,
        memo=memo.memo_text.decode() if isinstance(memo, TextMemo) else "",
    )


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
