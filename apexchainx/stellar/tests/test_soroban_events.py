"""getEvents: in order, by topics, a page at a time, and not for ever."""

from typing import Any

import pytest
from stellar_sdk import StrKey, scval
from stellar_sdk.exceptions import SorobanRpcErrorResponse
from stellar_sdk.soroban_rpc import EventFilter, EventFilterType, EventInfo

from apexchainx.stellar.sandbox.soroban.instance import CONTRACT_ID
from apexchainx.stellar.sandbox.soroban.rpc import network
from apexchainx.stellar.tests.soroban_bench import Deployed, config_values, deployed, native, post

OTHER_CONTRACT = StrKey.encode_contract(bytes(32))
ANY = "*"


@pytest.fixture
def contract(sandbox: str) -> Deployed:
    """With six events: a change of the configuration, and two calculations with two each, and a pause."""
    found = deployed(sandbox)
    found.apply(found.admin, "set_config", *config_values("critical", 20, 200, 1000))
    found.calculate("A", "critical", 25)
    found.calculate("B", "high", 10)
    found.apply(found.admin, "pause", scval.to_string("why"))
    return found


def test_all_events_come_in_their_order(contract: Deployed) -> None:
    answer = contract.rpc.get_events(start_ledger=1)

    assert [names(each)[0] for each in answer.events] == [
        "cfg_upd",
        "sla_calc",
        "set_int",
        "sla_calc",
        "set_int",
        "paused",
    ]
    assert [each.ledger for each in answer.events] == [6, 7, 7, 8, 8, 9]
    assert names(answer.events[1]) == ["sla_calc", "v1", "critical"]
    assert names(answer.events[5])[2].address == contract.admin.public_key
    assert [native(answer.events[0].value), native(answer.events[5].value)] == [
        [20, 200, 1000],
        [True],
    ]
    first = answer.events[1]
    assert (first.event_type, first.contract_id, first.operation_index, first.transaction_index) == (
        "contract",
        CONTRACT_ID,
        0,
        1,
    )
    assert first.id == f"{(7 << 32) + (1 << 12):019d}-0000000000"
    assert contract.rpc.get_transaction(first.transaction_hash).ledger == 7


def test_topics_are_filtered_with_wildcards(contract: Deployed) -> None:
    assert outages(contract, ["sla_calc", ANY, ANY]) == ["A", "B"]
    assert outages(contract, [ANY, "v1", "high"]) == ["B", "B"]
    assert outages(contract, ["sla_calc", "v1", "critical"], ["set_int", "v1", "high"]) == ["A", "B"]
    assert outages(contract, ["set_int", "**"]) == ["A", "B"]
    assert outages(contract, ["set_int", ANY]) == []
    assert outages(contract, ["absent", ANY, ANY]) == []


def test_another_contract_or_kind_has_no_events(contract: Deployed) -> None:
    none = [
        EventFilter(contractIds=[OTHER_CONTRACT]),
        EventFilter(type=EventFilterType.SYSTEM),
    ]
    assert contract.rpc.get_events(start_ledger=1, filters=none).events == []

    both = [*none, EventFilter(contractIds=[OTHER_CONTRACT, CONTRACT_ID])]
    assert len(contract.rpc.get_events(start_ledger=1, filters=both).events) == 6


def test_pages_follow_one_another_without_gaps(contract: Deployed) -> None:
    whole = [each.id for each in contract.rpc.get_events(start_ledger=1).events]

    page = contract.rpc.get_events(start_ledger=1, limit=4)
    rest = contract.rpc.get_events(cursor=page.cursor, limit=4)

    assert [each.id for each in [*page.events, *rest.events]] == whole
    assert contract.rpc.get_events(cursor=rest.cursor).events == []
    contract.apply(contract.admin, "unpause")
    assert [names(each)[0] for each in contract.rpc.get_events(cursor=rest.cursor).events] == ["unpause"]


def test_a_range_of_ledgers_ends_before_its_end(contract: Deployed) -> None:
    events = contract.rpc.get_events(start_ledger=7, end_ledger=8).events

    assert {each.ledger for each in events} == {7}


def test_old_ledgers_are_forgotten(contract: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "RETENTION", 2)

    assert contract.rpc.get_health().oldest_ledger == 8
    with pytest.raises(SorobanRpcErrorResponse, match="ledger range: 8 - 9") as refusal:
        contract.rpc.get_events(start_ledger=7)
    assert refusal.value.code == -32600
    assert [each.ledger for each in contract.rpc.get_events(cursor=f"{1 << 32}-0").events] == [8, 8, 9]


@pytest.mark.parametrize(
    "parameters",
    [
        {"startLedger": 1, "pagination": {"cursor": "0-0"}},
        {"startLedger": 1, "pagination": {"limit": 10001}},
        {"startLedger": "1"},
        {"startLedger": 1, "filters": [{"type": "unknown"}]},
        {"startLedger": 1, "filters": [{}] * 6},
        {"startLedger": 1, "filters": [{"contractIds": ["C"]}]},
        {"startLedger": 1, "filters": [{"topics": [[]]}]},
        {"startLedger": 1, "filters": [{"topics": [["no scval"]]}]},
        {"startLedger": 1, "filters": [{"topics": [["**", "*"]]}]},
        {"pagination": {"cursor": "x"}},
    ],
)
def test_a_wrong_question_is_told_so(sandbox: str, parameters: dict[str, Any]) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "getEvents", "params": parameters}

    assert post(sandbox, body)["error"]["code"] == -32602


def names(event: EventInfo) -> list[Any]:
    return [native(each) for each in event.topic]


def outages(contract: Deployed, *topics: list[str]) -> list[str]:
    """The first value of each event that has these topics, or these."""
    filters = [EventFilter(type=EventFilterType.CONTRACT, topics=[encoded(each) for each in topics])]
    events = contract.rpc.get_events(start_ledger=1, filters=filters).events
    return [native(each.value)[0] for each in events]


def encoded(topics: list[str]) -> list[str]:
    return [each if each in {ANY, "**"} else scval.to_symbol(each).to_xdr() for each in topics]
