"""The tables of the sandbox ledger's SQLite file, and how an older file comes to have them."""

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
CREATE TABLE IF NOT EXISTS signer (
    address TEXT NOT NULL REFERENCES account, key TEXT NOT NULL,
    weight INTEGER NOT NULL CHECK (weight BETWEEN 1 AND 255), PRIMARY KEY (address, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS datum (
    address TEXT NOT NULL REFERENCES account, name TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (address, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claimable (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, asset TEXT NOT NULL,
    stroops INTEGER NOT NULL CHECK (stroops > 0), sponsor TEXT NOT NULL REFERENCES account,
    claimants INTEGER NOT NULL CHECK (claimants > 0), document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS claimable_by_sponsor ON claimable (sponsor);
CREATE TABLE IF NOT EXISTS claimant (
    address TEXT NOT NULL, number INTEGER NOT NULL REFERENCES claimable ON DELETE CASCADE,
    PRIMARY KEY (address, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claimant_by_number ON claimant (number);
"""
STEPS = (
    """
ALTER TABLE account ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN home_domain TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN master INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account ADD COLUMN low INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN medium INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN high INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN sequence_ledger INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN sequence_time INTEGER NOT NULL DEFAULT 0;
ALTER TABLE line ADD COLUMN flags INTEGER NOT NULL DEFAULT 1;
ALTER TABLE applied ADD COLUMN inner_hash TEXT;
CREATE UNIQUE INDEX applied_by_inner_hash ON applied (inner_hash) WHERE inner_hash IS NOT NULL;
""",
)
