"""What each address of Horizon answers."""

import re
from collections.abc import Callable
from typing import Any

from apexchainx.stellar.sandbox import (
    claims,
    controls,
    documents,
    fees,
    history,
    lists,
    owners,
    problems,
    results,
)
from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.ledger import Ledger, Malformed, TooLate, latest
from apexchainx.stellar.sandbox.problems import Problem
from apexchainx.stellar.sandbox.queue import Receipt, Status
from apexchainx.stellar.sandbox.request import Answer, Request, number, require_address, require_hash
from apexchainx.stellar.sandbox.results import TransactionOutcome
from apexchainx.stellar.sandbox.soroban import rpc
from apexchainx.stellar.sandbox.store import Applied, Store

STATUSES = {Status.PENDING: 201, Status.DUPLICATE: 409, Status.TRY_AGAIN_LATER: 503, Status.ERROR: 400}

Read = Callable[..., Document]
Action = Callable[..., Answer | Document]


def answer(ledger: Ledger, request: Request, *, behind: int = 0) -> Answer:
    """The answer to a request; every failure is a Problem. Reads show the ledger of some ledgers ago."""
    found = {**_matching(ACTIONS, request.path), **_matching(READS, request.path)}
    if not found:
        raise problems.not_found()
    if request.method not in found:
        raise Problem(405, "method_not_allowed", extras={"allow": sorted(found)})
    route, arguments = found[request.method]
    if route not in {route for _, _, route in READS}:
        answered = route(ledger, request, *arguments)
        return answered if isinstance(answered, Answer) else Answer(answered)
    with ledger.reading(behind=behind) as store:
        return Answer(route(store, request, *arguments))


def _matching(
    routes: tuple[tuple[str, str, Callable[..., Any]], ...], path: str
) -> dict[str, tuple[Callable[..., Any], tuple[str, ...]]]:
    """Routes by method, with the parts of the path that they ask for."""
    matches = [(method, route, re.fullmatch(pattern, path)) for method, pattern, route in routes]
    return {method: (route, match.groups()) for method, route, match in matches if match}


def _root(store: Store, request: Request) -> Document:
    links = {name: {"href": f"{request.base}/{name}"} for name in ("fee_stats", "friendbot", "ledgers")}
    return {"_links": links, **documents.root(latest(store))}


def _ledger(store: Store, _request: Request, sequence: str) -> Document:
    row = history.ledger(store, number("ledger_id", sequence, 2**31 - 1))
    if row is None:
        raise problems.not_found()
    return documents.ledger(row)


def _transaction(store: Store, request: Request, hash_: str) -> Document:
    require_hash("tx_id", hash_)
    applied = store.applied(hash_)
    if applied is None:
        raise problems.not_found()
    return lists.linked(applied.document, request)


def _operation(store: Store, request: Request, id_: str) -> Document:
    document = history.operation(store, number("id", id_, history.LARGEST_ID))
    if document is None:
        raise problems.not_found()
    return lists.linked(document, request)


def _fee_stats(store: Store, _request: Request) -> Document:
    return fees.stats(store, latest(store))


def _submit(ledger: Ledger, request: Request) -> Document:
    """Waits for the ledger that has the transaction."""
    envelope_xdr = _envelope(request)
    try:
        outcome = ledger.submit(envelope_xdr)
    except Malformed:
        raise problems.malformed(envelope_xdr) from None
    except TooLate as error:
        raise problems.timeout(str(error), envelope_xdr) from None
    if isinstance(outcome, TransactionOutcome):
        raise problems.failed(envelope_xdr, outcome)
    return _outcome(outcome, request)


def _submit_async(ledger: Ledger, request: Request) -> Answer:
    """What stellar-core says at once, in Horizon's words."""
    envelope_xdr = _envelope(request)
    try:
        receipt = ledger.offer(envelope_xdr)
    except Malformed:
        raise problems.malformed(envelope_xdr) from None
    return Answer(_received(receipt), STATUSES[receipt.status])


def _received(receipt: Receipt) -> Document:
    document = {"tx_status": receipt.status, "hash": receipt.hash}
    if receipt.outcome:
        document["error_result_xdr"] = receipt.outcome.result_xdr
    return document


def _rpc(ledger: Ledger, request: Request) -> Document:
    """Soroban's JSON-RPC stands at the same address as Horizon's root."""
    return rpc.answer(ledger, request.body)


def _friendbot(ledger: Ledger, request: Request) -> Document:
    address = request.value("addr") or (request.form_value("addr") if request.method == "POST" else "")
    require_address("addr", address)
    with ledger.reading() as store:
        if store.account(address) is not None:
            raise Problem(400, "bad_request", detail="account already funded to starting balance")
        applied = ledger.fund(address)
    return _outcome(applied, request)


def _envelope(request: Request) -> str:
    envelope_xdr = request.form_value("tx")
    if not envelope_xdr:
        raise problems.invalid("tx", "The transaction is missing.")
    return envelope_xdr


def _outcome(applied: Applied, request: Request) -> Document:
    if applied.successful:
        return lists.linked(applied.document, request)
    outcome = results.recorded(applied.document["result_xdr"])
    raise problems.failed(applied.document["envelope_xdr"], outcome)


READS: tuple[tuple[str, str, Read], ...] = (
    ("GET", "/", _root),
    ("GET", "/accounts", owners.accounts),
    ("GET", "/accounts/([^/]+)", owners.account),
    ("GET", "/accounts/([^/]+)/(transactions|operations|payments)", lists.of_account),
    ("GET", "/(transactions|operations|payments|ledgers)", lists.of_all),
    ("GET", "/ledgers/([^/]+)", _ledger),
    ("GET", "/ledgers/([^/]+)/(transactions|operations|payments)", lists.of_ledger),
    ("GET", "/transactions/([^/]+)", _transaction),
    ("GET", "/transactions/([^/]+)/(operations|payments)", lists.of_transaction),
    ("GET", "/operations/([^/]+)", _operation),
    ("GET", "/claimable_balances", claims.several),
    ("GET", "/claimable_balances/([^/]+)", claims.one),
    ("GET", "/fee_stats", _fee_stats),
)
ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("POST", "/transactions", _submit),
    ("POST", "/transactions_async", _submit_async),
    ("POST", "/", _rpc),
    ("GET", "/friendbot", _friendbot),
    ("POST", "/friendbot", _friendbot),
    *controls.ROUTES,
)
