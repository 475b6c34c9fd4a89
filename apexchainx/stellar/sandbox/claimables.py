"""Claimable balances: what is kept of them, and which of them somebody asks for."""

import json
from dataclasses import dataclass
from typing import Any

from apexchainx.stellar.sandbox.store import Page, Store

WANTED = (
    "SELECT number, document FROM claimable WHERE (:sponsor = '' OR sponsor = :sponsor)"
    " AND (:asset = '' OR asset = :asset)"
    " AND (:claimant = '' OR number IN (SELECT number FROM claimant WHERE address = :claimant))"
)


@dataclass(frozen=True)
class Claimable:
    """`number` orders them, and is the paging token; `asset` is `native` or `CODE:ISSUER`.

    The document is Horizon's, with the claimants and their predicates.
    """

    number: int
    id: str
    asset: str
    stroops: int
    sponsor: str
    claimants: int
    document: dict[str, Any]


def add(store: Store, claimable: Claimable) -> None:
    facts = (claimable.number, claimable.id, claimable.asset, claimable.stroops, claimable.sponsor)
    document = json.dumps(claimable.document)
    store.execute(
        "INSERT INTO claimable VALUES (?, ?, ?, ?, ?, ?, ?)", (*facts, claimable.claimants, document)
    )
    for each in claimable.document["claimants"]:
        store.execute("INSERT INTO claimant VALUES (?, ?)", (each["destination"], claimable.number))


def drop(store: Store, claimable: Claimable) -> None:
    store.execute("DELETE FROM claimable WHERE number = ?", (claimable.number,))


def one(store: Store, id_: str) -> Claimable | None:
    row = store.execute("SELECT * FROM claimable WHERE id = ?", (id_,)).fetchone()
    return Claimable(**{**row, "document": json.loads(row["document"])}) if row else None


def page(
    store: Store, page: Page, *, claimant: str = "", asset: str = "", sponsor: str = ""
) -> list[tuple[int, dict[str, Any]]]:
    """Numbers and documents in the order and from the place asked; an empty text asks for all."""
    return store.select(WANTED, "number", page, {"claimant": claimant, "asset": asset, "sponsor": sponsor})
