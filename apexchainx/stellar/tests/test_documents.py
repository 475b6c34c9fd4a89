"""What Horizon's documents say, read by the SDK."""

import time
from datetime import datetime
from typing import Any

import pytest
import requests
from stellar_sdk import (
    Asset,
    BumpSequence,
    ChangeTrust,
    CreateAccount,
    HashMemo,
    IdMemo,
    Keypair,
    ReturnHashMemo,
    Server,
    TextMemo,
    TransactionEnvelope,
)
from stellar_sdk.exceptions import NotFoundError
from stellar_sdk.memo import Memo

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay

XLM = Asset.native()
UNTIL = 4_000_000_000


def latest(server: Server) -> dict[str, Any]:
    page = server.ledgers().order(desc=True).limit(1).call()
    return dict(page["_embedded"]["records"][0])


def memorised(server: Server, source: Keypair, memo: Memo) -> dict[str, Any]:
    envelope = bench.built(server, source, pay(source, XLM, "1"))
    envelope.transaction.memo = memo
    envelope.sign(source)
    return bench.post(server, envelope)


@pytest.fixture
def holder(server: Server, usdc: Asset, mint: Keypair) -> Keypair:
    """It was paid 1 to 5 USDC, in five ledgers."""
    holder = bench.holder(server, usdc)
    for amount in range(1, 6):
        bench.send(server, mint, pay(holder, usdc, str(amount)))
    return holder


