"""Lists of Horizon: which records each holds, and the links from page to page."""

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from apexchainx.stellar.sandbox import documents, history, problems
from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.history import LARGEST_ID, Row, Scope
from apexchainx.stellar.sandbox.ledger import latest
from apexchainx.stellar.sandbox.request import Request, flag, number, require_address, require_hash
from apexchainx.stellar.sandbox.store import Page, Store


def of_all(store: Store, request: Request, name: str) -> Document:
    return _answer(store, request, name, Scope(failed=flag(request, "include_failed")))


def of_account(store: Store, request: Request, address: str, name: str) -> Document:
    require_address("account_id", address)
    if store.account(address) is None:
        raise problems.not_found()
    return _answer(store, request, name, Scope(address=address, failed=flag(request, "include_failed")))


def of_ledger(store: Store, request: Request, sequence: str, name: str) -> Document:
    number_ = number("ledger_id", sequence, 2**31 - 1)
    if history.ledger(store, number_) is None:
        raise problems.not_found()
    return _answer(store, request, name, history.of_ledger(number_, failed=flag(request, "include_failed")))


def of_transaction(store: Store, request: Request, hash_: str, name: str) -> Document:
    require_hash("tx_id", hash_)
    id_ = history.transaction_id(store, hash_)
    if id_ is None:
        raise problems.not_found()
    return _answer(store, request, name, history.of_transaction(id_))


def linked(document: Document, request: Request) -> Document:
    """A transaction or an operation, with the link to its transaction."""
    hash_ = document.get("transaction_hash") or document["hash"]
    name = "transaction" if "transaction_hash" in document else "self"
    return {"_links": {name: {"href": f"{request.base}/transactions/{hash_}"}}, **document}


def wanted(store: Store, request: Request) -> Page:
    """The page that the request is about."""
    limit, ascending = limit_and_order(request)
    return Page(cursor=_cursor(store, request.value("cursor")), ascending=ascending, limit=limit)


def limit_and_order(request: Request) -> tuple[int, bool]:
    limit, order = request.value("limit") or "10", request.value("order") or "asc"
    if not re.fullmatch("[0-9]{1,3}", limit, re.ASCII) or not 1 <= int(limit) <= 200:
        raise problems.invalid("limit", "limit must be a whole number from 1 to 200")
    if order not in {"asc", "desc"}:
        raise problems.invalid("order", "order must be asc or desc")
    return int(limit), order == "asc"


def links(request: Request, tokens: Sequence[int | str]) -> Document:
    """To this page, and to those after its last and before its first record."""
    limit, ascending = limit_and_order(request)
    start, end = (tokens[0], tokens[-1]) if tokens else (request.value("cursor"), request.value("cursor"))
    found = {"self": {"href": f"{request.url}?{request.query}" if request.query else request.url}}
    for name, cursor, is_up in (("next", end, ascending), ("prev", start, not ascending)):
        values = {**_kept(request), "cursor": cursor, "limit": limit, "order": "asc" if is_up else "desc"}
        found[name] = {"href": f"{request.url}?{urlencode(values)}"}
    return found


def _answer(store: Store, request: Request, name: str, scope: Scope) -> Document:
    page = wanted(store, request)
    rows = history.records(store, name, page, scope)
    if name == "ledgers":
        shown = [documents.ledger(row) for _, row in rows]
    else:
        shown = [linked(row, request) | _joined(store, request, row) for _, row in rows]
    return documents.page(shown, links(request, tokens(page, rows)))


def _joined(store: Store, request: Request, record: Document) -> Document:
    """An operation's transaction, where the request joins it."""
    if request.value("join") != "transactions" or "transaction_hash" not in record:
        return {}
    applied = store.applied(record["transaction_hash"])
    return {"transaction": applied.document} if applied else {}


def tokens(page: Page, rows: list[Row]) -> list[int]:
    """Those of the records; an empty page stays where it began, also where that was `now`."""
    return [id_ for id_, _ in rows] or ([] if page.cursor is None else [page.cursor])


def _cursor(store: Store, text: str) -> int | None:
    """The id that the page begins after; `now` is the end of the latest ledger."""
    if not text:
        return None
    if text == "now":
        return (latest(store).sequence + 1 << 32) - 1
    if not re.fullmatch("[0-9]{1,19}", text, re.ASCII) or int(text) > LARGEST_ID:
        raise problems.invalid("cursor", "cursor must be a paging token or now")
    return int(text)


def _kept(request: Request) -> dict[str, str]:
    """The filters of a list, which its other pages have as well."""
    names = ("include_failed", "join", "asset", "signer", "claimant", "sponsor")
    return {name: value for name in names if (value := request.value(name)) not in {"", "false"}}
