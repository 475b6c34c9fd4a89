"""Claimable balances over HTTP: one by its id, or those of a claimant, a sponsor or an asset."""

import re

from apexchainx.stellar.sandbox import claimables, documents, lists, owners, problems
from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.request import Request, require_address
from apexchainx.stellar.sandbox.store import Store


def one(store: Store, request: Request, id_: str) -> Document:
    if not re.fullmatch("[0-9a-f]{72}", id_):
        raise problems.invalid("id", "must be a claimable balance's id: 72 hexadecimal digits")
    found = claimables.one(store, id_)
    if found is None:
        raise problems.not_found()
    return {"_links": {"self": {"href": request.url}}, **found.document}


def several(store: Store, request: Request) -> Document:
    for name in ("claimant", "sponsor"):
        if address := request.value(name):
            require_address(name, address)
    asset = request.value("asset")
    if asset not in {"", "native"}:
        owners.require_asset(asset)
    page = lists.wanted(store, request)
    rows = claimables.page(
        store, page, claimant=request.value("claimant"), sponsor=request.value("sponsor"), asset=asset
    )
    shown = [document for _, document in rows]
    return documents.page(shown, lists.links(request, lists.tokens(page, rows)))
