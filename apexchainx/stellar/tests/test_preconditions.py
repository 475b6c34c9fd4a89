"""When a transaction may enter a ledger by its own word; and muxed accounts, which only records show."""

import time
from typing import Any

import pytest
from stellar_sdk import (
    Account,
    AccountMerge,
    Asset,
    BumpSequence,
    FeeBumpTransaction,
    FeeBumpTransactionEnvelope,
    Keypair,
    LedgerBounds,
    MuxedAccount,
    Payment,
    Preconditions,
    Server,
    SignedPayloadSigner,
    SignerKey,
    TimeBounds,
    TransactionBuilder,
    TransactionEnvelope,
)

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay

XLM = Asset.native()


@pytest.fixture
def source(server: Server) -> Keypair:
    return bench.funded(server)


def latest(server: Server) -> int:
    page = server.ledgers().order(desc=True).limit(1).call()
    return int(page["_embedded"]["records"][0]["sequence"])


def conditional(
    server: Server, source: Keypair, conditions: Preconditions, *signers: Keypair, ahead: int = 0
) -> TransactionEnvelope:
    envelope = bench.built(server, source, BumpSequence(0))
    envelope.transaction.preconditions = conditions
    envelope.transaction.sequence += ahead
    for each in signers or (source,):
        envelope.sign(each)
    return envelope


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (1, 2, ""),
        (0, 0, ""),
        (-1, 2, ""),
        (2, 0, "tx_too_early"),
        (0, 1, "tx_too_late"),
        (-1, 1, "tx_too_late"),
    ],
)
def test_ledger_bounds_count_from_the_next_ledger(
    server: Server, source: Keypair, low: int, high: int, word: str
) -> None:
    newest = latest(server)
    bounds = LedgerBounds(newest + low if low else 0, newest + high if high else 0)
    envelope = conditional(server, source, Preconditions(ledger_bounds=bounds))

    if word:
        assert bench.words(bench.refused(server, envelope)) == (word, [])
        assert not bench.is_known(server, envelope)
    else:
        shown = bench.post(server, envelope)["preconditions"]["ledgerbounds"]
        assert shown["min_ledger"] == bounds.min_ledger
        assert shown.get("max_ledger", 0) == bounds.max_ledger


def test_a_least_number_lets_others_be_left_out(server: Server, source: Keypair) -> None:
    number = bench.sequence(server, source)
    conditions = Preconditions(min_sequence_number=number)

    answer = bench.post(server, conditional(server, source, conditions, ahead=5))

    assert bench.sequence(server, source) == number + 6
    assert answer["preconditions"] == {"min_account_sequence": str(number)}
    again = conditional(server, source, conditions, ahead=-2)
    assert bench.words(bench.refused(server, again)) == ("tx_bad_seq", [])
    above = conditional(server, source, Preconditions(min_sequence_number=number + 7), ahead=5)
    assert bench.words(bench.refused(server, above)) == ("tx_bad_seq", [])


def test_a_gap_is_waited_for(server: Server, source: Keypair) -> None:
    bench.send(server, source, BumpSequence(0))
    envelope = conditional(server, source, Preconditions(min_sequence_ledger_gap=3))
    seen = []
    for _ in range(3):
        seen.append(latest(server))
        if len(seen) < 3:
            assert bench.words(bench.refused(server, envelope)) == ("tx_bad_minseq_age_or_gap", [])
            bench.close(server)

    answer = bench.post(server, envelope)

    assert answer["preconditions"] == {"min_account_sequence_ledger_gap": 3}
    assert answer["ledger"] == seen[0] + 3


def test_an_age_is_waited_for(server: Server, source: Keypair) -> None:
    bench.send(server, source, BumpSequence(0))
    envelope = conditional(server, source, Preconditions(min_sequence_age=3600))

    error = bench.refused(server, envelope)

    assert bench.words(error) == ("tx_bad_minseq_age_or_gap", [])
    assert bench.decoded(error.result_xdr) == ("txBAD_MIN_SEQ_AGE_OR_GAP", [], 0)
    bench.settings(server, clock_offset_seconds=3600)
    assert bench.post(server, envelope)["preconditions"] == {"min_account_sequence_age": "3600"}


def test_an_account_says_when_its_number_was_used(server: Server, source: Keypair) -> None:
    answer = bench.send(server, source, BumpSequence(0))

    shown = server.accounts().account_id(source.public_key).call()

    assert shown["sequence_ledger"] == answer["ledger"]
    assert abs(int(shown["sequence_time"]) - time.time()) < 60


