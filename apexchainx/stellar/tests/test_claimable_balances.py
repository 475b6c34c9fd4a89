"""Money that is set aside for somebody: who may claim it, when, and what it does to balances and reserves."""

from collections.abc import Callable
from typing import Any

import pytest
from stellar_sdk import (
    Asset,
    ChangeTrust,
    Claimant,
    ClaimClaimableBalance,
    ClaimPredicate,
    CreateAccount,
    CreateClaimableBalance,
    Keypair,
    Server,
)
from stellar_sdk.exceptions import NotFoundError

from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay

XLM = Asset.native()
LATER, EARLIER = 4_000_000_000, 1_000_000_000
before = ClaimPredicate.predicate_before_absolute_time
within = ClaimPredicate.predicate_before_relative_time
either, both, never = (
    ClaimPredicate.predicate_or,
    ClaimPredicate.predicate_and,
    ClaimPredicate.predicate_not,
)


@pytest.fixture
def giver(server: Server, usdc: Asset, mint: Keypair) -> Keypair:
    giver = bench.holder(server, usdc)
    bench.send(server, mint, pay(giver, usdc, "100"))
    return giver


@pytest.fixture
def taker(server: Server, usdc: Asset) -> Keypair:
    return bench.holder(server, usdc)


def gift(
    asset: Asset, amount: str, *takers: Keypair, when: ClaimPredicate | None = None
) -> CreateClaimableBalance:
    return CreateClaimableBalance(asset, amount, [Claimant(each.public_key, when) for each in takers])


def given(server: Server, giver: Keypair, operation: CreateClaimableBalance) -> str:
    """Its id, as the SDK computes it."""
    envelope = bench.signed(server, giver, operation)
    bench.post(server, envelope)
    return envelope.transaction.get_claimable_balance_id(0)


def found(server: Server, id_: str) -> dict[str, Any]:
    return dict(server.claimable_balances().claimable_balance(id_).call())


def is_there(server: Server, id_: str) -> bool:
    try:
        return bool(found(server, id_))
    except NotFoundError:
        return False


def account(server: Server, owner: Keypair) -> dict[str, Any]:
    return dict(server.accounts().account_id(owner.public_key).call())


def claim_refusal(server: Server, taker: Keypair, id_: str) -> tuple[str, list[str]]:
    envelope = bench.signed(server, taker, ClaimClaimableBalance(id_))
    return bench.words(bench.refused(server, envelope))


def test_it_moves_the_amount_when_it_is_made_and_when_it_is_claimed(
    server: Server, usdc: Asset, giver: Keypair, taker: Keypair
) -> None:
    id_ = given(server, giver, gift(usdc, "30.5", taker))

    assert bench.balances(server, giver)["USDC"] == "69.5000000"
    assert bench.balances(server, taker)["USDC"] == "0.0000000"
    assert is_there(server, id_)

    bench.send(server, taker, ClaimClaimableBalance(id_))

    assert bench.balances(server, taker)["USDC"] == "30.5000000"
    assert not is_there(server, id_)
    assert claim_refusal(server, taker, id_) == ("tx_failed", ["op_does_not_exist"])


def test_its_record_says_for_whom_and_when(
    server: Server, usdc: Asset, giver: Keypair, taker: Keypair
) -> None:
    answer = bench.send(server, giver, gift(usdc, "30", taker, when=either(before(60), never(before(50)))))

    (record,) = server.claimable_balances().for_claimant(taker.public_key).call()["_embedded"]["records"]

    record.pop("_links", None)
    assert record == {
        "id": record["id"],
        "asset": f"USDC:{usdc.issuer}",
        "amount": "30.0000000",
        "sponsor": giver.public_key,
        "last_modified_ledger": answer["ledger"],
        "last_modified_time": answer["created_at"],
        "claimants": [
            {
                "destination": taker.public_key,
                "predicate": {
                    "or": [
                        {"abs_before": "1970-01-01T00:01:00Z", "abs_before_epoch": "60"},
                        {"not": {"abs_before": "1970-01-01T00:00:50Z", "abs_before_epoch": "50"}},
                    ]
                },
            }
        ],
        "flags": {"clawback_enabled": False},
        "paging_token": record["paging_token"],
    }


def test_what_is_relative_counts_from_the_ledger_that_made_it(
    server: Server, giver: Keypair, taker: Keypair
) -> None:
    id_ = given(server, giver, gift(XLM, "1", taker, when=within(100)))

    predicate = found(server, id_)["claimants"][0]["predicate"]

    closed = server.ledgers().ledger(found(server, id_)["last_modified_ledger"]).call()["closed_at"]
    operation = server.operations().for_account(giver.public_key).order(desc=True).limit(1).call()
    assert predicate["abs_before"][:17] >= closed[:17]
    assert operation["_embedded"]["records"][0]["claimants"] == [
        {"destination": taker.public_key, "predicate": {"rel_before": "100"}}
    ]


