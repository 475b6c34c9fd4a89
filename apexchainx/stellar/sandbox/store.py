"""What the sandbox ledger remembers: one SQLite file, every amount in integer stroops."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apexchainx.stellar.sandbox.amounts import BASE_RESERVE

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    sequence INTEGER PRIMARY KEY, closed_at INTEGER NOT NULL,
    successful INTEGER NOT NULL, failed INTEGER NOT NULL, operations INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS account (
    address TEXT PRIMARY KEY, sequence INTEGER NOT NULL CHECK (sequence >= 0),
    balance INTEGER NOT NULL CHECK (balance >= 0), modified INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS line (
    address TEXT NOT NULL REFERENCES account, code TEXT NOT NULL, issuer TEXT NOT NULL,
    ceiling INTEGER NOT NULL CHECK (ceiling > 0),
    balance INTEGER NOT NULL DEFAULT 0 CHECK (balance BETWEEN 0 AND ceiling), modified INTEGER NOT NULL,
    PRIMARY KEY (address, code, issuer)
) STRICT;
CREATE TABLE IF NOT EXISTS applied (
    id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, ledger INTEGER NOT NULL,
    successful INTEGER NOT NULL, codes TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS operation (
    id INTEGER PRIMARY KEY, applied INTEGER NOT NULL REFERENCES applied, kind TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS participant (
    address TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (address, id)
) STRICT, WITHOUT ROWID;
"""
TRANSACTIONS = "SELECT id, document FROM applied WHERE (:failed OR successful)"
OPERATIONS = (
    "SELECT id, document FROM operation WHERE (:kinds = '' OR instr(:kinds, kind))"
    " AND (:failed OR (SELECT successful FROM applied WHERE applied.id = operation.applied))"
)
LEDGERS = (
    "SELECT sequence << 32 AS id, json_object('sequence', sequence, 'closed_at', closed_at, 'successful',"
    " successful, 'failed', failed, 'operations', operations) AS document FROM ledger WHERE true"
)
OF_ACCOUNT = " AND id IN (SELECT id FROM participant WHERE address = :address)"


@dataclass(frozen=True)
class Closed:
    """A ledger that is closed, `closed_at` in Unix seconds."""

    sequence: int
    closed_at: int


@dataclass(frozen=True)
class Line:
    code: str
    issuer: str
    ceiling: int
    balance: int
    modified: int


@dataclass(frozen=True)
class Account:
    address: str
    sequence: int
    balance: int
    modified: int
    lines: int

    @property
    def available(self) -> int:
        """What may be spent: all above the reserve."""
        return self.balance - (2 + self.lines) * BASE_RESERVE


