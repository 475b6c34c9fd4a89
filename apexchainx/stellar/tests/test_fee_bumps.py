"""A fee bump pays for somebody else's transaction, and both hashes lead to the one record."""

import pytest
from stellar_sdk import (
    Asset,
    FeeBumpTransaction,
    FeeBumpTransactionEnvelope,
    Keypair,
    Server,
    TransactionBuilder,
    TransactionEnvelope,
    xdr,
)
from stellar_sdk.exceptions import BadRequestError

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay

XLM = Asset.native()


def bumped(
    inner: TransactionEnvelope, payer: Keypair, fee: int, *signers: Keypair
) -> FeeBumpTransactionEnvelope:
    bump = FeeBumpTransactionEnvelope(FeeBumpTransaction(payer, fee, inner), PASSPHRASE)
    for signer in signers or (payer,):
        bump.sign(signer)
    return bump


def inner_words(error: BadRequestError) -> tuple[str, str, list[str]]:
    codes = (error.extras or {})["result_codes"]
    return codes["transaction"], codes.get("inner_transaction", ""), codes.get("operations", [])


@pytest.fixture
def source(server: Server) -> Keypair:
    return bench.funded(server)


@pytest.fixture
def payer(server: Server) -> Keypair:
    return bench.funded(server)


def test_it_pays_for_its_operations_and_one_more(server: Server, source: Keypair, payer: Keypair) -> None:
    inner = bench.signed(server, source, pay(payer, XLM, "1"), pay(payer, XLM, "2"))
    number = bench.sequence(server, payer)

    answer = bench.post(server, bumped(inner, payer, 5000))

    assert (answer["fee_charged"], answer["max_fee"], answer["operation_count"]) == ("300", "5000", 2)
    assert (answer["source_account"], answer["fee_account"]) == (source.public_key, payer.public_key)
    assert bench.balances(server, source) == {"XLM": "9997.0000000"}
    assert bench.balances(server, payer) == {"XLM": "10002.9999700"}
    assert (bench.sequence(server, source), bench.sequence(server, payer)) == (
        inner.transaction.sequence,
        number,
    )


def test_the_result_holds_the_inner_one(server: Server, source: Keypair, payer: Keypair) -> None:
    inner = bench.signed(server, source, pay(payer, XLM, "1"))

    answer = bench.post(server, bumped(inner, payer, 400))

    result = xdr.TransactionResult.from_xdr(answer["result_xdr"])
    pair = result.result.inner_result_pair
    assert pair
    assert (result.fee_charged.int64, result.result.code.name) == (200, "txFEE_BUMP_INNER_SUCCESS")
    assert pair.transaction_hash.hash == inner.hash()
    assert (pair.result.fee_charged.int64, pair.result.result.code.name) == (0, "txSUCCESS")
    assert len(pair.result.result.results or ()) == 1


def test_both_hashes_find_the_record(server: Server, source: Keypair, payer: Keypair) -> None:
    inner = bench.signed(server, source, pay(payer, XLM, "1"), base_fee=150)
    bump = bumped(inner, payer, 400)
    answer = bench.post(server, bump)

    outer = server.transactions().transaction(bump.hash_hex()).call()
    within = server.transactions().transaction(inner.hash_hex()).call()

    assert outer == answer
    assert (outer["id"], outer["hash"]) == (bump.hash_hex(), bump.hash_hex())
    assert outer["fee_bump_transaction"] == {"hash": bump.hash_hex(), "signatures": outer["signatures"]}
    assert outer["inner_transaction"] == {
        "hash": inner.hash_hex(),
        "signatures": within["signatures"],
        "max_fee": "150",
    }
    assert (within["id"], within["hash"]) == (inner.hash_hex(), inner.hash_hex())
    own = ("_links", "id", "hash", "signatures")
    assert {name: each for name, each in outer.items() if name not in own} == {
        name: each for name, each in within.items() if name not in own
    }
    assert TransactionBuilder.from_xdr(within["envelope_xdr"], PASSPHRASE) == bump


def test_neither_is_applied_again(server: Server, source: Keypair, payer: Keypair) -> None:
    inner = bench.signed(server, source, pay(payer, XLM, "1"))
    bump = bumped(inner, payer, 400)
    first = bench.post(server, bump)

    again, within = bench.post(server, bump), bench.post(server, inner)

    assert again == first
    assert (within["hash"], within["paging_token"]) == (inner.hash_hex(), first["paging_token"])
    assert bench.balances(server, source) == {"XLM": "9999.0000000"}


