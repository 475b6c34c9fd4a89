"""Whose signatures suffice for what: signers, weights and thresholds."""

import hashlib
from typing import Any

import pytest
from stellar_sdk import (
    Asset,
    BumpSequence,
    ChangeTrust,
    CreateAccount,
    Keypair,
    ManageData,
    Server,
    SetOptions,
    Signer,
    TransactionEnvelope,
)
from stellar_sdk.operation import Operation

from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay

XLM = Asset.native()
PREIMAGE = b"open sesame"
BAD_AUTH: tuple[str, list[str]] = ("tx_bad_auth", [])
OPERATION_BAD_AUTH = ("tx_failed", ["op_bad_auth"])


@pytest.fixture
def owner(server: Server) -> Keypair:
    return bench.funded(server)


@pytest.fixture
def helper() -> Keypair:
    """A key that has no account."""
    return Keypair.random()


def shared(server: Server, owner: Keypair, *helpers: Keypair, weight: int = 1, **options: int) -> None:
    """The helpers may sign for the owner, too."""
    signers = [SetOptions(signer=Signer.ed25519_public_key(each.public_key, weight)) for each in helpers]
    bench.send(server, owner, *signers, SetOptions(**options))  # type: ignore[arg-type]


def made(server: Server, source: Keypair, *operations: Operation, by: list[Keypair]) -> TransactionEnvelope:
    envelope = bench.built(server, source, *operations)
    for each in by:
        envelope.sign(each)
    return envelope


def account(server: Server, owner: Keypair) -> dict[str, Any]:
    return dict(server.accounts().account_id(owner.public_key).call())


def test_the_account_shows_who_may_sign(server: Server, owner: Keypair, helper: Keypair) -> None:
    thresholds = {"low_threshold": 1, "med_threshold": 2, "high_threshold": 3}
    shared(server, owner, helper, weight=7, master_weight=9, **thresholds)

    shown = account(server, owner)

    assert shown["signers"] == [
        {"weight": 7, "key": helper.public_key, "type": "ed25519_public_key"},
        {"weight": 9, "key": owner.public_key, "type": "ed25519_public_key"},
    ]
    assert shown["thresholds"] == thresholds
    assert shown["subentry_count"] == 1


def test_a_signer_is_changed_and_taken_away(server: Server, owner: Keypair, helper: Keypair) -> None:
    shared(server, owner, helper)
    seen = []
    for weight in (255, 0, 0):
        shared(server, owner, helper, weight=weight)
        shown = account(server, owner)
        seen.append((shown["subentry_count"], [each["weight"] for each in shown["signers"]]))

    assert seen == [(1, [255, 1]), (0, [1]), (0, [1])]


def test_one_of_several_signs_where_that_weighs_enough(
    server: Server, owner: Keypair, helper: Keypair
) -> None:
    shared(server, owner, helper)

    bench.post(server, made(server, owner, pay(owner, XLM, "1"), by=[helper]))

    both = made(server, owner, pay(owner, XLM, "1"), by=[owner, helper])
    assert bench.words(bench.refused(server, both)) == ("tx_bad_auth_extra", [])


LOW = BumpSequence(0)
MEDIUM = ManageData("name", "value")
HIGH = SetOptions(low_threshold=1)


