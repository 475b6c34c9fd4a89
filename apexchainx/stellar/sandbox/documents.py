"""Horizon's JSON documents, without links: history keeps them as they are."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from stellar_sdk import (
    Asset,
)

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.amounts import BASE_FEE, BASE_RESERVE, TOTAL, as_text
from apexchainx.stellar.sandbox.results import TransactionOutcome
from apexchainx.stellar.sandbox.store import Account, Closed, Line

PERCENTILES = ("10", "20", "30", "40", "50", "60", "70", "80", "90", "95", "99")

FLAGS = {1: "auth_required", 2: "auth_revocable", 4: "auth_immutable", 8: "auth_clawback_enabled"}
SIGNER_TYPES = {
    "G": "ed25519_public_key",
    "X": "sha256_hash",
    "T": "preauth_tx",
    "P": "ed25519_signed_payload",
}
LAST_MOMENT = 253_402_300_799

Document = dict[str, Any]


def moment(seconds: int) -> str:
    """As Horizon writes it; what comes after the year 9999 is at its end."""
    return datetime.fromtimestamp(min(seconds, LAST_MOMENT), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def root(latest: Closed) -> Document:
    return {
        "horizon_version": "sandbox",
        "core_version": "sandbox",
        "network_passphrase": PASSPHRASE,
        "ingest_latest_ledger": latest.sequence,
        "history_latest_ledger": latest.sequence,
        "history_latest_ledger_closed_at": moment(latest.closed_at),
        "history_elder_ledger": 1,
        "core_latest_ledger": latest.sequence,
        "current_protocol_version": 23,
        "supported_protocol_version": 23,
        "core_supported_protocol_version": 23,
    }


def account(row: Account, lines: list[Line], signers: dict[str, int], data: dict[str, bytes]) -> Document:
    document = {
        "id": row.address,
        "account_id": row.address,
        "sequence": str(row.sequence),
        "subentry_count": row.subentries,
        "last_modified_ledger": row.modified,
        "thresholds": {"low_threshold": row.low, "med_threshold": row.medium, "high_threshold": row.high},
        "flags": {name: bool(row.flags & flag) for flag, name in FLAGS.items()},
        "balances": [*map(_line_balance, lines), _balance(row.balance) | {"asset_type": "native"}],
        "signers": [*_signers(signers), _signer(row.address, row.master)],
        "data": {name: base64.b64encode(value).decode() for name, value in data.items()},
        "num_sponsoring": row.sponsoring,
        "num_sponsored": 0,
        "paging_token": row.address,
    }
    if row.sequence_ledger:
        document |= {"sequence_ledger": row.sequence_ledger, "sequence_time": str(row.sequence_time)}
    return document | ({"home_domain": row.home_domain} if row.home_domain else {})


def ledger(row: Document) -> Document:
    return {
        "id": str(row["sequence"]),
        "paging_token": str(row["sequence"] << 32),
        "sequence": row["sequence"],
        "successful_transaction_count": row["successful"],
        "failed_transaction_count": row["failed"],
        "operation_count": row["operations"],
        "closed_at": moment(row["closed_at"]),
        "total_coins": as_text(TOTAL),
        "base_fee_in_stroops": BASE_FEE,
        "base_reserve_in_stroops": BASE_RESERVE,
        "max_tx_set_size": 1000,
        "protocol_version": 23,
    }


def failure(envelope_xdr: str, outcome: TransactionOutcome) -> Document:
    """The extras of a transaction_failed problem."""
    codes: Document = {"transaction": outcome.code}
    if outcome.inner:
        codes["inner_transaction"] = outcome.inner
    if outcome.operations:
        codes["operations"] = list(outcome.operations)
    return {"envelope_xdr": envelope_xdr, "result_codes": codes, "result_xdr": outcome.result_xdr}


def page(records: Sequence[Document], links: Document) -> Document:
    return {"_links": links, "_embedded": {"records": list(records)}}


def asset(asset: Asset) -> Document:
    if asset.is_native():
        return {"asset_type": "native"}
    return {"asset_type": asset.type, "asset_code": asset.code, "asset_issuer": asset.issuer}


def _balance(stroops: int) -> Document:
    nothing = as_text(0)
    return {"balance": as_text(stroops), "buying_liabilities": nothing, "selling_liabilities": nothing}


def _signers(weights: dict[str, int]) -> list[Document]:
    return [_signer(key, weight) for key, weight in weights.items()]


def _signer(key: str, weight: int) -> Document:
    return {"weight": weight, "key": key, "type": SIGNER_TYPES[key[0]]}


def _line_balance(line: Line) -> Document:
    return {
        **_balance(line.balance),
        **asset(Asset(line.code, line.issuer)),
        "limit": as_text(line.ceiling),
        "last_modified_ledger": line.modified,
        "is_authorized": line.is_authorized,
        "is_authorized_to_maintain_liabilities": line.flags & 3 > 0,
    }
