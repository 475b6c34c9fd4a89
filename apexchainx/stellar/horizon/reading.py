"""What the ledger says, as far as this Horizon shows it. All of these raise Unavailable."""

from datetime import datetime
from typing import TYPE_CHECKING

from apexchainx.stellar.horizon import parsing
from apexchainx.stellar.horizon.connection import connected, found, translated
from apexchainx.stellar.horizon.records import (
    Account,
    ClaimableBalance,
    FeeStats,
    LedgerClose,
    LedgerPayment,
    LedgerTransaction,
)

if TYPE_CHECKING:
    from stellar_sdk.call_builder.call_builder_sync.base_call_builder import BaseCallBuilder

LARGEST_PAGE = 200


def account(address: str) -> Account | None:
    """With balances and signers. None where the ledger has no such account."""
    with connected() as server:
        document = found(lambda: server.accounts().account_id(address).call())
    if document is None:
        return None
    with translated():
        return parsing.account(document)


def transaction(hash_: str) -> LedgerTransaction | None:
    """By its hash, or by that of the one in a fee bump. None where no ledger shows it, or not yet."""
    with connected() as server:
        document = found(lambda: server.transactions().transaction(hash_).call())
    if document is None:
        return None
    with translated():
        return parsing.transaction(document, hash_)


def payments_since(address: str, cursor: str = "", limit: int = LARGEST_PAGE) -> list[LedgerPayment]:
    """Successful payments from and to an account, oldest first, with the memos of their transactions.

    Those after the cursor, at most 200 of them; none for an account that does not exist.
    """
    with connected() as server:
        pages = server.payments().for_account(address).join("transactions").order(desc=False)
        _open(pages, cursor, limit)
        document = found(pages.call)
    if document is None:
        return []
    with translated():
        return [parsing.payment(each) for each in parsing.records(document)]


def claimable_balances(address: str, cursor: str = "", limit: int = LARGEST_PAGE) -> list[ClaimableBalance]:
    """Those that this address may claim, oldest first, after the cursor."""
    with connected() as server, translated():
        pages = server.claimable_balances().for_claimant(address).order(desc=False)
        _open(pages, cursor, limit)
        return [parsing.claimable_balance(each) for each in parsing.records(pages.call())]


def fee_stats() -> FeeStats:
    with connected() as server, translated():
        return parsing.fee_stats(server.fee_stats().call())


def latest_ledger() -> LedgerClose:
    """The newest one that Horizon shows."""
    with connected() as server, translated():
        document = server.ledgers().order(desc=True).limit(1).call()
        return parsing.ledger_close(parsing.records(document)[0])


def latest_close() -> datetime:
    """When the newest ledger that Horizon shows was closed."""
    return latest_ledger().closed_at


def _open(pages: "BaseCallBuilder", cursor: str, limit: int) -> None:
    """Open them at this place."""
    pages.limit(limit)
    if cursor:
        pages.cursor(cursor)