def test_its_operations_name_amount_and_claimant(
    server: Server, usdc: Asset, giver: Keypair, taker: Keypair
) -> None:
    id_ = given(server, giver, gift(usdc, "30", taker))
    bench.send(server, taker, ClaimClaimableBalance(id_))

    page = server.operations().for_account(taker.public_key).order(desc=True).limit(2).call()

    claimed, made = page["_embedded"]["records"]
    assert (made["type"], made["type_i"]) == ("create_claimable_balance", 14)
    assert (made["asset"], made["amount"]) == (f"USDC:{usdc.issuer}", "30.0000000")
    assert (claimed["type"], claimed["type_i"]) == ("claim_claimable_balance", 15)
    assert (claimed["balance_id"], claimed["claimant"]) == (id_, taker.public_key)


def test_lists_are_by_claimant_sponsor_and_asset(
    server: Server, usdc: Asset, giver: Keypair, taker: Keypair
) -> None:
    other = bench.funded(server)
    first = given(server, giver, gift(usdc, "1", taker))
    second = given(server, giver, gift(XLM, "2", other, taker))
    third = given(server, other, gift(XLM, "3", giver))

    def ids(page: dict[str, Any]) -> list[str]:
        return [each["id"] for each in page["_embedded"]["records"]]

    everything = server.claimable_balances()
    assert ids(everything.call()) == [first, second, third]
    assert ids(server.claimable_balances().for_claimant(taker.public_key).call()) == [first, second]
    assert ids(server.claimable_balances().for_claimant(other.public_key).call()) == [second]
    assert ids(server.claimable_balances().for_sponsor(giver.public_key).call()) == [first, second]
    assert ids(server.claimable_balances().for_asset(usdc).call()) == [first]
    assert ids(server.claimable_balances().for_asset(XLM).order(desc=True).call()) == [third, second]


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        (ClaimPredicate.predicate_unconditional(), True),
        (before(LATER), True),
        (before(EARLIER), False),
        (within(1000), True),
        (within(2**63 - 1), True),
        (within(0), False),
        (never(before(EARLIER)), True),
        (never(within(1000)), False),
        (both(before(LATER), never(before(EARLIER))), True),
        (both(before(LATER), before(EARLIER)), False),
        (either(before(EARLIER), within(1000)), True),
        (either(before(EARLIER), never(before(LATER))), False),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_predicate_says_when(
    server: Server, giver: Keypair, taker: Keypair, when: ClaimPredicate, is_open: bool
) -> None:
    id_ = given(server, giver, gift(XLM, "5", taker, when=when))
    envelope = bench.signed(server, taker, ClaimClaimableBalance(id_))

    if is_open:
        bench.post(server, envelope)
        assert bench.balances(server, taker)["XLM"] == "10004.9999800"
    else:
        assert bench.words(bench.refused(server, envelope)) == ("tx_failed", ["op_cannot_claim"])
        assert bench.balances(server, taker)["XLM"] == "9999.9999800"
    assert is_there(server, id_) is not is_open


def nested(depth: int) -> ClaimPredicate:
    predicate = ClaimPredicate.predicate_unconditional()
    for _ in range(depth - 1):
        predicate = never(predicate)
    return predicate


def test_only_a_claimant_claims(server: Server, usdc: Asset, giver: Keypair, taker: Keypair) -> None:
    id_ = given(server, giver, gift(usdc, "1", taker))

    assert claim_refusal(server, giver, id_) == ("tx_failed", ["op_cannot_claim"])
    assert is_there(server, id_)


def test_whoever_claims_needs_room_for_it(
    server: Server, usdc: Asset, giver: Keypair, taker: Keypair
) -> None:
    without, narrow = bench.funded(server), bench.holder(server, usdc, limit="0.9999999")
    id_ = given(server, giver, gift(usdc, "1", without, narrow))

    assert claim_refusal(server, without, id_) == ("tx_failed", ["op_no_trust"])
    assert claim_refusal(server, narrow, id_) == ("tx_failed", ["op_line_full"])
    assert is_there(server, id_)


def test_the_issuer_sets_new_money_aside_and_takes_it_back(
    server: Server, usdc: Asset, mint: Keypair
) -> None:
    id_ = given(server, mint, gift(usdc, "7", mint))
    assert is_there(server, id_)

    bench.send(server, mint, ClaimClaimableBalance(id_))

    assert bench.balances(server, mint) == {"XLM": "9999.9999800"}


