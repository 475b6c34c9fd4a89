"""Lists, page by page, as the SDK turns them."""

from typing import Any

import pytest
import requests
from stellar_sdk import Asset, Claimant, CreateClaimableBalance, Keypair, Server, SetOptions, Signer

from apexchainx.stellar.sandbox.ledger import ROOT
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


# Lists of one ledger, one transaction, an asset, a signer


def test_a_ledger_has_its_own_lists(server: Server, holder: Keypair) -> None:
    stranger = bench.funded(server)
    failing = bench.signed(server, holder, pay(stranger, XLM, "1"), pay(Keypair.random(), XLM, "1"))
    bench.refused(server, failing)
    sequence = server.ledgers().order(desc=True).limit(1).call()["_embedded"]["records"][0]["sequence"]

    def number(listed: Any) -> int:
        return len(listed.call()["_embedded"]["records"])

    assert server.ledgers().ledger(sequence).call()["failed_transaction_count"] == 1
    assert number(server.transactions().for_ledger(sequence)) == 0
    assert number(server.transactions().for_ledger(sequence).include_failed(True)) == 1
    assert number(server.operations().for_ledger(sequence).include_failed(True)) == 2
    assert number(server.payments().for_ledger(sequence - 1)) == 1
    assert number(server.operations().for_ledger(sequence - 1)) == 1


def test_a_transaction_has_its_operations_even_where_it_failed(server: Server, holder: Keypair) -> None:
    failing = bench.signed(server, holder, pay(holder, XLM, "1"), pay(Keypair.random(), XLM, "2"))
    bench.refused(server, failing)

    pages = server.operations().for_transaction(failing.hash_hex()).limit(1)

    assert (amounts(pages.call()), amounts(pages.next()), amounts(pages.next())) == (["1"], ["2"], [])
    assert amounts(server.payments().for_transaction(failing.hash_hex()).call()) == ["1", "2"]


def test_one_operation_is_found_by_its_id(server: Server, holder: Keypair) -> None:
    listed = server.payments().for_account(holder.public_key).order(desc=True).limit(1).call()
    (record,) = listed["_embedded"]["records"]

    assert server.operations().operation(record["id"]).call() == record


def test_a_list_may_join_the_transactions(
    server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    record = bench.send(server, mint, pay(holder, usdc, "6"))
    pages = server.payments().for_account(holder.public_key).join("transactions").order(desc=True).limit(1)

    (joined,) = pages.call()["_embedded"]["records"]
    (before,) = pages.next()["_embedded"]["records"]

    del record["_links"]
    assert joined["transaction"] == record
    assert before["transaction"]["hash"] == before["transaction_hash"]


def test_holders_of_an_asset_are_paged_by_address(server: Server, usdc: Asset) -> None:
    owners = sorted(bench.holder(server, usdc).public_key for _ in range(3))
    other = Asset("EURC", usdc.issuer)
    bench.holder(server, other)
    pages = server.accounts().for_asset(usdc).limit(2)

    def addresses(page: dict[str, Any]) -> list[str]:
        return [record["account_id"] for record in page["_embedded"]["records"]]

    assert addresses(pages.call()) == owners[:2]
    assert addresses(pages.next()) == owners[2:]
    assert addresses(pages.next()) == []
    assert addresses(server.accounts().for_asset(usdc).order(desc=True).call()) == owners[::-1]


def test_accounts_are_found_by_who_may_sign_for_them(server: Server) -> None:
    owner, shared = bench.funded(server), bench.funded(server)
    bench.send(server, shared, SetOptions(signer=Signer.ed25519_public_key(owner.public_key, 1)))

    listed = server.accounts().for_signer(owner.public_key).call()["_embedded"]["records"]
    own = server.accounts().for_signer(shared.public_key).call()["_embedded"]["records"]

    assert {each["account_id"] for each in listed} == {owner.public_key, shared.public_key}
    assert [each["account_id"] for each in own] == [shared.public_key]


def test_claimable_balances_are_listed_for_their_claimant(server: Server, usdc: Asset, mint: Keypair) -> None:
    claimant, other = Keypair.random(), Keypair.random()
    for amount, owner, asset in (("1", claimant, usdc), ("2", claimant, XLM), ("3", other, usdc)):
        bench.send(server, mint, CreateClaimableBalance(asset, amount, [Claimant(owner.public_key)]))

    def found(listed: Any) -> list[str]:
        return amounts(listed.call())

    lists = server.claimable_balances
    assert found(lists().for_claimant(claimant.public_key)) == ["1", "2"]
    assert found(lists().for_asset(usdc)) == ["1", "3"]
    assert found(lists().for_asset(XLM)) == ["2"]
    assert found(lists().for_sponsor(mint.public_key)) == ["1", "2", "3"]
    assert found(lists().for_sponsor(claimant.public_key)) == []
    pages = lists().for_claimant(claimant.public_key).limit(1)
    assert (found(pages), amounts(pages.next()), amounts(pages.next())) == (["1"], ["2"], [])
    (record,) = lists().for_claimant(other.public_key).call()["_embedded"]["records"]
    assert lists().claimable_balance(record["id"]).call()["amount"] == "3.0000000"


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/accounts", 400, None),
        ("/accounts?signer=GABC", 400, "signer"),
        ("/accounts?asset=USDC", 400, "asset"),
        ("/accounts?asset=USD-C:GABC", 400, "asset"),
        (f"/accounts?signer={ROOT.public_key}&cursor=7", 400, "cursor"),
        ("/ledgers/0", 404, None),
        ("/ledgers/99999", 404, None),
        ("/ledgers/99999999999", 400, "ledger_id"),
        ("/ledgers/one/payments", 400, "ledger_id"),
        ("/ledgers/99999/payments", 404, None),
        ("/operations/1", 404, None),
        ("/operations/x", 400, "id"),
        (f"/transactions/{'0' * 64}/operations", 404, None),
        ("/transactions/0/operations", 400, "tx_id"),
        ("/claimable_balances/7", 400, "id"),
        (f"/claimable_balances/{'0' * 72}", 404, None),
        ("/claimable_balances?claimant=7", 400, "claimant"),
        ("/claimable_balances?asset=7", 400, "asset"),
        ("/payments?limit=201", 400, "limit"),
        ("/payments?limit=0", 400, "limit"),
        ("/payments?order=up", 400, "order"),
        ("/payments?cursor=-1", 400, "cursor"),
        ("/payments?include_failed=1", 400, "include_failed"),
    ],
)
def test_what_makes_no_sense_is_refused_and_names_the_field(
    sandbox: str, path: str, status: int, field: str | None
) -> None:
    answer = requests.get(f"{sandbox}{path}", timeout=5)

    assert answer.status_code == status
    assert answer.json().get("extras", {}).get("invalid_field") == field


def test_fees_are_those_of_the_last_five_ledgers(server: Server) -> None:
    source = bench.funded(server)
    for _ in range(5):
        bench.close(server)
    for fee in (100, 200, 300, 1000):
        bench.post(server, bench.signed(server, source, pay(source, XLM, "1"), base_fee=fee))

    stats = server.fee_stats().call()

    assert {name: stats["max_fee"][name] for name in ("min", "max", "mode", "p50", "p90")} == {
        "min": "100",
        "max": "1000",
        "mode": "100",
        "p50": "200",
        "p90": "1000",
    }
    assert set(stats["fee_charged"].values()) == {"100"}
    for _ in range(5):
        bench.close(server)
    assert server.fee_stats().call()["max_fee"]["max"] == "100"