@pytest.mark.parametrize(
    ("operation", "needed"),
    [
        (LOW, 1),
        (MEDIUM, 2),
        (pay(Keypair.random(), XLM, "1"), 2),
        (SetOptions(home_domain="example.org"), 2),
        (HIGH, 3),
        (SetOptions(master_weight=1), 3),
        (SetOptions(signer=Signer.sha256_hash(bytes(32), 1)), 3),
    ],
    ids=["bump", "data", "pay", "domain", "threshold", "weight", "signer"],
)
def test_an_operation_needs_its_threshold(
    server: Server, owner: Keypair, operation: Operation, needed: int
) -> None:
    helpers = [Keypair.random(), Keypair.random()]
    shared(server, owner, *helpers, low_threshold=1, med_threshold=2, high_threshold=3)
    signers = [owner, *helpers]
    sequence = bench.sequence(server, owner)

    if needed > 1:
        short = made(server, owner, operation, by=signers[: needed - 1])
        assert bench.words(bench.refused(server, short)) == OPERATION_BAD_AUTH
        assert bench.sequence(server, owner) == sequence
    enough = made(server, owner, operation, by=signers[:needed])
    if isinstance(operation, SetOptions | BumpSequence | ManageData):
        assert bench.post(server, enough)["successful"] is True
    else:
        assert bench.words(bench.refused(server, enough)) == ("tx_failed", ["op_no_destination"])
    assert bench.sequence(server, owner) == sequence + 1


def test_a_transaction_as_such_needs_the_low_threshold(
    server: Server, owner: Keypair, helper: Keypair
) -> None:
    shared(server, owner, helper, low_threshold=2, med_threshold=2, high_threshold=2)

    alone = made(server, owner, LOW, by=[owner])

    assert bench.words(bench.refused(server, alone)) == BAD_AUTH
    assert bench.post(server, made(server, owner, LOW, by=[owner, helper]))["successful"] is True


def test_a_signature_counts_once(server: Server, owner: Keypair) -> None:
    shared(server, owner, med_threshold=2)
    envelope = made(server, owner, MEDIUM, by=[owner])
    envelope.signatures *= 2

    assert bench.words(bench.refused(server, envelope)) == OPERATION_BAD_AUTH


def test_an_own_key_without_weight_no_longer_signs(server: Server, owner: Keypair, helper: Keypair) -> None:
    shared(server, owner, helper, master_weight=0)

    assert bench.words(bench.refused(server, made(server, owner, LOW, by=[owner]))) == BAD_AUTH
    assert bench.post(server, made(server, owner, LOW, by=[helper]))["successful"] is True
    assert [each["weight"] for each in account(server, owner)["signers"]] == [1, 0]


def test_where_nothing_is_needed_somebody_must_sign_still(server: Server, owner: Keypair) -> None:
    assert account(server, owner)["thresholds"]["low_threshold"] == 0
    assert bench.words(bench.refused(server, made(server, owner, LOW, by=[]))) == BAD_AUTH


def test_an_operation_for_another_account_needs_that_accounts_weights(
    server: Server, owner: Keypair, helper: Keypair
) -> None:
    other = bench.funded(server)
    shared(server, other, helper, med_threshold=2)
    payment = pay(owner, XLM, "1", source=other)

    short = made(server, owner, payment, by=[owner, other])
    assert bench.words(bench.refused(server, short)) == OPERATION_BAD_AUTH

    bench.post(server, made(server, owner, payment, by=[owner, other, helper]))
    assert bench.balances(server, other) == {"XLM": "9998.9999800"}


def test_a_preimage_signs(server: Server, owner: Keypair) -> None:
    key = Signer.sha256_hash(hashlib.sha256(PREIMAGE).digest(), 1)
    bench.send(server, owner, SetOptions(signer=key, master_weight=0))
    envelope = bench.built(server, owner, LOW)

    envelope.sign_hashx(b"open barley")
    assert bench.words(bench.refused(server, envelope)) == BAD_AUTH

    envelope.signatures.clear()
    envelope.sign_hashx(PREIMAGE)
    assert bench.post(server, envelope)["successful"] is True
    assert account(server, owner)["signers"][0] == {
        "weight": 1,
        "key": key.signer_key.encoded_signer_key,
        "type": "sha256_hash",
    }


