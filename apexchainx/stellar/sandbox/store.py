"""What the sandbox ledger remembers: one SQLite file, every amount in integer stroops."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apexchainx.stellar.sandbox.amounts import BASE_RESERVE
from apexchainx.stellar.sandbox.schema import SCHEMA, STEPS

ACCOUNT = (
    "SELECT *, (SELECT count(*) FROM line WHERE line.address = account.address)"
    " + (SELECT count(*) FROM signer WHERE signer.address = account.address)"
    " + (SELECT count(*) FROM datum WHERE datum.address = account.address),"
    " (SELECT coalesce(sum(claimants), 0) FROM claimable WHERE sponsor = account.address)"
    " FROM account WHERE address = ?"
)

Value = str | int | bytes | None


@dataclass(frozen=True)
class Closed:
    """A ledger that is closed, `closed_at` in Unix seconds."""

    sequence: int
    closed_at: int


@dataclass(frozen=True)
class Line:
    """A trustline; without the flag of the issuer's authorization it neither gives nor takes."""

    address: str
    code: str
    issuer: str
    ceiling: int
    balance: int
    modified: int
    flags: int

    @property
    def is_authorized(self) -> bool:
        return bool(self.flags & 1)


@dataclass(frozen=True)
class Account:
    """Weights and thresholds are from 0 to 255; `sequence_ledger` and `_time`: when a number was last used.

    `sponsoring` is the number of reserves it holds for claimable balances.
    """

    address: str
    sequence: int
    balance: int
    modified: int
    flags: int
    home_domain: str
    master: int
    low: int
    medium: int
    high: int
    sequence_ledger: int
    sequence_time: int
    subentries: int
    sponsoring: int

    @property
    def available(self) -> int:
        """What may be spent: all above the reserve."""
        return self.balance - (2 + self.subentries + self.sponsoring) * BASE_RESERVE


