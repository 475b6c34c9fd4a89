"""What the lists of Horizon hold, a page of them at a time."""

import json
from dataclasses import dataclass

from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.store import Page, Store, Value

LARGEST_ID = 2**63 - 1
LEDGERS = (
    "(SELECT sequence << 32 AS id, json_object('sequence', sequence, 'closed_at', closed_at, 'successful',"
    " successful, 'failed', failed, 'operations', operations) AS document FROM ledger)"
)
TABLES = {"transactions": "applied", "operations": "operation", "payments": "operation", "ledgers": LEDGERS}
SUCCESSFUL = {
    "transactions": "successful",
    "operations": "(SELECT successful FROM applied WHERE applied.id = operation.applied)",
}
SUCCESSFUL["payments"] = SUCCESSFUL["operations"]

Row = tuple[int, Document]


@dataclass(frozen=True)
class Scope:
    """Which records a list is about: those of one account, with ids in a range, failed ones as well."""

    address: str = ""
    first: int = 0
    last: int = LARGEST_ID
    failed: bool = False


def of_ledger(sequence: int, *, failed: bool) -> Scope:
    return Scope(first=sequence << 32, last=(sequence + 1 << 32) - 1, failed=failed)


def of_transaction(id_: int) -> Scope:
    """All its operations, even where it failed."""
    return Scope(first=id_, last=id_ + (1 << 12) - 1, failed=True)


def records(store: Store, name: str, page: Page, scope: Scope) -> list[Row]:
    """Ids and documents of a list in TABLES, in the order and from the place asked."""
    first, last = scope.first, scope.last
    if page.cursor is not None and page.ascending:
        first = max(first, page.cursor + 1)
    elif page.cursor is not None:
        last = min(last, page.cursor - 1)
    table, wanted, values = TABLES[name], ["id BETWEEN ? AND ?"], list[Value]([first, last])
    if scope.address:
        # From the participant's side, so that the newest records are found without reading all older ones.
        table, wanted = f"participant CROSS JOIN {table} USING (id)", [*wanted, "address = ?"]
        values.append(scope.address)
    if name == "payments":
        wanted.append("kind IN ('create_account', 'payment', 'account_merge')")
    if name in SUCCESSFUL and not scope.failed:
        wanted.append(SUCCESSFUL[name])
    order = "ASC" if page.ascending else "DESC"
    query = f"SELECT id, document FROM {table} WHERE {' AND '.join(wanted)} ORDER BY id {order} LIMIT ?"  # noqa: S608 - only constants
    return [(row["id"], json.loads(row["document"])) for row in store.execute(query, [*values, page.limit])]


def operation(store: Store, id_: int) -> Document | None:
    row = store.execute("SELECT document FROM operation WHERE id = ?", (id_,)).fetchone()
    return json.loads(row["document"]) if row else None


def ledger(store: Store, sequence: int) -> Document | None:
    page = Page(cursor=None, ascending=True, limit=1)
    rows = records(store, "ledgers", page, of_ledger(sequence, failed=True))
    return rows[0][1] if rows else None


def transaction_id(store: Store, hash_: str) -> int | None:
    row = store.execute("SELECT id FROM applied WHERE hash = ?", (hash_,)).fetchone()
    return row["id"] if row else None
