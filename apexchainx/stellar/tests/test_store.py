"""A file of an older sandbox goes on living, and other modules keep their tables in the same file."""

import sqlite3
from pathlib import Path

import pytest
from stellar_sdk import Keypair

from apexchainx.stellar.sandbox.amounts import FRIENDBOT_GIFT, UNIT
from apexchainx.stellar.sandbox.ledger import Ledger
from apexchainx.stellar.sandbox.store import Store

OLD = """
CREATE TABLE ledger (
    sequence INTEGER PRIMARY KEY, closed_at INTEGER NOT NULL,
    successful INTEGER NOT NULL, failed INTEGER NOT NULL, operations INTEGER NOT NULL
) STRICT;
CREATE TABLE account (
    address TEXT PRIMARY KEY, sequence INTEGER NOT NULL CHECK (sequence >= 0),
    balance INTEGER NOT NULL CHECK (balance >= 0), modified INTEGER NOT NULL
) STRICT;
CREATE TABLE line (
    address TEXT NOT NULL REFERENCES account, code TEXT NOT NULL, issuer TEXT NOT NULL,
    ceiling INTEGER NOT NULL CHECK (ceiling > 0),
    balance INTEGER NOT NULL DEFAULT 0 CHECK (balance BETWEEN 0 AND ceiling), modified INTEGER NOT NULL,
    PRIMARY KEY (address, code, issuer)
) STRICT;
CREATE TABLE applied (
    id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, ledger INTEGER NOT NULL,
    successful INTEGER NOT NULL, codes TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE TABLE operation (
    id INTEGER PRIMARY KEY, applied INTEGER NOT NULL REFERENCES applied, kind TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE TABLE participant (
    address TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (address, id)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger VALUES (7, 1700000000, 0, 0, 0);
INSERT INTO account VALUES ('owner', 12, 50000000, 6);
INSERT INTO line VALUES ('owner', 'USDC', 'issuer', 90, 30, 5);
INSERT INTO applied VALUES (28672, 'abc', 7, 1, '["op_success"]', '{"hash": "abc"}');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


def test_an_older_file_is_brought_up_to_date_and_loses_nothing(path: Path) -> None:
    older = sqlite3.connect(path)
    older.executescript(OLD)
    older.close()

    for _ in range(2):
        store = Store(path)
        account, line, applied = (
            store.account("owner"),
            store.line("owner", "USDC", "issuer"),
            store.applied("abc"),
        )
        store.close()

    assert account
    assert line
    assert applied
    assert (account.sequence, account.balance, account.subentries, account.sponsoring) == (
        12,
        50_000_000,
        1,
        0,
    )
    assert (account.master, account.low, account.medium, account.high, account.flags) == (1, 0, 0, 0, 0)
    assert account.available == 5 * UNIT - 3 * UNIT // 2
    assert (line.balance, line.ceiling, line.is_authorized) == (30, 90, True)
    assert (applied.codes, applied.document) == (("op_success",), {"hash": "abc"})


def test_a_file_is_opened_again_with_all_its_state(path: Path) -> None:
    owner = Keypair.random().public_key
    for _ in range(2):
        store = Store(path)
        ledger = Ledger(store)
        if store.account(owner) is None:
            ledger.fund(owner)
        account, latest = store.account(owner), ledger.latest()
        ledger.stop()
        store.close()

    assert account
    assert (account.balance, latest.sequence) == (FRIENDBOT_GIFT, 2)


def test_tables_of_others_are_undone_with_the_rest(path: Path) -> None:
    store = Store(path)
    store.declare("CREATE TABLE IF NOT EXISTS note (text TEXT NOT NULL) STRICT;")

    with store.transaction():
        store.execute("INSERT INTO note VALUES (?)", ("kept",))
        store.savepoint()
        store.execute("INSERT INTO note VALUES (?)", ("undone",))
        store.undo()
        store.release()
    with pytest.raises(LookupError):
        _write_and_fail(store)
    store.close()

    again = Store(path)
    assert [tuple(row) for row in again.execute("SELECT text FROM note").fetchall()] == [("kept",)]
    again.close()


def _write_and_fail(store: Store) -> None:
    with store.transaction():
        store.execute("INSERT INTO note VALUES (?)", ("lost",))
        raise LookupError