@dataclass(frozen=True)
class Applied:
    """A transaction that is part of history, successful or not.

    A fee bump has two hashes, and is found by either; its document shows the one that was asked for.
    """

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
    """The file. A second process that opens it is refused; callers keep threads apart themselves.

    Other modules keep tables of their own in it: `declare` makes them, `execute` reads and writes them. What
    they write while a ledger closes belongs to that ledger: it is undone with a failed transaction's effects,
    and reaches the file together with all the rest.
    """

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
            self._upgrade()
        except sqlite3.Error:
            self._db.close()
            raise

    def close(self) -> None:
        self._db.close()

    def copy(self) -> "Store":
        """The state as it is now, in memory."""
        copy = Store(Path(":memory:"))
        self._db.backup(copy._db)
        return copy

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

    def declare(self, schema: str) -> None:
        """Make tables that do not exist: a script of CREATE ... IF NOT EXISTS, outside a transaction."""
        self._db.executescript(f"BEGIN EXCLUSIVE; {schema} COMMIT;")

    def execute(self, statement: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        return self._db.execute(statement, values)

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
        row = self._db.execute(ACCOUNT, (address,)).fetchone()
        return Account(*row) if row else None

    def add_account(self, address: str, *, sequence: int, balance: int, modified: int) -> None:
        values = (address, sequence, balance, modified)
        self._db.execute(
            "INSERT INTO account (address, sequence, balance, modified) VALUES (?, ?, ?, ?)", values
        )

    def drop_account(self, address: str) -> None:
        """With its signers; trustlines and data it may not have any more."""
        self._db.execute("DELETE FROM signer WHERE address = ?", (address,))
        self._db.execute("DELETE FROM account WHERE address = ?", (address,))

    def set_sequence(self, address: str, sequence: int, ledger: Closed) -> None:
        self._db.execute(
            "UPDATE account SET sequence = ?, sequence_ledger = ?, sequence_time = ? WHERE address = ?",
            (sequence, ledger.sequence, ledger.closed_at, address),
        )

    def set_options(self, account: Account) -> None:
        """Flags, home domain, weight and thresholds are as in this account from now on."""
        values = (account.flags, account.home_domain, account.master, account.low, account.medium)
        self._db.execute(
            "UPDATE account SET flags = ?, home_domain = ?, master = ?, low = ?, medium = ?, high = ?,"
            " modified = ? WHERE address = ?",
            (*values, account.high, account.modified, account.address),
        )

    def signers(self, address: str) -> dict[str, int]:
        """The weight of each key but the account's own."""
        query = "SELECT key, weight FROM signer WHERE address = ? ORDER BY key"
        return dict(self._db.execute(query, (address,)).fetchall())

    def set_signer(self, address: str, key: str, weight: int) -> None:
        """A weight of 0 takes the key away."""
        if weight == 0:
            self._db.execute("DELETE FROM signer WHERE address = ? AND key = ?", (address, key))
            return
        self._db.execute(
            "INSERT INTO signer VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET weight = excluded.weight",
            (address, key, weight),
        )

    def data(self, address: str) -> dict[str, bytes]:
        query = "SELECT name, value FROM datum WHERE address = ? ORDER BY name"
        return dict(self._db.execute(query, (address,)).fetchall())

    def set_datum(self, address: str, name: str, value: bytes | None) -> None:
        """None takes it away."""
        if value is None:
            self._db.execute("DELETE FROM datum WHERE address = ? AND name = ?", (address, name))
            return
        self._db.execute(
            "INSERT INTO datum VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (address, name, value),
        )

    def move(self, address: str, stroops: int, *, modified: int) -> None:
        """Add to an account's native balance, or take from it."""
        self._db.execute(
            "UPDATE account SET balance = balance + ?, modified = ? WHERE address = ?",
            (stroops, modified, address),
        )

    def lines(self, address: str) -> list[Line]:
        rows = self._db.execute("SELECT * FROM line WHERE address = ? ORDER BY code, issuer", (address,))
        return [Line(*row) for row in rows]

    def line(self, address: str, code: str, issuer: str) -> Line | None:
        query = "SELECT * FROM line WHERE address = ? AND code = ? AND issuer = ?"
        row = self._db.execute(query, (address, code, issuer)).fetchone()
        return Line(*row) if row else None

    def set_line(
        self, address: str, code: str, issuer: str, *, ceiling: int, modified: int, flags: int = 1
    ) -> None:
        """The flags are for a new line."""
        self._db.execute(
            "INSERT INTO line (address, code, issuer, ceiling, modified, flags) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET ceiling = excluded.ceiling, modified = excluded.modified",
            (address, code, issuer, ceiling, modified, flags),
        )

    def set_line_flags(self, address: str, code: str, issuer: str, flags: int, *, modified: int) -> None:
        self._db.execute(
            "UPDATE line SET flags = ?, modified = ? WHERE address = ? AND code = ? AND issuer = ?",
            (flags, modified, address, code, issuer),
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
        row = self._one("SELECT * FROM applied WHERE hash = ? OR inner_hash = ?", hash_, hash_)
        if row is None:
            return None
        codes, document = tuple(json.loads(row["codes"])), json.loads(row["document"])
        if hash_ != row["hash"]:
            document |= {
                "id": hash_,
                "hash": hash_,
                "signatures": document["inner_transaction"]["signatures"],
            }
        return Applied(hash_, row["ledger"], bool(row["successful"]), codes, document)

    def add_applied(
        self, id_: int, applied: Applied, addresses: set[str], *, inner: str | None = None
    ) -> None:
        """`inner` is the hash of the transaction inside a fee bump."""
        texts = (json.dumps(applied.codes), json.dumps(applied.document))
        self._db.execute(
            "INSERT INTO applied VALUES (?, ?, ?, ?, ?, ?, ?)",
            (id_, applied.hash, applied.ledger, applied.successful, *texts, inner),
        )
        self._add_participants([(address, id_) for address in addresses])

    def add_operations(
        self, applied: int, records: dict[int, dict[str, Any]], addresses: dict[int, set[str]]
    ) -> None:
        """The records of a transaction's operations, and the accounts concerned, by the operations' ids."""
        self._db.executemany(
            "INSERT INTO operation VALUES (?, ?, ?, ?)",
            [(id_, applied, record["type"], json.dumps(record)) for id_, record in records.items()],
        )
        self._add_participants([(address, id_) for id_, each in addresses.items() for address in each])

    def select(
        self, query: str, key: str, page: Page, values: Mapping[str, Value]
    ) -> list[tuple[int, dict[str, Any]]]:
        """A page of what the query finds: its key and its document."""
        paged = f"SELECT * FROM ({query})"  # noqa: S608 - only constants
        if page.cursor is not None:
            paged += f" WHERE {key} {'>' if page.ascending else '<'} :cursor"
        paged += f" ORDER BY {key} {'ASC' if page.ascending else 'DESC'} LIMIT :limit"
        rows = self._db.execute(paged, {**values, "cursor": page.cursor, "limit": page.limit})
        return [(row[key], json.loads(row["document"])) for row in rows]

    def _upgrade(self) -> None:
        self.declare(SCHEMA)
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        for number, step in enumerate(STEPS[version:], start=version + 1):
            self.declare(f"{step} PRAGMA user_version = {number};")

    def _add_participants(self, rows: list[tuple[str, int]]) -> None:
        self._db.executemany("INSERT INTO participant VALUES (?, ?)", rows)

    def _one(self, query: str, *values: str | int) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(query, values).fetchone()
        return row
