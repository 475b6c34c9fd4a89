"""What the network is, how it fares, and how far it has come."""

import hashlib

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.amounts import BASE_FEE
from apexchainx.stellar.sandbox.documents import PERCENTILES, Document
from apexchainx.stellar.sandbox.ledger import Ledger
from apexchainx.stellar.sandbox.soroban.rpc.parameters import INVALID_REQUEST, Fault, Parameters
from apexchainx.stellar.sandbox.store import Closed, Store

PROTOCOL = 23
RETENTION = 120_960
"""Ledgers that the RPC remembers: a week of them, five seconds each."""


def health(ledger: Ledger, _parameters: Parameters) -> Document:
    latest = ledger.latest()
    return {
        "status": "healthy",
        "latestLedger": latest.sequence,
        "oldestLedger": oldest(latest),
        "ledgerRetentionWindow": RETENTION,
    }


def network(_ledger: Ledger, _parameters: Parameters) -> Document:
    return {"passphrase": PASSPHRASE, "protocolVersion": PROTOCOL}


def latest_ledger(ledger: Ledger, _parameters: Parameters) -> Document:
    latest = ledger.latest()
    return {
        "id": hashlib.sha256(f"{PASSPHRASE} ; {latest.sequence}".encode()).hexdigest(),
        "protocolVersion": PROTOCOL,
        "sequence": latest.sequence,
        "closeTime": str(latest.closed_at),
        "headerXdr": "",
        "metadataXdr": "",
    }


def version_info(_ledger: Ledger, _parameters: Parameters) -> Document:
    return {
        "version": "sandbox",
        "commitHash": "",
        "buildTimestamp": "",
        "captiveCoreVersion": "sandbox",
        "protocolVersion": PROTOCOL,
    }


def fee_stats(ledger: Ledger, _parameters: Parameters) -> Document:
    """Nobody bids for places, so that every inclusion has its least price."""
    fees = dict.fromkeys(["max", "min", "mode", *(f"p{each}" for each in PERCENTILES)], str(BASE_FEE))
    stats = {**fees, "transactionCount": "0", "ledgerCount": 5}
    return {"sorobanInclusionFee": stats, "inclusionFee": stats, "latestLedger": ledger.latest().sequence}


def oldest(latest: Closed) -> int:
    return max(1, latest.sequence - RETENTION + 1)


def closed_at(store: Store, sequence: int) -> str:
    row = store.execute("SELECT closed_at FROM ledger WHERE sequence = ?", (sequence,)).fetchone()
    return str(row["closed_at"] if row else 0)


def require_retained(sequence: int, latest: Closed) -> None:
    if not oldest(latest) <= sequence <= latest.sequence:
        message = f"startLedger must be within the ledger range: {oldest(latest)} - {latest.sequence}"
        raise Fault(INVALID_REQUEST, message)
