"""What operations do inside a ledger, all of a transaction or none."""

from collections.abc import Callable

import pytest
import requests
from stellar_sdk import (
    Asset,
    BumpSequence,
    ChangeTrust,
    CreateAccount,
    Keypair,
    LiquidityPoolAsset,
    MuxedAccount,
    Payment,
    Server,
)
from stellar_sdk.operation import Operation

from apexchainx.stellar.sandbox.operations import reserves
from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import burn, pay

XLM = Asset.native()
STRANGER = Keypair.random()
PAYER = Keypair.random()


@pytest.fixture
def payer(server: Server, usdc: Asset, mint: Keypair) -> Keypair:
    """10,000 XLM less one fee, and 100 USDC."""
    payer = bench.holder(server, usdc)
    bench.send(server, mint, pay(payer, usdc, "100"))
    return payer


def to_nobody(server: Server, usdc: Asset) -> Operation:
    return pay(STRANGER, usdc, "1")


def native_to_nobody(server: Server, usdc: Asset) -> Operation:
    return pay(STRANGER, XLM, "1")


def without_trustline(server: Server, usdc: Asset) -> Operation:
    return pay(bench.funded(server), usdc, "1")


def over_the_limit(server: Server, usdc: Asset) -> Operation:
    return pay(bench.holder(server, usdc, limit="0.9999999"), usdc, "1")


def more_than_held(server: Server, usdc: Asset) -> Operation:
    return pay(bench.holder(server, usdc), usdc, "100.0000001")


def into_the_reserve(server: Server, usdc: Asset) -> Operation:
    """9,999.99999 XLM less a fee of 0.00002 and a reserve of 1.5 are one stroop too little."""
    return pay(bench.funded(server), XLM, "9998.4999701")


def never_held(server: Server, usdc: Asset) -> Operation:
    other = Asset("EURT", usdc.issuer)
    receiver = bench.funded(server)
    bench.send(server, receiver, ChangeTrust(other))
    return pay(receiver, other, "1")


def never_held_and_without_trustline(server: Server, usdc: Asset) -> Operation:
    return pay(bench.funded(server), Asset("EURT", usdc.issuer), "1")


def never_held_and_over_the_limit(server: Server, usdc: Asset) -> Operation:
    other = Asset("EURT", usdc.issuer)
    receiver = bench.funded(server)
    bench.send(server, receiver, ChangeTrust(other, "1"))
    return pay(receiver, other, "2")


def never_held_but_to_the_issuer(server: Server, usdc: Asset) -> Operation:
    return burn(Asset("EURT", usdc.issuer), "1")


def limit_below_balance(server: Server, usdc: Asset) -> Operation:
    return ChangeTrust(usdc, "99.9999998")


def nothing_to_remove(server: Server, usdc: Asset) -> Operation:
    return ChangeTrust(Asset("EURT", usdc.issuer), "0")


def nobody_issues(server: Server, usdc: Asset) -> Operation:
    return ChangeTrust(Asset("EURT", STRANGER.public_key))


def there_already(server: Server, usdc: Asset) -> Operation:
    return CreateAccount(usdc.issuer or "", "1")


def below_the_reserve(server: Server, usdc: Asset) -> Operation:
    return CreateAccount(STRANGER.public_key, "0.9999999")


def more_than_available(server: Server, usdc: Asset) -> Operation:
    return CreateAccount(STRANGER.public_key, "9998.4999701")