def test_a_failure_inside_uses_number_and_fee(server: Server, source: Keypair, payer: Keypair) -> None:
    inner = bench.signed(server, source, pay(payer, XLM, "1"), pay(Keypair.random(), XLM, "1"))
    bump = bumped(inner, payer, 600)

    error = bench.refused(server, bump)

    expected = ("tx_fee_bump_inner_failed", "tx_failed", ["op_success", "op_no_destination"])
    assert inner_words(error) == expected
    assert bench.sequence(server, source) == inner.transaction.sequence
    assert bench.balances(server, source) == {"XLM": "10000.0000000"}
    assert bench.balances(server, payer) == {"XLM": "9999.9999700"}
    for envelope in (bump, inner):
        assert inner_words(bench.refused(server, envelope)) == expected
    kept = server.transactions().transaction(bump.hash_hex()).call()
    assert (kept["successful"], kept["fee_charged"], kept["result_xdr"]) == (False, "300", error.result_xdr)
    assert bench.balances(server, payer) == {"XLM": "9999.9999700"}


def test_what_is_wrong_with_the_inner_one_is_named(server: Server, source: Keypair, payer: Keypair) -> None:
    inner = bench.signed(server, source, pay(payer, XLM, "1"))
    bench.send(server, source, pay(payer, XLM, "2"))
    bump = bumped(inner, payer, 400)

    error = bench.refused(server, bump)

    assert inner_words(error) == ("tx_fee_bump_inner_failed", "tx_bad_seq", [])
    assert bench.balances(server, payer) == {"XLM": "10002.0000000"}
    assert not bench.is_known(server, inner)


def test_the_inner_one_need_not_pay_anything(server: Server, source: Keypair, payer: Keypair) -> None:
    inner = bench.signed(server, source, pay(payer, XLM, "1"), base_fee=0)

    assert bench.words(bench.refused(server, inner)) == ("tx_insufficient_fee", [])
    assert bench.post(server, bumped(inner, payer, 200))["fee_charged"] == "200"


@pytest.mark.parametrize(("base_fee", "fee", "needed"), [(100, 199, 200), (300, 599, 600), (301, 601, 602)])
def test_it_must_offer_enough(
    server: Server, source: Keypair, payer: Keypair, base_fee: int, fee: int, needed: int
) -> None:
    inner = bench.signed(server, source, pay(payer, XLM, "1"), base_fee=base_fee)

    error = bench.refused(server, bumped(inner, payer, fee))

    assert bench.words(error) == ("tx_insufficient_fee", [])
    assert bench.decoded(error.result_xdr) == ("txINSUFFICIENT_FEE", [], needed)
    assert not bench.is_known(server, inner)
    assert bench.post(server, bumped(inner, payer, needed))["fee_charged"] == "200"


def test_who_pays_must_exist_sign_and_have_it(server: Server, source: Keypair, payer: Keypair) -> None:
    inner, stranger = bench.signed(server, source, pay(payer, XLM, "1")), Keypair.random()

    refusals = [
        bumped(inner, stranger, 400),
        bumped(inner, payer, 400, source),
        bumped(inner, payer, 100_000_000_000),
        bumped(inner, payer, 400, payer, stranger),
    ]

    assert [bench.words(bench.refused(server, each)) for each in refusals] == [
        ("tx_no_source_account", []),
        ("tx_bad_auth", []),
        ("tx_insufficient_balance", []),
        ("tx_bad_auth_extra", []),
    ]
    assert bench.balances(server, payer) == {"XLM": "10000.0000000"}
    assert bench.post(server, inner)["successful"] is True


def test_who_signs_the_inner_one_has_not_signed_the_bump(
    server: Server, source: Keypair, payer: Keypair
) -> None:
    inner = bench.built(server, source, pay(payer, XLM, "1"))
    inner.sign(payer)

    error = bench.refused(server, bumped(inner, payer, 400))

    assert inner_words(error) == ("tx_fee_bump_inner_failed", "tx_bad_auth", [])


def test_one_account_may_bump_its_own(server: Server, source: Keypair, payer: Keypair) -> None:
    inner = bench.signed(server, source, pay(payer, XLM, "1"))

    bench.post(server, bumped(inner, source, 400))

    assert bench.balances(server, source) == {"XLM": "9998.9999800"}


def test_its_history_belongs_to_payer_and_source(server: Server, source: Keypair, payer: Keypair) -> None:
    other = bench.funded(server)
    bump = bumped(bench.signed(server, source, pay(other, XLM, "1")), payer, 400)
    bench.post(server, bump)

    def hashes(owner: Keypair) -> list[str]:
        page = server.transactions().for_account(owner.public_key).order(desc=True).limit(1).call()
        return [each["hash"] for each in page["_embedded"]["records"]]

    assert hashes(payer) == hashes(source) == hashes(other) == [bump.hash_hex()]
