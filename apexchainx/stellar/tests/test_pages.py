"""Lists, page by page, as the SDK turns them."""

from typing import Any

import pytest
from stellar_sdk import Asset, Keypair, Server

from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay

XLM = Asset.native()


def amounts(page: dict[str, Any]) -> list[str]:
    """The creation of the account itself has a starting balance and no amount."""
    return [record.get("amount", "created")[:1] for record in page["_embedded"]["records"]]


def hashes(page: dict[str, Any]) -> list[str]:
    return [record["hash"] for record in page["_embedded"]["records"]]


@pytest.fixture
def holder(server: Server, usdc: Asset, mint: Keypair) -> Keypair:
    """It was paid 1 to 5 USDC, in five ledgers."""
    holder = bench.holder(server, usdc)
    for amount in range(1, 6):
        bench.send(server, mint, pay(holder, usdc, str(amount)))
    return holder


def test_payments_are_paged_both_ways_and_to_the_end(server: Server, holder: Keypair) -> None:
    pages = server.payments().for_account(holder.public_key).order(desc=True).limit(2)

    assert amounts(pages.call()) == ["5", "4"]
    assert amounts(pages.next()) == ["3", "2"]
    assert amounts(pages.prev()) == ["4", "5"]
    pages.call()
    assert [amounts(pages.next()) for _ in range(4)] == [["3", "2"], ["1", "c"], [], []]


def test_pages_of_one_hold_every_record_once(server: Server, holder: Keypair) -> None:
    whole = server.payments().limit(200).call()["_embedded"]["records"]
    pages = server.payments().limit(1)

    walked = pages.call()["_embedded"]["records"]
    while page := pages.next()["_embedded"]["records"]:
        walked += page

    assert walked == whole
    assert len(whole) == 7


def test_who_begins_now_sees_what_comes_later(
    server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    pages = server.payments().for_account(holder.public_key).cursor("now")
    assert amounts(pages.call()) == []
    assert amounts(pages.next()) == []

    bench.send(server, mint, pay(holder, usdc, "9"))

    assert amounts(pages.next()) == ["9"]
    assert amounts(pages.next()) == []


def test_pages_backwards_from_now_begin_with_the_latest(server: Server, holder: Keypair) -> None:
    pages = server.payments().for_account(holder.public_key).cursor("now").order(desc=True).limit(1)

    assert amounts(pages.call()) == ["5"]


def test_what_failed_is_listed_only_where_it_is_asked_for(
    server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    failing = bench.signed(server, mint, pay(holder, usdc, "6"), pay(bench.funded(server), usdc, "7"))
    bench.refused(server, failing)

    without = server.payments().for_account(holder.public_key).order(desc=True).limit(1)
    including = server.payments().for_account(holder.public_key).order(desc=True).limit(1)
    including.include_failed(True)

    assert amounts(without.call()) == ["5"]
    (record,) = including.call()["_embedded"]["records"]
    assert (record["amount"], record["transaction_successful"]) == ("6.0000000", False)
    assert amounts(including.next()) == ["5"]
    assert amounts(including.prev()) == ["6"]


def test_transactions_are_listed_for_everybody_concerned(
    server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    first = bench.send(server, mint, pay(holder, usdc, "6"))
    other = bench.funded(server)
    second = bench.send(server, other, pay(holder, XLM, "1"))

    def listed(owner: Keypair) -> list[str]:
        return hashes(server.transactions().for_account(owner.public_key).order(desc=True).limit(2).call())

    assert listed(holder) == [second["hash"], first["hash"]]
    assert listed(mint)[0] == first["hash"]
    assert listed(other)[0] == second["hash"]
    assert hashes(server.transactions().order(desc=True).limit(1).call()) == [second["hash"]]


def test_ledgers_are_paged(server: Server) -> None:
    pages = server.ledgers().limit(1)

    assert pages.call()["_embedded"]["records"][0]["sequence"] == 1
    assert pages.next()["_embedded"]["records"][0]["sequence"] == 2
