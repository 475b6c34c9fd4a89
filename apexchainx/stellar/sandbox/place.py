"""Where an operation runs."""

from dataclasses import dataclass

from stellar_sdk import TransactionEnvelope
from stellar_sdk.operation import Operation

from apexchainx.stellar.sandbox.store import Account, Closed, Store


@dataclass(frozen=True)
class Place:
    """The account that the operation acts for, its transaction, and the ledger that is being closed.

    `id` is the one that the operation has in history; `envelope` is the inner one of a fee bump.
    """

    store: Store
    source: str
    ledger: Closed
    envelope: TransactionEnvelope
    id: int

    @property
    def index(self) -> int:
        """The operation's position in its transaction, from 0."""
        return (self.id & 0xFFF) - 1

    def account(self) -> Account:
        account = self.store.account(self.source)
        if account is None:
            raise LookupError(self.source)
        return account


def source_of(operation: Operation, envelope: TransactionEnvelope) -> str:
    """The account that an operation acts for."""
    return (operation.source or envelope.transaction.source).account_id