def test_each_claimant_costs_the_giver_a_reserve_until_it_is_claimed(
    server: Server, usdc: Asset, giver: Keypair, taker: Keypair
) -> None:
    id_ = given(server, giver, gift(usdc, "1", taker, giver))

    assert (account(server, giver)["num_sponsoring"], account(server, giver)["subentry_count"]) == (2, 1)
    assert account(server, taker)["num_sponsoring"] == 0
    rest = pay(taker, XLM, "9997.4999701")
    assert bench.words(bench.refused(server, bench.signed(server, giver, rest))) == (
        "tx_failed",
        ["op_underfunded"],
    )

    bench.send(server, taker, ClaimClaimableBalance(id_))

    assert account(server, giver)["num_sponsoring"] == 0


def empty_handed(server: Server, usdc: Asset, giver: Keypair) -> tuple[Keypair, CreateClaimableBalance]:
    return giver, gift(usdc, "100.0000001", giver)


def without_trustline(server: Server, usdc: Asset, giver: Keypair) -> tuple[Keypair, CreateClaimableBalance]:
    return bench.funded(server), gift(usdc, "1", giver)


def into_the_reserve(server: Server, usdc: Asset, giver: Keypair) -> tuple[Keypair, CreateClaimableBalance]:
    """The 10,000 XLM less 0.00001 for the fee and 1 for the account itself."""
    return bench.funded(server), gift(XLM, "9998.9999901", giver)


def into_the_new_reserve(
    server: Server, usdc: Asset, giver: Keypair
) -> tuple[Keypair, CreateClaimableBalance]:
    return bench.funded(server), gift(XLM, "9998.4999901", giver)


Case = Callable[[Server, Asset, Keypair], tuple[Keypair, CreateClaimableBalance]]


@pytest.mark.parametrize(
    ("made", "word"),
    [
        (empty_handed, "op_underfunded"),
        (without_trustline, "op_no_trust"),
        (into_the_reserve, "op_underfunded"),
        (into_the_new_reserve, "op_low_reserve"),
    ],
)
def test_nobody_sets_aside_what_he_has_not(
    server: Server, usdc: Asset, giver: Keypair, made: Case, word: str
) -> None:
    source, operation = made(server, usdc, giver)
    envelope = bench.signed(server, source, operation)
    held = {**bench.balances(server, source), "XLM": "9999.9999900"}

    error = bench.refused(server, envelope)

    assert bench.words(error) == ("tx_failed", [word])
    assert not is_there(server, envelope.transaction.get_claimable_balance_id(0))
    assert bench.balances(server, source) | {"XLM": "9999.9999900"} == held


def test_what_is_left_may_be_set_aside_to_the_last_stroop(server: Server, taker: Keypair) -> None:
    source = Keypair.random()
    bench.send(server, taker, CreateAccount(source.public_key, "2.50001"))

    id_ = given(server, source, gift(XLM, "1", taker))

    assert is_there(server, id_)
    assert bench.balances(server, source) == {"XLM": "1.5000000"}


@pytest.mark.parametrize(
    "claimants",
    [
        [],
        [Claimant(Keypair.random().public_key, before(-1))],
        [Claimant(Keypair.random().public_key, never(within(-1)))],
        [Claimant(Keypair.random().public_key, nested(5))],
        [Claimant("GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7")] * 2,
    ],
    ids=["nobody", "negative time", "negative span", "too deep", "twice the same"],
)
def test_what_makes_no_sense_never_reaches_a_ledger(server: Server, claimants: list[Claimant]) -> None:
    source = bench.funded(server)
    envelope = bench.signed(server, source, CreateClaimableBalance(XLM, "1", claimants))

    error = bench.refused(server, envelope)

    assert bench.words(error) == ("tx_failed", ["op_malformed"])
    assert bench.decoded(error.result_xdr) == ("txFAILED", ["CREATE_CLAIMABLE_BALANCE_MALFORMED"], 0)
    assert not bench.is_known(server, envelope)


def test_four_levels_are_not_too_deep(server: Server, giver: Keypair, taker: Keypair) -> None:
    assert is_there(server, given(server, giver, gift(XLM, "1", taker, when=nested(4))))


def test_nothing_is_no_amount(server: Server, giver: Keypair, taker: Keypair) -> None:
    error = bench.refused(server, bench.signed(server, giver, gift(XLM, "0", taker)))

    assert bench.words(error) == ("tx_failed", ["op_malformed"])


def test_a_failed_transaction_sets_nothing_aside(
    server: Server, usdc: Asset, giver: Keypair, taker: Keypair
) -> None:
    envelope = bench.signed(server, giver, gift(usdc, "1", taker), ChangeTrust(usdc, "0"))

    error = bench.refused(server, envelope)

    assert bench.words(error) == ("tx_failed", ["op_success", "op_invalid_limit"])
    assert not is_there(server, envelope.transaction.get_claimable_balance_id(0))
    assert (bench.balances(server, giver)["USDC"], account(server, giver)["num_sponsoring"]) == (
        "100.0000000",
        0,
    )
