"""What was sent: a transaction, or one that stands inside a fee bump."""

import threading
import warnings
from dataclasses import dataclass
from functools import cached_property

from stellar_sdk import FeeBumpTransactionEnvelope, TransactionEnvelope

from apexchainx.stellar import envelopes
from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.amounts import BASE_FEE

DECODING = threading.Lock()


@dataclass(frozen=True)
class Submission:
    """An envelope, and what is asked about it again and again. Fees are in stroops."""

    envelope: TransactionEnvelope | FeeBumpTransactionEnvelope

    @cached_property
    def bump(self) -> FeeBumpTransactionEnvelope | None:
        return self.envelope if isinstance(self.envelope, FeeBumpTransactionEnvelope) else None

    @cached_property
    def inner(self) -> TransactionEnvelope:
        """The transaction itself, whether it was sent bare or inside a fee bump."""
        if isinstance(self.envelope, FeeBumpTransactionEnvelope):
            return self.envelope.transaction.inner_transaction_envelope
        return self.envelope

    @cached_property
    def xdr(self) -> str:
        return self.envelope.to_xdr()

    @cached_property
    def digest(self) -> bytes:
        """What the signatures of the envelope sign."""
        return self.envelope.hash()

    @cached_property
    def inner_digest(self) -> bytes:
        return self.inner.hash() if self.bump else self.digest

    @property
    def hash(self) -> str:
        return self.digest.hex()

    @property
    def source(self) -> str:
        """The account whose sequence number is used."""
        return self.inner.transaction.source.account_id

    @property
    def fee_source(self) -> str:
        return self.bump.transaction.fee_source.account_id if self.bump else self.source

    @property
    def sequence(self) -> int:
        return self.inner.transaction.sequence

    @property
    def fee(self) -> int:
        """The most that it may cost."""
        return self.bump.transaction.fee if self.bump else self.inner.transaction.fee

    @cached_property
    def resource_fee(self) -> int:
        """What a contract call pays for its resources, above the fee for being included."""
        data = self.inner.transaction.soroban_data
        return data.resource_fee.int64 if data else 0

    @property
    def inclusion_fee(self) -> int:
        """What is offered for being included."""
        return self.fee - self.resource_fee

    @property
    def count(self) -> int:
        """How many operations it counts as: a fee bump is one more."""
        return max(len(self.inner.transaction.operations), 1) + bool(self.bump)

    @property
    def minimum_inclusion_fee(self) -> int:
        return BASE_FEE * self.count

    @property
    def price(self) -> int:
        """What it costs: nobody bids for places, so that inclusion has its least price."""
        return self.resource_fee + self.minimum_inclusion_fee

    @property
    def needed_fee(self) -> int:
        """The least that it must offer: a fee bump no less for each operation than the transaction in it."""
        if not self.bump:
            return self.price
        offered, count = self.inner.transaction.fee - self.resource_fee, self.count - 1
        return max(self.price, self.resource_fee - (-offered * self.count // count))


def read(envelope_xdr: str) -> Submission:
    """Raises ValueError where this is no envelope.

    The SDK calls deprecated what its own decoder makes of some operations. Filters of warnings belong to the
    whole process, hence the lock.
    """
    with DECODING, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return Submission(envelopes.parsed(envelope_xdr, PASSPHRASE))