@pytest.mark.parametrize("destination", [None, Keypair.random()], ids=["successful", "failed"])
def test_a_transaction_that_was_authorized_before_needs_no_signature_and_is_used_up(
    server: Server, owner: Keypair, destination: Keypair | None
) -> None:
    envelope = bench.built(server, owner, pay(destination or owner, XLM, "1"))
    envelope.transaction.sequence += 1
    bench.send(server, owner, SetOptions(signer=Signer.pre_auth_tx(envelope.hash(), 1)))
    assert account(server, owner)["signers"][0]["type"] == "preauth_tx"

    if destination is None:
        assert bench.post(server, envelope)["successful"] is True
    else:
        assert bench.words(bench.refused(server, envelope)) == ("tx_failed", ["op_no_destination"])

    assert bench.sequence(server, owner) == envelope.transaction.sequence
    assert [each["key"] for each in account(server, owner)["signers"]] == [owner.public_key]


def test_a_signer_needs_its_reserve(server: Server, owner: Keypair, helper: Keypair) -> None:
    poor, option = Keypair.random(), SetOptions(signer=Signer.ed25519_public_key(helper.public_key, 1))
    bench.send(server, owner, CreateAccount(poor.public_key, "1.5000099"))

    error = bench.refused(server, bench.signed(server, poor, option))

    assert bench.words(error) == ("tx_failed", ["op_low_reserve"])
    assert len(account(server, poor)["signers"]) == 1
    bench.send(server, owner, pay(poor, XLM, "0.0000101"))
    assert bench.send(server, poor, option)["successful"] is True


def test_twenty_signers_are_enough(server: Server, owner: Keypair) -> None:
    shared(server, owner, *[Keypair.random() for _ in range(20)])
    more = SetOptions(signer=Signer.ed25519_public_key(Keypair.random().public_key, 1))

    error = bench.refused(server, bench.signed(server, owner, more))

    assert bench.words(error) == ("tx_failed", ["op_too_many_signers"])
    assert account(server, owner)["subentry_count"] == 20


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"master_weight": 256}, "op_threshold_out_of_range"),
        ({"high_threshold": 256}, "op_threshold_out_of_range"),
        ({"home_domain": "b\xfccher.example"}, "op_invalid_home_domain"),
        ({"signer": Signer.sha256_hash(bytes(32), 256)}, "op_bad_signer"),
    ],
)
def test_options_that_make_no_sense_never_reach_a_ledger(
    server: Server, owner: Keypair, options: dict[str, Any], word: str
) -> None:
    envelope = bench.signed(server, owner, SetOptions(**options))

    assert bench.words(bench.refused(server, envelope)) == ("tx_failed", [word])
    assert not bench.is_known(server, envelope)


def test_nobody_is_his_own_signer(server: Server, owner: Keypair) -> None:
    envelope = bench.signed(server, owner, SetOptions(signer=Signer.ed25519_public_key(owner.public_key, 2)))

    assert bench.words(bench.refused(server, envelope)) == ("tx_failed", ["op_bad_signer"])


def test_signers_do_not_stop_a_trustline_from_counting(
    server: Server, usdc: Asset, owner: Keypair, helper: Keypair
) -> None:
    shared(server, owner, helper)
    bench.send(server, owner, ChangeTrust(usdc), ManageData("name", b"\x00\xff"))

    shown = account(server, owner)

    assert shown["subentry_count"] == 3
    assert shown["data"] == {"name": "AP8="}


def test_the_record_shows_what_was_set(server: Server, owner: Keypair, helper: Keypair) -> None:
    signer = Signer.ed25519_public_key(helper.public_key, 3)
    bench.send(server, owner, SetOptions(home_domain="example.org", low_threshold=1, signer=signer))

    page = server.operations().for_account(owner.public_key).order(desc=True).limit(1).call()
    (record,) = page["_embedded"]["records"]

    assert (record["type"], record["type_i"]) == ("set_options", 5)
    assert (record["home_domain"], record["low_threshold"]) == ("example.org", 1)
    assert (record["signer_key"], record["signer_weight"]) == (helper.public_key, 3)
    assert account(server, owner)["home_domain"] == "example.org"
