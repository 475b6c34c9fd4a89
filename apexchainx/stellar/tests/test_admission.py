"""What is refused before a ledger costs nothing, leaves no trace, and is judged in stellar-core's order."""

import base64
import time
from collections.abc import Callable

import pytest
import requests
from stellar_sdk import (
    Account,
    Asset,
    CreateAccount,
    Inflation,
    Keypair,
    Network,
    Server,
    TransactionBuilder,
    TransactionEnvelope,
)

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.tests import bench

XLM = Asset.native()


def poor(server: Server) -> Keypair:
    """An account that has its reserve, and not a stroop above it."""
    keypair = Keypair.random()
    bench.send(server, bench.funded(server), CreateAccount(keypair.public_key, "1"))
    return keypair


def numbered(source: Keypair, sequence: int, passphrase: str = PASSPHRASE) -> TransactionEnvelope:
    builder = TransactionBuilder(Account(source.public_key, sequence - 1), passphrase).add_time_bounds(0, 0)
    envelope = builder.append_operation(bench.pay(source, XLM, "1")).build()
    envelope.sign(source)
    return envelope


def empty(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.signed(server, source)


def too_early(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.signed(server, source, bench.pay(source, XLM, "1"), bounds=(int(time.time()) + 60, 0))


def too_late(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.signed(server, source, bench.pay(source, XLM, "1"), bounds=(0, int(time.time()) - 60))


def cheap(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.signed(server, source, *[bench.pay(source, XLM, "1")] * 3, base_fee=99)


def without_account(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.signed(server, Keypair.random(), bench.pay(source, XLM, "1"))


def repeated_number(server: Server, source: Keypair) -> TransactionEnvelope:
    return numbered(source, bench.sequence(server, source))


def skipped_number(server: Server, source: Keypair) -> TransactionEnvelope:
    return numbered(source, bench.sequence(server, source) + 2)


def unsigned(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.built(server, source, bench.pay(source, XLM, "1"))


def signed_by_another(server: Server, source: Keypair) -> TransactionEnvelope:
    envelope = unsigned(server, source)
    envelope.sign(Keypair.random())
    return envelope


def forged(server: Server, source: Keypair) -> TransactionEnvelope:
    """The right hint, and a signature of something else."""
    envelope = bench.signed(server, source, bench.pay(source, XLM, "1"))
    envelope.signatures[0].signature = source.sign(b"something else")
    return envelope


def cut_short(server: Server, source: Keypair) -> TransactionEnvelope:
    envelope = bench.signed(server, source, bench.pay(source, XLM, "1"))
    envelope.signatures[0].signature = envelope.signatures[0].signature[:63]
    return envelope


def for_another_network(server: Server, source: Keypair) -> TransactionEnvelope:
    return numbered(source, bench.sequence(server, source) + 1, Network.TESTNET_NETWORK_PASSPHRASE)


def unable_to_pay_the_fee(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.signed(server, poor(server), bench.pay(source, XLM, "1"))


def acting_for_another(server: Server, source: Keypair) -> TransactionEnvelope:
    operation = bench.pay(source, XLM, "1", source=bench.funded(server))
    return bench.signed(server, source, bench.pay(source, XLM, "1"), operation)


def paying_nothing(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.signed(server, source, bench.pay(source, XLM, "0"), bench.pay(source, XLM, "1"))


def unknown_operation(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.signed(server, source, Inflation())


def signed_too_often(server: Server, source: Keypair) -> TransactionEnvelope:
    envelope = bench.signed(server, source, bench.pay(source, XLM, "1"))
    envelope.sign(Keypair.random())
    return envelope


@pytest.mark.parametrize(
    ("made", "words", "result"),
    [
        (empty, ("tx_missing_operation", []), ("txMISSING_OPERATION", [], 0)),
        (too_early, ("tx_too_early", []), ("txTOO_EARLY", [], 0)),
        (too_late, ("tx_too_late", []), ("txTOO_LATE", [], 0)),
        (cheap, ("tx_insufficient_fee", []), ("txINSUFFICIENT_FEE", [], 300)),
        (without_account, ("tx_no_source_account", []), ("txNO_ACCOUNT", [], 0)),
        (repeated_number, ("tx_bad_seq", []), ("txBAD_SEQ", [], 0)),
        (skipped_number, ("tx_bad_seq", []), ("txBAD_SEQ", [], 0)),
        (unsigned, ("tx_bad_auth", []), ("txBAD_AUTH", [], 0)),
        (signed_by_another, ("tx_bad_auth", []), ("txBAD_AUTH", [], 0)),
        (forged, ("tx_bad_auth", []), ("txBAD_AUTH", [], 0)),
        (cut_short, ("tx_bad_auth", []), ("txBAD_AUTH", [], 0)),
        (for_another_network, ("tx_bad_auth", []), ("txBAD_AUTH", [], 0)),
        (unable_to_pay_the_fee, ("tx_insufficient_balance", []), ("txINSUFFICIENT_BALANCE", [], 0)),
        (
            acting_for_another,
            ("tx_failed", ["op_success", "op_bad_auth"]),
            ("txFAILED", ["PAYMENT_SUCCESS", "opBAD_AUTH"], 0),
        ),
        (
            paying_nothing,
            ("tx_failed", ["op_malformed", "op_success"]),
            ("txFAILED", ["PAYMENT_MALFORMED", "PAYMENT_SUCCESS"], 0),
        ),
        (unknown_operation, ("tx_failed", ["op_not_supported"]), ("txFAILED", ["opNOT_SUPPORTED"], 0)),
        (signed_too_often, ("tx_bad_auth_extra", []), ("txBAD_AUTH_EXTRA", [], 0)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_may_not_enter_is_refused_and_leaves_no_trace(
    server: Server,
    made: Callable[[Server, Keypair], TransactionEnvelope],
    words: tuple[str, list[str]],
    result: tuple[str, list[str], int],
) -> None:
    source = bench.funded(server)
    envelope = made(server, source)
    before = bench.sequence(server, source), bench.balances(server, source)

    error = bench.refused(server, envelope)

    assert (error.status, bench.words(error)) == (400, words)
    assert (error.extras or {})["envelope_xdr"] == envelope.to_xdr()
    assert bench.decoded(error.result_xdr) == result
    assert (bench.sequence(server, source), bench.balances(server, source)) == before
    assert not bench.is_known(server, envelope)


def test_of_several_faults_the_first_in_order_is_named(server: Server) -> None:
    """Each step mends what the step before was refused for."""
    rich, reserve_only, stranger = bench.funded(server), poor(server), Keypair.random()

    def made(mended: int) -> TransactionEnvelope:
        source = stranger if mended < 5 else reserve_only if mended < 8 else rich
        operations = [] if mended < 1 else [bench.pay(rich, XLM, "0" if mended < 9 else "1")]
        bounds = (4_000_000_000, 0) if mended < 2 else (0, 1) if mended < 3 else (0, 0)
        envelope = bench.built(server, source, *operations, base_fee=99 if mended < 4 else 100, bounds=bounds)
        if mended < 6:
            envelope.transaction.sequence += 1
        if mended >= 7:
            envelope.sign(source)
        if mended < 10:
            envelope.sign(stranger)
        return envelope

    codes = [bench.words(bench.refused(server, made(mended)))[0] for mended in range(10)]

    assert codes == [
        "tx_missing_operation",
        "tx_too_early",
        "tx_too_late",
        "tx_insufficient_fee",
        "tx_no_source_account",
        "tx_bad_seq",
        "tx_bad_auth",
        "tx_insufficient_balance",
        "tx_failed",
        "tx_bad_auth_extra",
    ]
    assert bench.post(server, made(10))["successful"] is True


def test_both_ends_of_the_time_bounds_belong_to_them(server: Server) -> None:
    source, now = bench.funded(server), int(time.time())

    answer = bench.post(
        server, bench.signed(server, source, bench.pay(source, XLM, "1"), bounds=(now, now + 60))
    )

    assert answer["preconditions"] == {"timebounds": {"min_time": str(now), "max_time": str(now + 60)}}


def test_a_fee_above_the_minimum_is_a_bid_and_not_the_price(server: Server) -> None:
    source = bench.funded(server)

    answer = bench.post(server, bench.signed(server, source, bench.pay(source, XLM, "1"), base_fee=5000))

    assert (answer["fee_charged"], answer["max_fee"]) == ("100", "5000")
    assert bench.balances(server, source) == {"XLM": "9999.9999900"}


def test_an_operation_for_another_account_needs_its_signature_too(server: Server) -> None:
    source, other = bench.funded(server), bench.funded(server)
    envelope = bench.built(server, source, bench.pay(source, XLM, "5", source=other))
    envelope.sign(source)
    envelope.sign(other)
    sequence = bench.sequence(server, other)

    bench.post(server, envelope)

    assert bench.balances(server, source) == {"XLM": "10004.9999900"}
    assert bench.balances(server, other) == {"XLM": "9995.0000000"}
    assert bench.sequence(server, other) == sequence


@pytest.mark.parametrize("text", ["AAAA", "%%%", "A" * 400, "AAAAAgAAAAA=", "\N{SNOWMAN}", "\0"])
def test_what_is_no_envelope_is_malformed(sandbox: str, text: str) -> None:
    answer = requests.post(f"{sandbox}/transactions", {"tx": text}, timeout=5)

    assert answer.status_code == 400
    assert answer.json()["type"] == "https://stellar.org/horizon-errors/transaction_malformed"
    assert answer.json()["title"] == "Transaction Malformed"


def test_an_envelope_with_more_behind_it_is_malformed(server: Server, sandbox: str) -> None:
    source = bench.funded(server)
    envelope = bench.signed(server, source, bench.pay(source, XLM, "1"))
    longer = base64.b64encode(envelope.to_xdr_object().to_xdr_bytes() + bytes(4))

    answer = requests.post(f"{sandbox}/transactions", {"tx": longer}, timeout=5)

    assert (answer.status_code, answer.json()["title"]) == (400, "Transaction Malformed")
    assert not bench.is_known(server, envelope)


def test_a_hundred_operations_fit_into_one_transaction(server: Server) -> None:
    source = bench.funded(server)

    answer = bench.post(server, bench.signed(server, source, *[bench.pay(source, XLM, "1")] * 100))

    assert (answer["operation_count"], answer["fee_charged"]) == (100, "10000")