def test_an_account_shows_sequence_balances_and_signer(
    server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    account = server.accounts().account_id(holder.public_key).call()

    changed = latest(server)["sequence"]
    line, native = account["balances"]
    assert line == {
        "balance": "15.0000000",
        "buying_liabilities": "0.0000000",
        "selling_liabilities": "0.0000000",
        "asset_type": "credit_alphanum4",
        "asset_code": "USDC",
        "asset_issuer": mint.public_key,
        "limit": "922337203685.4775807",
        "last_modified_ledger": changed,
        "is_authorized": True,
        "is_authorized_to_maintain_liabilities": True,
    }
    assert (native["balance"], native["asset_type"]) == ("9999.9999900", "native")
    assert account["id"] == account["account_id"] == account["paging_token"] == holder.public_key
    assert account["signers"] == [{"weight": 1, "key": holder.public_key, "type": "ed25519_public_key"}]
    assert (account["subentry_count"], account["data"]) == (1, {})
    assert int(account["sequence"]) % 2**32 == 1


def test_a_long_asset_code_is_named_as_such(server: Server, mint: Keypair) -> None:
    owner = bench.funded(server)
    bench.send(server, owner, ChangeTrust(Asset("USDCOLLAR", mint.public_key)))

    line, _ = server.accounts().account_id(owner.public_key).call()["balances"]

    assert (line["asset_type"], line["asset_code"]) == ("credit_alphanum12", "USDCOLLAR")


def test_a_transaction_says_what_was_sent_and_what_it_cost(
    server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    envelope = bench.signed(
        server, mint, pay(holder, usdc, "7"), pay(holder, usdc, "8"), base_fee=300, bounds=(5, UNTIL)
    )
    bench.post(server, envelope)

    found = server.transactions().transaction(envelope.hash_hex()).call()

    ledger = latest(server)
    assert found["id"] == found["hash"] == envelope.hash_hex()
    assert (found["ledger"], found["created_at"]) == (ledger["sequence"], ledger["closed_at"])
    assert found["paging_token"] == str(found["ledger"] << 32 | 1 << 12)
    assert found["source_account"] == found["fee_account"] == mint.public_key
    assert found["source_account_sequence"] == str(envelope.transaction.sequence)
    assert (found["fee_charged"], found["max_fee"], found["operation_count"]) == ("200", "600", 2)
    assert TransactionEnvelope.from_xdr(found["envelope_xdr"], PASSPHRASE) == envelope
    assert bench.decoded(found["result_xdr"]) == ("txSUCCESS", ["PAYMENT_SUCCESS"] * 2, 200)
    assert found["preconditions"] == {"timebounds": {"min_time": "5", "max_time": str(UNTIL)}}
    assert (found["memo_type"], found["successful"]) == ("none", True)
    assert len(found["signatures"]) == 1
    assert requests.get(found["_links"]["self"]["href"], timeout=5).json() == found


@pytest.mark.parametrize(
    ("memo", "expected"),
    [
        (
            TextMemo("SLA:PAY001"),
            {"memo_type": "text", "memo": "SLA:PAY001", "memo_bytes": "U0xBOlBBWTAwMQ=="},
        ),
        (TextMemo(b"\xff"), {"memo_type": "text", "memo": "\ufffd", "memo_bytes": "/w=="}),
        (IdMemo(2**64 - 1), {"memo_type": "id", "memo": "18446744073709551615"}),
        (HashMemo(bytes(32)), {"memo_type": "hash", "memo": "A" * 43 + "="}),
        (ReturnHashMemo(bytes(32)), {"memo_type": "return", "memo": "A" * 43 + "="}),
    ],
)
def test_every_memo_is_shown(server: Server, memo: Memo, expected: dict[str, str]) -> None:
    answer = memorised(server, bench.funded(server), memo)

    assert {name: value for name, value in answer.items() if name.startswith("memo")} == expected


def test_a_payment_record_names_both_sides(
    server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    last = server.payments().for_account(holder.public_key).order(desc=True).limit(1).call()

    (record,) = last["_embedded"]["records"]
    transaction = server.transactions().transaction(record["transaction_hash"]).call()
    id_ = str(int(transaction["paging_token"]) + 1)
    link = record.pop("_links")["transaction"]["href"]
    assert requests.get(link, timeout=5).json() == transaction
    assert record == {
        "id": id_,
        "paging_token": id_,
        "source_account": mint.public_key,
        "transaction_successful": True,
        "created_at": transaction["created_at"],
        "transaction_hash": transaction["hash"],
        "type": "payment",
        "type_i": 1,
        "asset_type": "credit_alphanum4",
        "asset_code": "USDC",
        "asset_issuer": mint.public_key,
        "from": mint.public_key,
        "to": holder.public_key,
        "amount": "5.0000000",
    }


def test_payments_hold_new_accounts_and_no_other_operations(
    server: Server, usdc: Asset, holder: Keypair
) -> None:
    child = Keypair.random()
    bench.send(server, holder, BumpSequence(0), CreateAccount(child.public_key, "2"), pay(child, XLM, "3"))

    def kinds(page: dict[str, Any]) -> list[str]:
        return [record["type"] for record in page["_embedded"]["records"]]

    assert kinds(server.payments().for_account(child.public_key).call()) == ["create_account", "payment"]
    assert kinds(server.payments().for_account(holder.public_key).call()) == [
        "create_account",
        *["payment"] * 5,
        "create_account",
        "payment",
    ]
    assert kinds(server.operations().for_account(holder.public_key).order().limit(3).call()) == [
        "payment",
        "create_account",
        "bump_sequence",
    ]


def test_a_ledger_counts_what_it_holds(server: Server, mint: Keypair) -> None:
    before = latest(server)
    bench.send(server, mint, BumpSequence(0), BumpSequence(0))
    full = latest(server)
    bench.refused(server, bench.signed(server, mint, pay(Keypair.random(), XLM, "1")))
    failed = latest(server)

    assert (full["sequence"], failed["sequence"]) == (before["sequence"] + 1, before["sequence"] + 2)
    counts = ("successful_transaction_count", "failed_transaction_count", "operation_count")
    assert [full[each] for each in counts] == [1, 0, 2]
    assert [failed[each] for each in counts] == [0, 1, 0]
    assert (full["base_fee_in_stroops"], full["base_reserve_in_stroops"]) == (100, 5_000_000)
    assert abs(datetime.fromisoformat(full["closed_at"]).timestamp() - time.time()) < 5


def test_the_base_fee_is_what_the_sdk_reads(server: Server) -> None:
    assert server.fetch_base_fee() == 100


def test_fee_stats_are_strings(server: Server) -> None:
    stats = server.fee_stats().call()

    assert stats["last_ledger"] == str(latest(server)["sequence"])
    assert stats["last_ledger_base_fee"] == "100"
    points = ["max", "min", "mode", *(f"p{each}" for each in (*range(10, 100, 10), 95, 99))]
    assert stats["fee_charged"] == stats["max_fee"] == dict.fromkeys(points, "100")


def test_the_root_names_the_network_and_the_latest_ledger(server: Server) -> None:
    root = server.root().call()

    assert root["network_passphrase"] == PASSPHRASE
    assert root["history_latest_ledger"] == root["core_latest_ledger"] == latest(server)["sequence"]


def test_what_does_not_exist_is_not_found(server: Server) -> None:
    for call in (
        server.accounts().account_id(Keypair.random().public_key),
        server.payments().for_account(Keypair.random().public_key),
        server.transactions().transaction("0" * 64),
        server.claimable_balances().claimable_balance("0" * 72),
    ):
        with pytest.raises(NotFoundError) as refusal:
            call.call()
        assert refusal.value.type == "https://stellar.org/horizon-errors/not_found"
        assert (refusal.value.title, refusal.value.status) == ("Resource Missing", 404)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/accounts/GABC", "account_id"),
        ("/accounts/GABC/payments", "account_id"),
        ("/transactions/xyz", "tx_id"),
        (f"/transactions/{'A' * 64}", "tx_id"),
        ("/payments?limit=0", "limit"),
        ("/payments?limit=201", "limit"),
        ("/payments?limit=-1", "limit"),
        ("/payments?limit=ten", "limit"),
        ("/payments?order=up", "order"),
        ("/payments?cursor=here", "cursor"),
        ("/payments?cursor=9223372036854775808", "cursor"),
        ("/payments?include_failed=perhaps", "include_failed"),
        ("/friendbot", "addr"),
        ("/friendbot?addr=GABC", "addr"),
    ],
)
def test_a_bad_value_is_named(sandbox: str, path: str, field: str) -> None:
    answer = requests.get(f"{sandbox}{path}", timeout=5)

    assert (answer.status_code, answer.headers["Content-Type"]) == (
        400,
        "application/problem+json; charset=utf-8",
    )
    document = answer.json()
    assert (document["type"], document["title"], document["status"]) == (
        "https://stellar.org/horizon-errors/bad_request",
        "Bad Request",
        400,
    )
    assert document["extras"]["invalid_field"] == field


def test_friendbot_makes_an_account_once(server: Server, sandbox: str) -> None:
    address = Keypair.random().public_key

    first = requests.get(f"{sandbox}/friendbot", {"addr": address}, timeout=5)
    before = latest(server)
    second = requests.post(f"{sandbox}/friendbot", {"addr": address}, timeout=5)

    assert (first.status_code, first.json()["successful"]) == (200, True)
    assert server.transactions().transaction(first.json()["hash"]).call() == first.json()
    assert server.load_account(address).sequence == first.json()["ledger"] << 32
    assert (second.status_code, second.json()["detail"]) == (
        400,
        "account already funded to starting balance",
    )
    assert latest(server) == before


def test_a_ledger_is_closed_by_hand(server: Server, sandbox: str) -> None:
    before = latest(server)["sequence"]

    closed = requests.post(f"{sandbox}/sandbox/close", timeout=5).json()

    record = latest(server)
    assert closed == {"sequence": before + 1, "closed_at": record["closed_at"]}
    assert record["sequence"] == before + 1


def test_the_log_has_everything_that_was_applied(server: Server, sandbox: str, mint: Keypair) -> None:
    good = bench.send(server, mint, BumpSequence(0))
    bad = bench.signed(server, mint, BumpSequence(0), pay(Keypair.random(), XLM, "1"))
    bench.refused(server, bad)

    answer = requests.get(f"{sandbox}/sandbox/log", {"order": "desc", "limit": "2"}, timeout=5).json()

    ledger = latest(server)["sequence"]
    assert answer["_embedded"]["records"] == [
        {
            "hash": bad.hash_hex(),
            "ledger": ledger,
            "successful": False,
            "operations": ["op_success", "op_no_destination"],
        },
        {"hash": good["hash"], "ledger": ledger - 1, "successful": True, "operations": ["op_success"]},
    ]
