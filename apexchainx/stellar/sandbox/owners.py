"""Accounts: one by its address, or those that hold an asset or may be signed for by a key."""

from apexchainx.stellar.sandbox import documents, lists, problems
from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.problems import Problem
from apexchainx.stellar.sandbox.request import Request, require_address
from apexchainx.stellar.sandbox.store import Store

HOLDERS = "SELECT address FROM line WHERE code = ? AND issuer = ?"
SIGNED_FOR = (
    "SELECT address FROM account WHERE address = ? AND master > 0"
    " UNION SELECT address FROM signer WHERE key = ?"
)


def account(store: Store, request: Request, address: str) -> Document:
    require_address("account_id", address)
    document = _document(store, address)
    if document is None:
        raise problems.not_found()
    names = ("transactions", "operations", "payments")
    links = {name: {"href": f"{request.url}/{name}", "templated": False} for name in names}
    return {"_links": {"self": {"href": request.url}, **links}, **document}


def accounts(store: Store, request: Request) -> Document:
    """In the order of their addresses, which are their paging tokens."""
    limit, ascending = lists.limit_and_order(request)
    addresses = sorted(_addresses(store, request), reverse=not ascending)
    if cursor := request.value("cursor"):
        require_address("cursor", cursor)
        addresses = [each for each in addresses if (each > cursor) == ascending and each != cursor]
    shown = [document for each in addresses[:limit] if (document := _document(store, each))]
    return documents.page(shown, lists.links(request, addresses[:limit]))


def _addresses(store: Store, request: Request) -> list[str]:
    asset, signer = request.value("asset"), request.value("signer")
    if bool(asset) == bool(signer):
        raise Problem(400, "bad_request", detail="Exactly one filter is needed: asset or signer.")
    if signer:
        require_address("signer", signer)
        query, values = SIGNED_FOR, [signer, signer]
    else:
        query, values = HOLDERS, list(require_asset(asset))
    return [address for (address,) in store.execute(query, values)]


def require_asset(text: str) -> tuple[str, str]:
    code, _, issuer = text.partition(":")
    if not (1 <= len(code) <= 12 and code.isascii() and code.isalnum()):
        raise problems.invalid("asset", "must be CODE:ISSUER")
    require_address("asset", issuer)
    return code, issuer


def _document(store: Store, address: str) -> Document | None:
    row = store.account(address)
    if row is None:
        return None
    return documents.account(row, store.lines(address), store.signers(address), store.data(address))
