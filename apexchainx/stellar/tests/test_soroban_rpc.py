"""The RPC's methods as the unmodified SDK calls them, and what is answered to requests that are none."""

from typing import Any

import pytest
from stellar_sdk import Asset, ChangeTrust, Keypair, Server, scval, xdr
from stellar_sdk.exceptions import AccountNotFoundException, SorobanRpcErrorResponse
from stellar_sdk.soroban_rpc import GetTransactionStatus, SendTransactionStatus

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.soroban.instance import CONTRACT_ID, KEY
from apexchainx.stellar.tests.bench import send
from apexchainx.stellar.tests.soroban_bench import Deployed, deployed, native, outage_values, post

NULL_ACCOUNT = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF"


@pytest.fixture
def contract(sandbox: str) -> Deployed:
    return deployed(sandbox)


def test_the_network_describes_itself(contract: Deployed) -> None:
    rpc, latest = contract.rpc, contract.rpc.get_latest_ledger()

    health = rpc.get_health()
    assert (health.status, health.latest_ledger, health.oldest_ledger) == ("healthy", latest.sequence, 1)
    assert (rpc.get_network().passphrase, rpc.get_network().protocol_version) == (PASSPHRASE, 23)
    assert rpc.get_fee_stats().soroban_inclusion_fee.p99 == 100
    assert rpc.get_version_info().protocol_version == latest.protocol_version
    assert len(latest.id) == 64


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"jsonrpc": "2.0", "id": 7, "method": "nope"}, -32601),
        ({"jsonrpc": "2.0", "id": 7, "method": "getTransaction"}, -32602),
        ({"jsonrpc": "2.0", "id": 7, "method": "getTransaction", "params": {"hash": "00"}}, -32602),
        ({"jsonrpc": "2.0", "id": 7, "method": "getTransaction", "params": {"hash": 7}}, -32602),
        ({"jsonrpc": "2.0", "id": 7, "method": "getHealth", "params": [1]}, -32602),
        ({"jsonrpc": "2.0", "id": 7, "method": "getLedgerEntries", "params": {"keys": ["AA"]}}, -32602),
        ({"jsonrpc": "2.0", "id": 7, "method": "getLedgerEntries", "params": {"keys": ["A"] * 201}}, -32602),
        ({"jsonrpc": "2.0", "id": 7, "method": "sendTransaction", "params": {"transaction": "AA"}}, -32602),
        (
            {"jsonrpc": "2.0", "id": 7, "method": "simulateTransaction", "params": {"transaction": "A"}},
            -32602,
        ),
        ({"jsonrpc": "1.0", "id": 7, "method": "getHealth"}, -32600),
        ({"id": 7}, -32600),
        ([{"jsonrpc": "2.0", "id": 7, "method": "getHealth"}], -32600),
        (7, -32600),
    ],
)
def test_what_is_no_proper_request_has_its_code(sandbox: str, body: Any, code: int) -> None:
    answer = post(sandbox, body)

    assert answer["error"]["code"] == code
    assert answer["id"] == (7 if isinstance(body, dict) else None)


def test_what_nobody_knows_is_ignored_and_the_id_echoed(sandbox: str) -> None:
    parameters = {"more": [1], "pagination": None}
    body = {"jsonrpc": "2.0", "id": "x-1", "method": "getHealth", "params": parameters, "extra": True}

    answer = post(sandbox, body)

    assert (answer["id"], answer["result"]["status"]) == ("x-1", "healthy")


def test_accounts_are_found_and_the_null_account_always(contract: Deployed) -> None:
    account = contract.rpc.load_account(contract.admin.public_key)

    assert account.sequence == contract.sequence(contract.admin)
    assert contract.rpc.load_account(NULL_ACCOUNT).sequence == 0
    with pytest.raises(AccountNotFoundException):
        contract.rpc.load_account(Keypair.random().public_key)


def test_the_instance_holds_the_contracts_storage(sandbox: str) -> None:
    contract = deployed(sandbox, initialise=False)
    assert storage(contract) == {}

    contract.initialise()
    contract.calculate()

    kept = storage(contract)
    assert kept["ADMIN"].address == contract.admin.public_key
    assert (kept["VER"], kept["HIST"][0]["outage_id"], kept["CALCCNT"]) == (1, "OUT001", 1)
    assert kept["CONFIG"]["low"]["reward_base"] == 600


def test_a_trustline_is_an_entry(server: Server, contract: Deployed, usdc: Asset) -> None:
    send(server, contract.admin, ChangeTrust(usdc, "5000"))
    account, absent = contract.admin, contract.operator
    keys = [trustline_key(each, usdc) for each in (account, absent)]

    (entry,) = contract.rpc.get_ledger_entries(keys).entries or []

    line = xdr.LedgerEntryData.from_xdr(entry.xdr).trust_line
    assert line
    assert (line.limit.int64, line.balance.int64) == (5000 * 10**7, 0)


