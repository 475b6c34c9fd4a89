"""getTransaction and getTransactions: what became of a transaction, and what a call in it answered."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stellar_sdk.xdr import TransactionMeta

from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.ledger import Ledger, latest
from apexchainx.stellar.sandbox.soroban import meta
from apexchainx.stellar.sandbox.soroban.rpc.network import closed_at, oldest, require_retained
from apexchainx.stellar.sandbox.soroban.rpc.parameters import Parameters, invalid

NO_META = meta.of_others().to_xdr()
QUERY = "SELECT id, document FROM applied WHERE id > ? ORDER BY id LIMIT ?"


def transaction(ledger: Ledger, parameters: Parameters) -> Document:
    hash_ = parameters.text("hash")
    if not re.fullmatch("[0-9a-fA-F]{64}", hash_, re.ASCII):
        raise invalid("hash must be 64 hex digits")
    with ledger.reading() as store:
        newest = latest(store)
        applied = store.applied(hash_.lower())
        first = oldest(newest)
        document: Document = {
            "status": "NOT_FOUND",
            "txHash": hash_.lower(),
            "latestLedger": newest.sequence,
            "latestLedgerCloseTime": str(newest.closed_at),
            "oldestLedger": first,
            "oldestLedgerCloseTime": closed_at(store, first),
        }
    if applied is None or applied.ledger < first:
        return document
    return {**document, **_record(applied.document)}


def transactions(ledger: Ledger, parameters: Parameters) -> Document:
    """In the order they were applied in, from a ledger on or from a cursor."""
    limit = parameters.limit(default=50, most=200)
    cursor = parameters.cursor("[0-9]{1,19}")
    with ledger.reading() as store:
        newest = latest(store)
        first = oldest(newest)
        if cursor is None:
            start = parameters.number("startLedger")
            require_retained(start, newest)
            cursor = ((start << 32) - 1,)
        after = max(cursor[0], (first << 32) - 1)
        rows = store.execute(QUERY, (after, limit)).fetchall()
        oldest_close = closed_at(store, first)
    records = [json.loads(row["document"]) for row in rows]
    return {
        "transactions": [{**_record(each), "txHash": each["hash"]} for each in records],
        "latestLedger": newest.sequence,
        "latestLedgerCloseTimestamp": newest.closed_at,
        "oldestLedger": first,
        "oldestLedgerCloseTimestamp": int(oldest_close),
        "cursor": str(rows[-1]["id"] if rows else (newest.sequence + 1 << 32) - 1),
    }


def _record(document: Mapping[str, Any]) -> Document:
    meta_xdr = document.get("result_meta_xdr") or NO_META
    body = TransactionMeta.from_xdr(meta_xdr).v4
    story = [each.to_xdr() for each in body.diagnostic_events] if body else []
    emitted = [[event.to_xdr() for event in each.events] for each in body.operations] if body else []
    return {
        "status": "SUCCESS" if document["successful"] else "FAILED",
        "applicationOrder": int(document["paging_token"]) >> 12 & 0xFFFFF,
        "feeBump": "fee_bump_transaction" in document,
        "envelopeXdr": document["envelope_xdr"],
        "resultXdr": document["result_xdr"],
        "resultMetaXdr": meta_xdr,
        "diagnosticEventsXdr": story,
        "events": {"transactionEventsXdr": [], "contractEventsXdr": emitted},
        "ledger": document["ledger"],
        "createdAt": str(int(datetime.fromisoformat(document["created_at"]).timestamp())),
    }
