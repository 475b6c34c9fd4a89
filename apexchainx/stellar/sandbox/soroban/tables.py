"""What Soroban keeps in the ledger's file: the contract's storage, used nonces, and events."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apexchainx.stellar.sandbox.store import Store

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS contract_storage ("
    " key TEXT PRIMARY KEY, value TEXT NOT NULL, modified INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS contract_nonce ("
    " address TEXT NOT NULL, nonce INTEGER NOT NULL, expires INTEGER NOT NULL,"
    " PRIMARY KEY (address, nonce)) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS contract_event ("
    " operation INTEGER NOT NULL, position INTEGER NOT NULL, topics TEXT NOT NULL, value TEXT NOT NULL,"
    " hash TEXT NOT NULL, PRIMARY KEY (operation, position)) STRICT, WITHOUT ROWID",
)


@dataclass(frozen=True)
class EventRow:
    """An event as it was emitted, topics and value as XDR; `operation` is the id that paging counts by."""

    operation: int
    position: int
    topics: tuple[str, ...]
    value: str
    hash: str

    @property
    def id(self) -> str:
        return f"{self.operation:019d}-{self.position:010d}"


def storage(store: Store) -> dict[str, str]:
    _declare(store)
    return dict(store.execute("SELECT key, value FROM contract_storage").fetchall())


def modified(store: Store) -> int:
    """The ledger that last changed the storage; the contract has been there from the first on."""
    _declare(store)
    (sequence,) = store.execute("SELECT coalesce(max(modified), 1) FROM contract_storage").fetchone()
    return int(sequence)


def change(store: Store, changes: Mapping[str, str | None], sequence: int) -> None:
    """None deletes."""
    for key, value in changes.items():
        if value is None:
            store.execute("DELETE FROM contract_storage WHERE key = ?", (key,))
        else:
            store.execute("REPLACE INTO contract_storage VALUES (?, ?, ?)", (key, value, sequence))


def is_nonce_used(store: Store, address: str, nonce: int) -> bool:
    _declare(store)
    query = "SELECT 1 FROM contract_nonce WHERE address = ? AND nonce = ?"
    return store.execute(query, (address, nonce)).fetchone() is not None


def use_nonce(store: Store, address: str, nonce: int, expires: int) -> None:
    store.execute("INSERT INTO contract_nonce VALUES (?, ?, ?)", (address, nonce, expires))


def add_events(store: Store, rows: Iterable[EventRow]) -> None:
    for row in rows:
        values = (row.operation, row.position, json.dumps(row.topics), row.value, row.hash)
        store.execute("INSERT INTO contract_event VALUES (?, ?, ?, ?, ?)", values)


def events(store: Store, after: tuple[int, int], end: int) -> Iterable[EventRow]:
    """In order, from behind this (operation, position) to before the operation `end`."""
    _declare(store)
    rows = store.execute(
        "SELECT * FROM contract_event WHERE (operation, position) > (?, ?) AND operation < ?"
        " ORDER BY operation, position",
        (*after, end),
    )
    for row in rows:
        topics = tuple(json.loads(row["topics"]))
        yield EventRow(row["operation"], row["position"], topics, row["value"], row["hash"])


def _declare(store: Store) -> None:
    """Cheap where they exist, and right in a file, in a copy of one, and inside a transaction."""
    for statement in SCHEMA:
        store.execute(statement)