def test_a_transaction_is_found_by_its_hash(contract: Deployed) -> None:
    envelope = contract.prepared(contract.operator, "calculate_sla", *outage_values("OUT001", "critical", 25))
    hash_ = envelope.hash_hex()
    assert contract.rpc.get_transaction(hash_).status == GetTransactionStatus.NOT_FOUND

    answer = contract.send(envelope, contract.operator)

    assert (answer.status, answer.transaction_hash) == (GetTransactionStatus.SUCCESS, hash_)
    assert (answer.application_order, answer.fee_bump) == (1, False)
    assert answer.envelope_xdr == envelope.to_xdr()
    assert answer.result_meta_xdr
    meta = xdr.TransactionMeta.from_xdr(answer.result_meta_xdr).v4
    assert meta
    assert meta.soroban_meta
    assert meta.soroban_meta.return_value
    assert native(meta.soroban_meta.return_value)["amount"] == -1000
    assert [len(meta.operations), len(meta.operations[0].events), len(meta.diagnostic_events)] == [1, 2, 4]


def test_transactions_are_listed_page_by_page(contract: Deployed) -> None:
    for number in range(3):
        contract.calculate(f"O{number}")

    first = contract.rpc.get_transactions(start_ledger=1, limit=4)
    second = contract.rpc.get_transactions(cursor=first.cursor, limit=100)

    assert [len(first.transactions), len(second.transactions)] == [4, 3]
    listed = [*first.transactions, *second.transactions]
    assert [each.ledger for each in listed] == [2, 3, 4, 5, 6, 7, 8]
    assert {each.status for each in listed} == {"SUCCESS"}
    assert contract.rpc.get_transactions(cursor=second.cursor).transactions == []


def test_a_list_begins_within_what_is_retained(contract: Deployed) -> None:
    for start in (0, 99):
        with pytest.raises(SorobanRpcErrorResponse) as refusal:
            contract.rpc.get_transactions(start_ledger=start)
        assert (refusal.value.code, "ledger range: 1 - 5" in str(refusal.value.message)) == (-32600, True)


def test_what_was_applied_is_not_taken_again(contract: Deployed) -> None:
    arguments = outage_values("OUT001", "critical", 25)
    envelope = contract.prepared(contract.operator, "calculate_sla", *arguments)
    contract.send(envelope, contract.operator)
    stale = contract.prepared(contract.operator, "calculate_sla", *arguments)
    stale.transaction.sequence -= 1
    stale.sign(contract.operator)

    assert contract.rpc.send_transaction(envelope).status == SendTransactionStatus.TRY_AGAIN_LATER
    refused = contract.rpc.send_transaction(stale)
    assert refused.status == SendTransactionStatus.ERROR
    assert refused.error_result_xdr
    result = xdr.TransactionResult.from_xdr(refused.error_result_xdr)
    assert result.result.code == xdr.TransactionResultCode.txBAD_SEQ


@pytest.mark.parametrize("ledger_period", [3600])
def test_what_waits_is_a_duplicate_and_holds_up_its_source(sandbox: str) -> None:
    contract = deployed(sandbox, initialise=False)
    arguments = [scval.to_address(contract.operator.public_key)]
    envelope = contract.prepared(contract.admin, "initialize", *arguments)
    envelope.sign(contract.admin)
    other = contract.built(contract.admin, "healthcheck")
    other = contract.rpc.prepare_transaction(other)
    other.sign(contract.admin)

    statuses = [contract.rpc.send_transaction(each).status.value for each in (envelope, envelope, other)]

    assert statuses == ["PENDING", "DUPLICATE", "TRY_AGAIN_LATER"]
    assert contract.rpc.get_transaction(envelope.hash_hex()).status == GetTransactionStatus.NOT_FOUND


def storage(contract: Deployed) -> dict[str, Any]:
    (entry,) = contract.rpc.get_ledger_entries([KEY]).entries or []
    data = xdr.LedgerEntryData.from_xdr(entry.xdr).contract_data
    assert data
    assert data.val.instance
    kept = data.val.instance.storage
    return {scval.from_symbol(each.key): native(each.val) for each in (kept.sc_map if kept else [])}


def trustline_key(owner: Keypair, asset: Asset) -> xdr.LedgerKey:
    line = xdr.LedgerKeyTrustLine(owner.xdr_account_id(), asset.to_trust_line_asset_xdr_object())
    return xdr.LedgerKey(xdr.LedgerEntryType.TRUSTLINE, trust_line=line)


def test_the_contract_has_the_id_that_the_passphrase_gives() -> None:
    assert CONTRACT_ID == "CBNRN5Y55FDS55IONSC6SVFM2DABFD7B4LBTEQECT6PALZODD2LBXC2U"