def test_extra_signers_must_sign(server: Server, source: Keypair) -> None:
    witness = Keypair.random()
    conditions = Preconditions(extra_signers=[SignerKey.ed25519_public_key(witness.public_key)])

    alone = conditional(server, source, conditions)
    assert bench.words(bench.refused(server, alone)) == ("tx_bad_auth", [])

    answer = bench.post(server, conditional(server, source, conditions, source, witness))
    assert answer["preconditions"] == {"extra_signers": [witness.public_key]}


def test_a_signed_payload_is_an_extra_signature(server: Server, source: Keypair) -> None:
    witness, payload = Keypair.random(), b"a payload"
    key = SignerKey.ed25519_signed_payload(SignedPayloadSigner(witness.public_key, payload))
    envelope = conditional(server, source, Preconditions(extra_signers=[key]))

    assert bench.words(bench.refused(server, envelope)) == ("tx_bad_auth", [])
    envelope.signatures.append(witness.sign_payload_decorated(payload))

    assert bench.post(server, envelope)["successful"] is True


def test_the_same_extra_signer_twice_makes_no_sense(server: Server, source: Keypair) -> None:
    conditions = Preconditions(extra_signers=[SignerKey.ed25519_public_key(source.public_key)] * 2)

    error = bench.refused(server, conditional(server, source, conditions))

    assert bench.words(error) == ("tx_malformed", [])


def test_the_first_number_of_a_ledger_is_nobodys(server: Server, source: Keypair) -> None:
    """An account that was made in that ledger would have it, too."""
    first = (latest(server) + 2) << 32
    bench.send(server, source, BumpSequence(first - 1))
    envelope = bench.signed(server, source, BumpSequence(0))
    assert envelope.transaction.sequence == first

    assert bench.words(bench.refused(server, envelope)) == ("tx_bad_seq", [])


def test_all_conditions_stand_in_the_record(server: Server, source: Keypair) -> None:
    conditions = Preconditions(
        TimeBounds(1, 4_000_000_000), LedgerBounds(1, 1_000_000), bench.sequence(server, source), 1, 1
    )
    bench.settings(server, clock_offset_seconds=10)

    answer = bench.post(server, conditional(server, source, conditions))

    assert answer["preconditions"] == {
        "timebounds": {"min_time": "1", "max_time": "4000000000"},
        "ledgerbounds": {"min_ledger": 1, "max_ledger": 1_000_000},
        "min_account_sequence": str(conditions.min_sequence_number),
        "min_account_sequence_age": "1",
        "min_account_sequence_ledger_gap": 1,
    }


def muxed_fields(record: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in record.items() if "muxed" in name}


def test_muxed_accounts_are_shown_beside_the_accounts(server: Server, source: Keypair) -> None:
    """The same number, and so the same signatures, belong to the account behind all of them."""
    receiver = bench.funded(server)
    one, two = MuxedAccount(source.public_key, 1), MuxedAccount(source.public_key, 2)
    three = MuxedAccount(receiver.public_key, 3)
    account = Account(one, bench.sequence(server, source))
    builder = TransactionBuilder(account, PASSPHRASE).add_time_bounds(0, 0)
    builder.append_operation(Payment(three, XLM, "5", source=two))
    builder.append_operation(pay(receiver, XLM, "1"))
    envelope = builder.build()
    envelope.sign(source)
    bump = FeeBumpTransactionEnvelope(FeeBumpTransaction(three, 600, envelope), PASSPHRASE)
    bump.sign(receiver)

    answer = bench.post(server, bump)

    assert (answer["source_account"], answer["fee_account"]) == (source.public_key, receiver.public_key)
    assert muxed_fields(answer) == {
        "account_muxed": one.account_muxed,
        "account_muxed_id": "1",
        "fee_account_muxed": three.account_muxed,
        "fee_account_muxed_id": "3",
    }
    page = server.operations().for_transaction(bump.hash_hex()).call()
    first, second = page["_embedded"]["records"]
    assert (first["from"], first["to"]) == (source.public_key, receiver.public_key)
    assert muxed_fields(first) == {
        "source_account_muxed": two.account_muxed,
        "source_account_muxed_id": "2",
        "from_muxed": two.account_muxed,
        "from_muxed_id": "2",
        "to_muxed": three.account_muxed,
        "to_muxed_id": "3",
    }
    assert muxed_fields(second) == {
        "source_account_muxed": one.account_muxed,
        "source_account_muxed_id": "1",
        "from_muxed": one.account_muxed,
        "from_muxed_id": "1",
    }
    assert bench.balances(server, receiver) == {"XLM": "10005.9999700"}


def test_an_account_ends_in_a_muxed_one(server: Server, source: Keypair) -> None:
    heir = bench.funded(server)

    bench.send(server, source, AccountMerge(MuxedAccount(heir.public_key, 9)))

    assert bench.balances(server, heir) == {"XLM": "19999.9999900"}