@dataclass(frozen=True)
class Applied:
    """A transaction that is part of history, successful or not."""

    hash: str
    ledger: int
    successful: bool
    codes: tuple[str, ...]
    document: dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted; a cursor of None is its very beginning."""

    cursor: int | None
    ascending: bool
    limit: int


class Store:
    """The file. A second process that opens it is refused; callers keep threads apart themselves."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        try:
            for pragma in (
                "locking_mode = EXCLUSIVE",
                "journal_mode = WAL",
                "synchronous = NORMAL",
                "foreign_keys = ON",
            ):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(f"BEGIN EXCLUSIVE; {SCHEMA} COMMIT;")
        except sqlite3.Error:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it reaches the file, or none of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def savepoint(self) -> None:
        self._db.execute("SAVEPOINT effects")

    def undo(self) -> None:
        self._db.execute("ROLLBACK TO effects")

    def release(self) -> None:
        self._db.execute("RELEASE effects")

    # Ledgers

    def latest(self) -> Closed | None:
        row = self._one("SELECT sequence, closed_at FROM ledger ORDER BY sequence DESC LIMIT 1")
        return Closed(row["sequence"], row["closed_at"]) if row else None

    def add_ledger(self, ledger: Closed, *, successful: int, failed: int, operations: int) -> None:
        values = (ledger.sequence, ledger.closed_at, successful, failed, operations)
        self._db.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?)", values)

    # Accounts and trustlines

    def account(self, address: str) -> Account | None:
        row = self._one(
            "SELECT *, (SELECT count(*) FROM line WHERE line.address = account.address) AS lines"
            " FROM account WHERE address = ?",
            address,
        )
        return Account(**row) if row else None

    def add_account(self, address: str, *, sequence: int, balance: int, modified: int) -> None:
        self._db.execute("INSERT INTO account VALUES (?, ?, ?, ?)", (address, sequence, balance, modified))

    def set_sequence(self, address: str, sequence: int) -> None:
        self._db.execute("UPDATE account SET sequence = ? WHERE address = ?", (sequence, address))

    def move(self, address: str, stroops: int, *, modified: int) -> None:
        """Add to an account's native balance, or take from it."""
        self._db.execute(
            "UPDATE account SET balance = balance + ?, modified = ? WHERE address = ?",
            (stroops, modified, address),
        )

    def lines(self, address: str) -> list[Line]:
        rows = self._db.execute("SELECT * FROM line WHERE address = ? ORDER BY code, issuer", (address,))
        return [_line(row) for row in rows]

    def line(self, address: str, code: str, issuer: str) -> Line | None:
        row = self._one(
            "SELECT * FROM line WHERE address = ? AND code = ? AND issuer = ?", address, code, issuer
        )
        return _line(row) if row else None

    def set_line(self, address: str, code: str, issuer: str, *, ceiling: int, modified: int) -> None:
        self._db.execute(
            "INSERT INTO line (address, code, issuer, ceiling, modified) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET ceiling = excluded.ceiling, modified = excluded.modified",
            (address, code, issuer, ceiling, modified),
        )

    def drop_line(self, address: str, code: str, issuer: str) -> None:
        self._db.execute(
            "DELETE FROM line WHERE address = ? AND code = ? AND issuer = ?", (address, code, issuer)
        )

    def move_line(self, address: str, code: str, issuer: str, stroops: int, *, modified: int) -> None:
        """Add to a trustline's balance, or take from it."""
        self._db.execute(
            "UPDATE line SET balance = balance + ?, modified = ?"
            " WHERE address = ? AND code = ? AND issuer = ?",
            (stroops, modified, address, code, issuer),
        )

    # History

    def applied(self, hash_: str) -> Applied | None:
        row = self._one("SELECT * FROM applied WHERE hash = ?", hash_)
        if row is None:
            return None
        codes = tuple(json.loads(row["codes"]))
        return Applied(hash_, row["ledger"], bool(row["successful"]), codes, json.loads(row["document"]))

    def add_applied(self, id_: int, applied: Applied, addresses: set[str]) -> None:
        values = (id_, applied.hash, applied.ledger, applied.successful)
        texts = (json.dumps(applied.codes), json.dumps(applied.document))
        self._db.execute("INSERT INTO applied VALUES (?, ?, ?, ?, ?, ?)", values + texts)
        self._add_participants(id_, addresses)

    def add_operation(self, id_: int, applied: int, document: dict[str, Any], addresses: set[str]) -> None:
        values = (id_, applied, document["type"], json.dumps(document))
        self._db.execute("INSERT INTO operation VALUES (?, ?, ?, ?)", values)
        self._add_participants(id_, addresses)

    def page(
        self, select: str, page: Page, *, address: str = "", kinds: str = "", failed: bool = False
    ) -> list[tuple[int, dict[str, Any]]]:
        """Ids and documents of TRANSACTIONS, OPERATIONS or LEDGERS in the order and from the place asked."""
        query = f"SELECT * FROM ({select}{OF_ACCOUNT if address else ''})"  # noqa: S608 - only constants
        if page.cursor is not None:
            query += f" WHERE id {'>' if page.ascending else '<'} :cursor"
        query += f" ORDER BY id {'ASC' if page.ascending else 'DESC'} LIMIT :limit"
        values = {"address": address, "kinds": kinds, "failed": failed}
        rows = self._db.execute(query, values | {"cursor": page.cursor, "limit": page.limit})
        return [(row["id"], json.loads(row["document"])) for row in rows]

    def _add_participants(self, id_: int, addresses: set[str]) -> None:
        self._db.executemany("INSERT INTO participant VALUES (?, ?)", [(each, id_) for each in addresses])

    def _one(self, query: str, *values: str | int) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(query, values).fetchone()
        return row


def _line(row: sqlite3.Row) -> Line:
    return Line(row["code"], row["issuer"], row["ceiling"], row["balance"], row["modified"])
