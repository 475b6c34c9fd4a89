"""What each address of the sandbox answers: Horizon's endpoints, and a few of its own under /sandbox/."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from apexchainx.stellar.keys import is_address
from apexchainx.stellar.sandbox import documents, problems
from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.ledger import Ledger, Malformed, TooLate
from apexchainx.stellar.sandbox.problems import Problem
from apexchainx.stellar.sandbox.results import TransactionOutcome
from apexchainx.stellar.sandbox.store import LEDGERS, OPERATIONS, TRANSACTIONS, Applied, Page

FORM = "application/x-www-form-urlencoded"
LARGEST_ID = 2**63 - 1
PAYMENT_KINDS = "create_account payment"


@dataclass(frozen=True)
class Request:
    """What was asked, parsed as far as HTTP goes. `base` is scheme and host as the client wrote them."""

    method: str
    path: str
    query: str
    base: str
    content_type: str = ""
    body: bytes = b""

    def value(self, name: str) -> str:
        return _first(self.query, name)

    def form_value(self, name: str) -> str:
        if self.content_type not in {"", FORM}:
            raise Problem(415, "unsupported_media_type")
        return _first(self.body.decode("ascii", errors="replace"), name)

    @property
    def url(self) -> str:
        return f"{self.base}{self.path}"


Route = Callable[..., Document]


def answer(ledger: Ledger, request: Request) -> Document:
    """The document for a request; every failure is a Problem."""
    matches = [(method, route, re.fullmatch(path, request.path)) for method, path, route in ROUTES]
    found = {method: (route, match.groups()) for method, route, match in matches if match}
    if not found:
        raise problems.not_found()
    if request.method not in found:
        raise Problem(405, "method_not_allowed", extras={"allow": sorted(found)})
    route, arguments = found[request.method]
    return route(ledger, request, *arguments)


def _root(ledger: Ledger, request: Request) -> Document:
    links = {name: {"href": f"{request.base}/{name}"} for name in ("fee_stats", "friendbot", "ledgers")}
    return {"_links": links, **documents.root(ledger.latest())}


def _account(ledger: Ledger, request: Request, address: str) -> Document:
    _require_address("account_id", address)
    with ledger.reading() as store:
        row = store.account(address)
        lines = store.lines(address)
    if row is None:
        raise problems.not_found()
    lists = ("transactions", "operations", "payments")
    links = {name: {"href": f"{request.url}/{name}", "templated": False} for name in lists}
    return {"_links": {"self": {"href": request.url}, **links}, **documents.account(row, lines)}


def _list(ledger: Ledger, request: Request, name: str) -> Document:
    return _records(ledger, request, name, "")


def _list_of_account(ledger: Ledger, request: Request, address: str, name: str) -> Document:
    _require_address("account_id", address)
    with ledger.reading() as store:
        if store.account(address) is None:
            raise problems.not_found()
    return _records(ledger, request, name, address)


def _records(ledger: Ledger, request: Request, name: str, address: str) -> Document:
    select = {"transactions": TRANSACTIONS, "ledgers": LEDGERS}.get(name, OPERATIONS)
    kinds = PAYMENT_KINDS if name == "payments" else ""
    page, failed = _page(ledger, request), _flag(request, "include_failed")
    with ledger.reading() as store:
        rows = store.page(select, page, address=address, kinds=kinds, failed=failed)
    records = [documents.ledger(row) if name == "ledgers" else _linked(row, request) for _, row in rows]
    return documents.page(records, _page_links(request, page, [id_ for id_, _ in rows]))


def _transaction(ledger: Ledger, request: Request, hash_: str) -> Document:
    if not re.fullmatch("[0-9a-f]{64}", hash_):
        reason = "Transaction hash must be a hex-encoded, lowercase SHA-256 hash"
        raise problems.invalid("tx_id", reason)
    with ledger.reading() as store:
        applied = store.applied(hash_)
    if applied is None:
        raise problems.not_found()
    return _linked(applied.document, request)


def _fee_stats(ledger: Ledger, _request: Request) -> Document:
    return documents.fee_stats(ledger.latest())


def _submit(ledger: Ledger, request: Request) -> Document:
    envelope_xdr = request.form_value("tx")
    if not envelope_xdr:
        raise problems.invalid("tx", "The transaction is missing.")
    try:
        outcome = ledger.submit(envelope_xdr)
    except Malformed:
        extras = {"envelope_xdr": envelope_xdr}
        raise Problem(400, "transaction_malformed", extras=extras) from None
    except TooLate as error:
        raise problems.timeout(str(error), envelope_xdr) from None
    if isinstance(outcome, TransactionOutcome):
        raise problems.failed(envelope_xdr, outcome)
    return _outcome(outcome, request)


def _friendbot(ledger: Ledger, request: Request) -> Document:
    address = request.value("addr") or (request.form_value("addr") if request.method == "POST" else "")
    _require_address("addr", address)
    with ledger.reading() as store:
        if store.account(address) is not None:
            raise Problem(400, "bad_request", detail="account already funded to starting balance")
        applied = ledger.fund(address)
    return _outcome(applied, request)


def _close(ledger: Ledger, _request: Request) -> Document:
    closed = ledger.close()
    return {"sequence": closed.sequence, "closed_at": documents.moment(closed.closed_at)}


def _log(ledger: Ledger, request: Request) -> Document:
    """All that was applied, failed ones as well, with the codes of their operations."""
    page = _page(ledger, request)
    with ledger.reading() as store:
        rows = store.page(TRANSACTIONS, page, failed=True)
        applied = [store.applied(row["hash"]) for _, row in rows]
    records = [
        {
            "hash": each.hash,
            "ledger": each.ledger,
            "successful": each.successful,
            "operations": list(each.codes),
        }
        for each in applied
        if each is not None
    ]
    return documents.page(records, _page_links(request, page, [id_ for id_, _ in rows]))


def _outcome(applied: Applied, request: Request) -> Document:
    if applied.successful:
        return _linked(applied.document, request)
    outcome = TransactionOutcome("tx_failed", applied.codes, applied.document["result_xdr"])
    raise problems.failed(applied.document["envelope_xdr"], outcome)


def _linked(document: Document, request: Request) -> Document:
    hash_ = document.get("transaction_hash") or document["hash"]
    name = "transaction" if "transaction_hash" in document else "self"
    return {"_links": {name: {"href": f"{request.base}/transactions/{hash_}"}}, **document}


def _page(ledger: Ledger, request: Request) -> Page:
    limit, order = request.value("limit") or "10", request.value("order") or "asc"
    if not re.fullmatch("[0-9]{1,3}", limit, re.ASCII) or not 1 <= int(limit) <= 200:
        raise problems.invalid("limit", "limit must be a whole number from 1 to 200")
    if order not in {"asc", "desc"}:
        raise problems.invalid("order", "order must be asc or desc")
    return Page(cursor=_cursor(ledger, request.value("cursor")), ascending=order == "asc", limit=int(limit))


def _cursor(ledger: Ledger, text: str) -> int | None:
    """The id that the page begins after; `now` is the end of the latest ledger."""
    if not text:
        return None
    if text == "now":
        return (ledger.latest().sequence + 1 << 32) - 1
    if not re.fullmatch("[0-9]{1,19}", text, re.ASCII) or int(text) > LARGEST_ID:
        raise problems.invalid("cursor", "cursor must be a paging token or now")
    return int(text)


def _page_links(request: Request, page: Page, ids: list[int]) -> Document:
    start, end = (ids[0], ids[-1]) if ids else (page.cursor, page.cursor)
    asked = request.query
    links = {"self": {"href": f"{request.url}?{asked}" if asked else request.url}}
    for name, cursor, ascending in (("next", end, page.ascending), ("prev", start, not page.ascending)):
        values = {"cursor": "" if cursor is None else cursor, "limit": page.limit}
        query = urlencode(values | {"order": "asc" if ascending else "desc"} | _kept(request))
        links[name] = {"href": f"{request.url}?{query}"}
    return links


def _kept(request: Request) -> dict[str, str]:
    return {"include_failed": "true"} if _flag(request, "include_failed") else {}


def _flag(request: Request, name: str) -> bool:
    text = request.value(name) or "false"
    if text not in {"true", "false"}:
        raise problems.invalid(name, f"{name} must be true or false")
    return text == "true"


def _require_address(field: str, text: str) -> None:
    if not is_address(text):
        raise problems.invalid(field, "must be an account's address: G and 55 more, with a right checksum")


def _first(encoded: str, name: str) -> str:
    return parse_qs(encoded).get(name, [""])[0]


ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("GET", "/", _root),
    ("GET", "/accounts/([^/]+)", _account),
    ("GET", "/accounts/([^/]+)/(transactions|operations|payments)", _list_of_account),
    ("GET", "/(transactions|operations|payments|ledgers)", _list),
    ("GET", "/transactions/([^/]+)", _transaction),
    ("POST", "/transactions", _submit),
    ("GET", "/fee_stats", _fee_stats),
    ("GET", "/friendbot", _friendbot),
    ("POST", "/friendbot", _friendbot),
    ("POST", "/sandbox/close", _close),
    ("GET", "/sandbox/log", _log),
)
