"""Horizon's JSON documents, without links: history keeps them as they are."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stellar_sdk import (
    Asset,
    BumpSequence,
    ChangeTrust,
    CreateAccount,
    HashMemo,
    IdMemo,
    Payment,
    ReturnHashMemo,
    TextMemo,
    TransactionEnvelope,
)
from stellar_sdk.memo import Memo
from stellar_sdk.operation import Operation

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.amounts import BASE_FEE, BASE_RESERVE, TOTAL, as_text
from apexchainx.stellar.sandbox.operations import source_of
from apexchainx.stellar.sandbox.results import TransactionOutcome
from apexchainx.stellar.sandbox.store import Account, Closed, Line

PERCENTILES = ("10", "20", "30", "40", "50", "60", "70", "80", "90", "95", "99")

Document = dict[str, Any]


@dataclass(frozen=True)
class Inclusion:
    """Where in history a transaction stands, and what it cost in stroops."""

    ledger: Closed
    id: int
    fee: int


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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


def account(row: Account, lines: list[Line]) -> Document:
    flags = ("auth_required", "auth_revocable", "auth_immutable", "auth_clawback_enabled")
    return {
        "id": row.address,
        "account_id": row.address,
        "sequence": str(row.sequence),
        "subentry_count": row.lines,
        "last_modified_ledger": row.modified,
        "thresholds": {"low_threshold": 0, "med_threshold": 0, "high_threshold": 0},
        "flags": dict.fromkeys(flags, False),
        "balances": [*map(_line_balance, lines), _balance(row.balance) | {"asset_type": "native"}],
        "signers": [{"weight": 1, "key": row.address, "type": "ed25519_public_key"}],
        "data": {},
        "num_sponsoring": 0,
        "num_sponsored": 0,
        "paging_token": row.address,
    }


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


def fee_stats(latest: Closed) -> Document:
    fees = {"max": str(BASE_FEE), "min": str(BASE_FEE), "mode": str(BASE_FEE)}
    fees |= {f"p{each}": str(BASE_FEE) for each in PERCENTILES}
    return {
        "last_ledger": str(latest.sequence),
        "last_ledger_base_fee": str(BASE_FEE),
        "ledger_capacity_usage": "0.01",
        "fee_charged": fees,
        "max_fee": fees,
    }


def transaction(envelope: TransactionEnvelope, outcome: TransactionOutcome, inclusion: Inclusion) -> Document:
    facts = envelope.transaction
    return {
        "id": envelope.hash_hex(),
        "paging_token": str(inclusion.id),
        "successful": outcome.code == "tx_success",
        "hash": envelope.hash_hex(),
        "ledger": inclusion.ledger.sequence,
        "created_at": moment(inclusion.ledger.closed_at),
        "source_account": facts.source.account_id,
        "source_account_sequence": str(facts.sequence),
        "fee_account": facts.source.account_id,
        "fee_charged": str(inclusion.fee),
        "max_fee": str(facts.fee),
        "operation_count": len(facts.operations),
        "envelope_xdr": envelope.to_xdr(),
        "result_xdr": outcome.result_xdr,
        "fee_meta_xdr": "",
        "signatures": [base64.b64encode(each.signature).decode() for each in envelope.signatures],
        **_memo(facts.memo),
        **_preconditions(envelope),
    }


def operations(
    envelope: TransactionEnvelope, inclusion: Inclusion, *, successful: bool
) -> dict[int, Document]:
    """The record of each operation, by its id."""
    shared = {
        "transaction_successful": successful,
        "created_at": moment(inclusion.ledger.closed_at),
        "transaction_hash": envelope.hash_hex(),
    }
    records = {}
    for id_, each in enumerate(envelope.transaction.operations, start=inclusion.id + 1):
        source = source_of(each, envelope)
        ids = {"id": str(id_), "paging_token": str(id_), "source_account": source}
        records[id_] = {**ids, **shared, **_details(each, source)}
    return records


def addresses(document: Document) -> set[str]:
    """The accounts that an operation concerns."""
    roles = ("source_account", "from", "to", "account", "trustor")
    return {document[role] for role in roles if role in document}


def failure(envelope_xdr: str, outcome: TransactionOutcome) -> Document:
    """The extras of a transaction_failed problem."""
    codes: Document = {"transaction": outcome.code}
    if outcome.operations:
        codes["operations"] = list(outcome.operations)
    return {"envelope_xdr": envelope_xdr, "result_codes": codes, "result_xdr": outcome.result_xdr}


def page(records: Sequence[Document], links: Document) -> Document:
    return {"_links": links, "_embedded": {"records": list(records)}}


def _details(operation: Operation, source: str) -> Document:
    match operation:
        case Payment():
            parties = {
                "from": source,
                "to": operation.destination.account_id,
                "amount": _exact(operation.amount),
            }
            return {"type": "payment", "type_i": 1, **_asset(operation.asset), **parties}
        case CreateAccount():
            balance = {"starting_balance": _exact(operation.starting_balance), "funder": source}
            return {"type": "create_account", "type_i": 0, **balance, "account": operation.destination}
        case ChangeTrust():
            asset = operation.asset if isinstance(operation.asset, Asset) else Asset.native()
            parties = {"trustor": source, "trustee": asset.issuer or "", "limit": _exact(operation.limit)}
            return {"type": "change_trust", "type_i": 6, **_asset(asset), **parties}
        case BumpSequence():
            return {"type": "bump_sequence", "type_i": 11, "bump_to": str(operation.bump_to)}
    raise TypeError(type(operation).__name__)


def _asset(asset: Asset) -> Document:
    if asset.is_native():
        return {"asset_type": "native"}
    return {"asset_type": asset.type, "asset_code": asset.code, "asset_issuer": asset.issuer}


def _balance(stroops: int) -> Document:
    nothing = as_text(0)
    return {"balance": as_text(stroops), "buying_liabilities": nothing, "selling_liabilities": nothing}


def _line_balance(line: Line) -> Document:
    return {
        **_balance(line.balance),
        **_asset(Asset(line.code, line.issuer)),
        "limit": as_text(line.ceiling),
        "last_modified_ledger": line.modified,
        "is_authorized": True,
        "is_authorized_to_maintain_liabilities": True,
    }


def _exact(amount: str) -> str:
    return as_text(Operation.to_xdr_amount(amount))


def _memo(memo: Memo) -> Document:
    match memo:
        case TextMemo():
            encoded = base64.b64encode(memo.memo_text).decode()
            text = memo.memo_text.decode(errors="replace")
            return {"memo_type": "text", "memo": text, "memo_bytes": encoded}
        case IdMemo():
            return {"memo_type": "id", "memo": str(memo.memo_id)}
        case HashMemo():
            return {"memo_type": "hash", "memo": base64.b64encode(memo.memo_hash).decode()}
        case ReturnHashMemo():
            return {"memo_type": "return", "memo": base64.b64encode(memo.memo_return).decode()}
    return {"memo_type": "none"}


def _preconditions(envelope: TransactionEnvelope) -> Document:
    preconditions = envelope.transaction.preconditions
    if preconditions is None or preconditions.time_bounds is None:
        return {}
    bounds = preconditions.time_bounds
    timebounds = {"min_time": str(bounds.min_time)}
    if bounds.max_time:
        timebounds["max_time"] = str(bounds.max_time)
    return {"preconditions": {"timebounds": timebounds}}
