"""The only client for Horizon: what the ledger says, typed, and what came of a submission."""

from apexchainx.stellar.horizon.reading import (
    account,
    claimable_balances,
    fee_stats,
    latest_close,
    latest_ledger,
    payments_since,
    transaction,
)
from apexchainx.stellar.horizon.records import (
    Account,
    Balance,
    ClaimableBalance,
    FeeStats,
    LedgerClose,
    LedgerPayment,
    LedgerTransaction,
    Signer,
)
from apexchainx.stellar.horizon.submitting import Outcome, Submission, error_code, friendbot, submit

__all__ = [
    "Account",
    "Balance",
    "ClaimableBalance",
    "FeeStats",
    "LedgerClose",
    "LedgerPayment",
    "LedgerTransaction",
    "Outcome",
    "Signer",
    "Submission",
    "account",
    "claimable_balances",
    "error_code",
    "fee_stats",
    "friendbot",
    "latest_close",
    "latest_ledger",
    "payments_since",
    "submit",
    "transaction",
]
