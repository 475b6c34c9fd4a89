"""Whatever happens, nothing comes from nowhere and nothing is lost."""

import random
from pathlib import Path

import pytest
from stellar_sdk import (
    Account,
    Asset,
    BumpSequence,
    ChangeTrust,
    CreateAccount,
    Keypair,
    Payment,
    TransactionBuilder,
    TransactionEnvelope,
)
from stellar_sdk.operation import Operation

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.amounts import TOTAL, UNIT, as_text
from apexchainx.stellar.sandbox.ledger import Ledger
from apexchainx.stellar.sandbox.operations import source_of
from apexchainx.stellar.sandbox.store import Applied, Store
from apexchainx.stellar.tests.bench import burn, pay

XLM = Asset.native()
EXPECTED = {
    "op_success",
    "op_underfunded",
    "op_line_full",
    "op_no_trust",
    "op_src_no_trust",
    "op_no_destination",
    "op_invalid_limit",
    "op_already_exists",
    "op_low_reserve",
    "op_malformed",
    "tx_bad_seq",
}


def random_operation(chance: random.Random, owners: list[Keypair], usdc: Asset) -> Operation:
    """Any operation of anybody, often one that is bound to fail."""
    source, other = chance.choice(owners), chance.choice([*owners, new(chance)])
    most = chance.choice([2, UNIT, 20_000 * UNIT, 2**63])
    amount, name = as_text(chance.randrange(most)), source.public_key
    return chance.choice(
        [
            pay(other, usdc, amount, source),
            pay(other, XLM, amount, source),
            burn(usdc, amount, source),
            Payment(other.public_key, usdc, amount, usdc.issuer),
            ChangeTrust(usdc, chance.choice([None, None, amount, "0"]), name),
            CreateAccount(other.public_key, amount, name),
            BumpSequence(chance.randrange(2**42), name),
        ]
    )


def random_envelope(
    chance: random.Random, owners: list[Keypair], usdc: Asset, store: Store
) -> TransactionEnvelope:
    """One to three operations, mostly with the right number, signed by whom they need."""
    source = chance.choice(owners)
    account = store.account(source.public_key)
    assert account
    sequence = account.sequence - (chance.random() < 0.05)
    builder = TransactionBuilder(Account(source.public_key, sequence), PASSPHRASE).add_time_bounds(0, 0)
    for _ in range(chance.choice([1, 1, 2, 3])):
        builder.append_operation(random_operation(chance, owners, usdc))
    envelope = builder.build()
    needed = {source.public_key, *(source_of(each, envelope) for each in envelope.transaction.operations)}
    for owner in owners:
        if owner.public_key in needed:
            envelope.sign(owner)
    return envelope


def minted(envelope: TransactionEnvelope, usdc: Asset) -> int:
    """What the payments of a transaction add to that which is held of the asset."""
    change = 0
    for each in envelope.transaction.operations:
        if isinstance(each, Payment) and each.asset == usdc:
            stroops = int(each.amount.replace(".", ""))
            change += stroops * (source_of(each, envelope) == usdc.issuer)
            change -= stroops * (each.destination.account_id == usdc.issuer)
    return change


def new(chance: random.Random) -> Keypair:
    return Keypair.from_raw_ed25519_seed(chance.randbytes(32))


def totals(store: Store) -> list[int]:
    """Of XLM and of what is held of the asset."""
    return [
        store._db.execute(query).fetchone()[0]
        for query in ("SELECT sum(balance) FROM account", "SELECT coalesce(sum(balance), 0) FROM line")
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_transactions_keep_both_assets_whole(tmp_path: Path, seed: int) -> None:
    chance, store = random.Random(seed), Store(tmp_path / "ledger.sqlite3")  # noqa: S311 - repeatable
    ledger, owners = Ledger(store), [new(chance) for _ in range(5)]
    usdc = Asset("USDC", owners[0].public_key)
    for owner in owners:
        ledger.fund(owner.public_key)
    fees, issued, seen = 100 * len(owners), 0, set[str]()

    for _ in range(200):
        envelope = random_envelope(chance, owners, usdc, store)
        outcome = ledger.submit(envelope.to_xdr())
        if isinstance(outcome, Applied):
            fees += 100 * len(envelope.transaction.operations)
            issued += minted(envelope, usdc) if outcome.successful else 0
            seen.update(outcome.codes)
        else:
            seen.update((outcome.code, *outcome.operations))
        assert totals(store) == [TOTAL - fees, issued]

    assert issued > 0
    assert seen >= EXPECTED, EXPECTED - seen
    ledger.stop()
    store.close()
