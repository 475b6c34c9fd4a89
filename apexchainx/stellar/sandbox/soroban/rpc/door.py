"""Takes a JSON-RPC request apart, has it answered, and says what was wrong with it."""

import json
from collections.abc import Callable
from typing import Any

from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.ledger import Ledger
from apexchainx.stellar.sandbox.soroban.rpc import entries, events, network, sending, simulation, transactions
from apexchainx.stellar.sandbox.soroban.rpc.parameters import Fault, Parameters

METHODS: dict[str, Callable[[Ledger, Parameters], Document]] = {
    "getHealth": network.health,
    "getNetwork": network.network,
    "getLatestLedger": network.latest_ledger,
    "getVersionInfo": network.version_info,
    "getFeeStats": network.fee_stats,
    "getLedgerEntries": entries.ledger_entries,
    "simulateTransaction": simulation.simulate,
    "sendTransaction": sending.send,
    "getTransaction": transactions.transaction,
    "getTransactions": transactions.transactions,
    "getEvents": events.events,
}


def answer(ledger: Ledger, body: Any) -> Document:
    """The response to a request, as JSON or parsed already. A failure is a response, too."""
    id_: Any = None
    try:
        request = _parsed(body)
        id_ = request.get("id")
        return {"jsonrpc": "2.0", "id": id_, "result": _result(ledger, request)}
    except Fault as fault:
        return {"jsonrpc": "2.0", "id": id_, "error": {"code": fault.code, "message": fault.message}}


def _parsed(body: Any) -> dict[str, Any]:
    try:
        request = json.loads(body) if isinstance(body, bytes | str) else body
    except (ValueError, RecursionError):
        raise Fault(-32700, "parse error") from None
    if isinstance(request, list):
        raise Fault(-32600, "batches are not supported")
    if not isinstance(request, dict) or not isinstance(request.get("id"), str | int | None):
        raise Fault(-32600, "invalid request")
    return request


def _result(ledger: Ledger, request: dict[str, Any]) -> Document:
    if request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
        raise Fault(-32600, "invalid request")
    method = METHODS.get(request["method"])
    if method is None:
        raise Fault(-32601, "method not found")
    values = request.get("params")
    if values is not None and not isinstance(values, dict):
        raise Fault(-32602, "invalid parameters")
    return method(ledger, Parameters(values or {}))