@pytest.mark.parametrize(
    ("made", "codes"),
    [
        (to_nobody, ("op_no_destination", "PAYMENT_NO_DESTINATION")),
        (native_to_nobody, ("op_no_destination", "PAYMENT_NO_DESTINATION")),
        (without_trustline, ("op_no_trust", "PAYMENT_NO_TRUST")),
        (over_the_limit, ("op_line_full", "PAYMENT_LINE_FULL")),
        (more_than_held, ("op_underfunded", "PAYMENT_UNDERFUNDED")),
        (into_the_reserve, ("op_underfunded", "PAYMENT_UNDERFUNDED")),
        (never_held, ("op_src_no_trust", "PAYMENT_SRC_NO_TRUST")),
        (never_held_and_without_trustline, ("op_no_trust", "PAYMENT_NO_TRUST")),
        (never_held_and_over_the_limit, ("op_line_full", "PAYMENT_LINE_FULL")),
        (never_held_but_to_the_issuer, ("op_src_no_trust", "PAYMENT_SRC_NO_TRUST")),
        (limit_below_balance, ("op_invalid_limit", "CHANGE_TRUST_INVALID_LIMIT")),
        (nothing_to_remove, ("op_invalid_limit", "CHANGE_TRUST_INVALID_LIMIT")),
        (nobody_issues, ("op_no_issuer", "CHANGE_TRUST_NO_ISSUER")),
        (there_already, ("op_already_exists", "CREATE_ACCOUNT_ALREADY_EXIST")),
        (below_the_reserve, ("op_low_reserve", "CREATE_ACCOUNT_LOW_RESERVE")),
        (more_than_available, ("op_underfunded", "CREATE_ACCOUNT_UNDERFUNDED")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_failed_operation_undoes_the_others_but_not_fee_and_number(
    server: Server,
    payer: Keypair,
    usdc: Asset,
    made: Callable[[Server, Asset], Operation],
    codes: tuple[str, str],
) -> None:
    (word, code), operation = codes, made(server, usdc)
    envelope = bench.signed(server, payer, burn(usdc, "0.0000001"), operation)
    sequence = bench.sequence(server, payer)

    error = bench.refused(server, envelope)

    assert (error.status, bench.words(error)) == (400, ("tx_failed", ["op_success", word]))
    assert bench.decoded(error.result_xdr) == ("txFAILED", ["PAYMENT_SUCCESS", code], 200)
    assert bench.balances(server, payer) == {"USDC": "100.0000000", "XLM": "9999.9999700"}
    assert bench.sequence(server, payer) == sequence + 1
    kept = server.transactions().transaction(envelope.hash_hex()).call()
    assert (kept["successful"], kept["fee_charged"]) == (False, "200")
    assert kept["result_xdr"] == error.result_xdr


@pytest.mark.parametrize(
    ("operation", "codes"),
    [
        (ChangeTrust(Asset.native()), ("op_malformed", "CHANGE_TRUST_MALFORMED")),
        (
            ChangeTrust(LiquidityPoolAsset(XLM, Asset("USDC", STRANGER.public_key))),
            ("op_malformed", "CHANGE_TRUST_MALFORMED"),
        ),
        (ChangeTrust(Asset("USDC", PAYER.public_key)), ("op_malformed", "CHANGE_TRUST_MALFORMED")),
        (CreateAccount(PAYER.public_key, "1"), ("op_malformed", "CREATE_ACCOUNT_MALFORMED")),
        (BumpSequence(-1), ("op_bad_seq", "BUMP_SEQUENCE_BAD_SEQ")),
        (pay(STRANGER, XLM, "0"), ("op_malformed", "PAYMENT_MALFORMED")),
    ],
)
def test_what_is_wrong_in_itself_never_reaches_a_ledger(
    server: Server, sandbox: str, operation: Operation, codes: tuple[str, str]
) -> None:
    (word, code), url = codes, f"{sandbox}/friendbot"
    requests.get(url, {"addr": PAYER.public_key}, timeout=5).raise_for_status()
    envelope = bench.signed(server, PAYER, operation)

    error = bench.refused(server, envelope)

    assert bench.words(error) == ("tx_failed", [word])
    assert bench.decoded(error.result_xdr) == ("txFAILED", [code], 0)
    assert bench.balances(server, PAYER) == {"XLM": "10000.0000000"}
    assert not bench.is_known(server, envelope)


def test_an_operation_of_an_account_that_does_not_exist_fails_in_the_ledger(
    server: Server, payer: Keypair
) -> None:
    envelope = bench.signed(server, payer, pay(payer, XLM, "1", source=STRANGER))
    envelope.sign(STRANGER)

    error = bench.refused(server, envelope)

    assert bench.words(error) == ("tx_failed", ["op_no_source_account"])
    assert bench.decoded(error.result_xdr) == ("txFAILED", ["opNO_ACCOUNT"], 100)
    assert bench.is_known(server, envelope)


def test_from_the_issuer_it_mints_and_to_the_issuer_it_burns(
    server: Server, usdc: Asset, mint: Keypair, payer: Keypair
) -> None:
    bench.send(server, mint, pay(payer, usdc, "922337203585.4775807"))
    bench.send(server, payer, burn(usdc, "922337203685.4775806"))

    assert bench.balances(server, payer)["USDC"] == "0.0000001"
    assert bench.balances(server, mint) == {"XLM": "9999.9999800"}


def test_a_payment_between_holders_moves_exactly_its_amount(
    server: Server, usdc: Asset, payer: Keypair
) -> None:
    first = bench.holder(server, usdc, limit="30.0000001")
    second = bench.holder(server, usdc)

    bench.send(server, payer, pay(first, usdc, "30.0000001"))
    bench.send(server, payer, pay(second, usdc, "69.9999999"))

    assert bench.balances(server, first)["USDC"] == "30.0000001"
    assert bench.balances(server, second)["USDC"] == "69.9999999"
    assert bench.balances(server, payer)["USDC"] == "0.0000000"


def test_everything_above_the_reserve_may_be_spent(server: Server, payer: Keypair, mint: Keypair) -> None:
    bench.send(server, payer, pay(mint, XLM, "9998.4999800"))

    assert bench.balances(server, payer)["XLM"] == "1.5000000"
    assert bench.balances(server, mint)["XLM"] == "19998.4999700"


def test_a_native_payment_to_oneself_only_costs_the_fee(server: Server, payer: Keypair) -> None:
    bench.send(server, payer, pay(payer, XLM, "99999999"))

    assert bench.balances(server, payer)["XLM"] == "9999.9999800"


def test_a_muxed_address_is_paid_as_the_account_behind_it(server: Server, payer: Keypair) -> None:
    receiver = bench.funded(server)
    muxed = MuxedAccount(receiver.public_key, 42)

    answer = bench.send(server, payer, Payment(muxed, XLM, "5"))

    assert answer["successful"] is True
    assert bench.balances(server, receiver) == {"XLM": "10005.0000000"}


def test_later_operations_see_what_earlier_ones_did(server: Server, payer: Keypair) -> None:
    bench.send(server, payer, CreateAccount(STRANGER.public_key, "1"), pay(STRANGER, XLM, "2"))

    assert bench.balances(server, STRANGER) == {"XLM": "3.0000000"}


def test_a_new_account_begins_at_its_ledger(server: Server, payer: Keypair) -> None:
    answer = bench.send(server, payer, CreateAccount(STRANGER.public_key, "1"))

    assert bench.sequence(server, STRANGER) == answer["ledger"] << 32
    assert bench.balances(server, STRANGER) == {"XLM": "1.0000000"}
    assert bench.balances(server, payer)["XLM"] == "9998.9999800"


def test_a_trustline_is_made_changed_and_removed(server: Server, usdc: Asset) -> None:
    owner, seen = bench.funded(server), []
    for limit in (None, "5", "0"):
        bench.send(server, owner, ChangeTrust(usdc, limit))
        account = server.accounts().account_id(owner.public_key).call()
        lines = [row["limit"] for row in account["balances"] if row["asset_type"] != "native"]
        seen.append((account["subentry_count"], lines))

    assert seen == [(1, ["922337203685.4775807"]), (1, ["5.0000000"]), (0, [])]


def test_a_trustline_needs_its_reserve(server: Server, usdc: Asset, payer: Keypair) -> None:
    """1.5 XLM are the reserve of an account with one line: one fee above them is one stroop too little."""
    owner = Keypair.random()
    bench.send(server, payer, CreateAccount(owner.public_key, "1.5000099"))

    error = bench.refused(server, bench.signed(server, owner, ChangeTrust(usdc)))

    assert bench.words(error) == ("tx_failed", ["op_low_reserve"])
    assert bench.decoded(error.result_xdr) == ("txFAILED", ["CHANGE_TRUST_LOW_RESERVE"], 100)
    bench.send(server, payer, pay(owner, XLM, "0.0000101"))
    assert bench.send(server, owner, ChangeTrust(usdc))["successful"] is True
    assert bench.balances(server, owner) == {"USDC": "0.0000000", "XLM": "1.5000000"}


def test_an_account_holds_only_so_many_trustlines(
    server: Server, usdc: Asset, payer: Keypair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserves, "MAXIMUM_ENTRIES", 1)

    error = bench.refused(server, bench.signed(server, payer, ChangeTrust(Asset("EURT", usdc.issuer))))

    assert bench.words(error) == ("tx_failed", ["op_too_many_subentries"])
    assert bench.decoded(error.result_xdr) == ("txFAILED", ["opTOO_MANY_SUBENTRIES"], 100)


def test_a_number_can_be_bumped_forward_and_never_back(server: Server, payer: Keypair) -> None:
    sequence = bench.sequence(server, payer)

    bench.send(server, payer, BumpSequence(sequence + 10))
    assert bench.sequence(server, payer) == sequence + 10

    bench.send(server, payer, BumpSequence(sequence))
    assert bench.sequence(server, payer) == sequence + 11
