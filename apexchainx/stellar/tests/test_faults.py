"""Faults on demand: each kind, whom it strikes, and that the ledger itself stays whole."""

import json
from typing import Any

import pytest
import requests
from stellar_sdk import Asset, Keypair, Server, TransactionEnvelope
from stellar_sdk.exceptions import (
    BadRequestError,
    BadResponseError,
)
from stellar_sdk.exceptions import (
    ConnectionError as NoConnection,
)

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.faults import Kind
from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import decoded, pay

XLM = Asset.native()
REFUSALS = (BadRequestError, BadResponseError)


@pytest.fixture
def source(server: Server) -> Keypair:
    return bench.funded(server)


@pytest.fixture
def envelope(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.signed(server, source, pay(source, XLM, "1"))


def strikes(server: Server) -> list[tuple[str, str]]:
    """What faults did: kind and request."""
    found = bench.control(server, "GET", "log")["faults"]
    return [(each["kind"], each["request"]) for each in found]


@pytest.mark.parametrize(("kind", "is_applied"), [("504_before_apply", False), ("504_after_apply", True)])
def test_a_timeout_names_the_transaction_and_does_not_tell_whether_it_is_applied(
    server: Server, envelope: TransactionEnvelope, kind: str, is_applied: bool
) -> None:
    bench.rule(server, kind)

    with pytest.raises(BadResponseError) as timeout:
        bench.post(server, envelope)

    assert timeout.value.status == 504
    assert timeout.value.type == "https://stellar.org/horizon-errors/transaction_submission_timeout"
    assert timeout.value.extras == {"hash": envelope.hash_hex(), "envelope_xdr": envelope.to_xdr()}
    assert bench.is_known(server, envelope) is is_applied
    assert bench.post(server, envelope)["successful"] is True


@pytest.mark.parametrize(("kind", "is_applied"), [("reset_before_apply", False), ("reset_after_apply", True)])
def test_a_reset_breaks_the_connection(
    server: Server, envelope: TransactionEnvelope, kind: str, is_applied: bool
) -> None:
    bench.rule(server, kind)

    with pytest.raises(NoConnection, match="reset by peer"):
        bench.post(server, envelope)

    assert bench.is_known(server, envelope) is is_applied
    assert bench.post(server, envelope)["successful"] is True


def test_what_is_refused_may_be_lost_on_the_way_back_as_well(server: Server, source: Keypair) -> None:
    bench.rule(server, "504_after_apply")
    unsigned = bench.built(server, source, pay(source, XLM, "1"))

    with pytest.raises(BadResponseError):
        bench.post(server, unsigned)

    assert not bench.is_known(server, unsigned)


def test_too_many_requests_say_when_to_come_back(server: Server, envelope: TransactionEnvelope) -> None:
    bench.rule(server, "429", count=2)

    read = requests.get(f"{server.horizon_url}/fee_stats", timeout=5)
    sent = requests.post(f"{server.horizon_url}/transactions", {"tx": envelope.to_xdr()}, timeout=5)

    for answer in (read, sent):
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert answer.json()["type"] == "https://stellar.org/horizon-errors/rate_limit_exceeded"
    assert not bench.is_known(server, envelope)


def test_out_of_service_is_for_every_request(server: Server, envelope: TransactionEnvelope) -> None:
    bench.rule(server, "503", count=2)

    for call in (server.root().call, lambda: bench.post(server, envelope)):
        with pytest.raises(BadResponseError) as refusal:
            call()
        assert refusal.value.status == 503

    assert not bench.is_known(server, envelope)


def test_a_false_bad_sequence_is_told_of_what_is_valid_and_of_what_is_applied(
    server: Server, envelope: TransactionEnvelope
) -> None:
    bench.rule(server, "tx_bad_seq")
    before = bench.refused(server, envelope)
    bench.post(server, envelope)
    bench.rule(server, "tx_bad_seq")
    after = bench.refused(server, envelope)

    assert bench.words(before) == bench.words(after) == ("tx_bad_seq", [])
    assert decoded(before.result_xdr) == ("txBAD_SEQ", [], 0)
    assert bench.is_known(server, envelope)


def test_a_false_insufficient_fee_tells_the_needed_one(server: Server, envelope: TransactionEnvelope) -> None:
    bench.rule(server, "tx_insufficient_fee")

    refusal = bench.refused(server, envelope)

    assert bench.words(refusal) == ("tx_insufficient_fee", [])
    assert decoded(refusal.result_xdr) == ("txINSUFFICIENT_FEE", [], 200)
    assert not bench.is_known(server, envelope)


def test_a_late_inclusion_comes_some_ledgers_later(
    server: Server, source: Keypair, envelope: TransactionEnvelope
) -> None:
    bench.rule(server, "late_inclusion", ledgers=2)
    other = bench.signed(server, source, pay(source, XLM, "2"))

    with pytest.raises(BadResponseError, match="504"):
        bench.post(server, envelope)
    with pytest.raises(BadResponseError, match="504"):
        bench.post(server, other)
    first = bench.close(server)
    known = [bench.is_known(server, envelope)]
    bench.close(server)
    known.append(bench.is_known(server, envelope))
    bench.close(server)

    assert known == [False, False]
    assert server.transactions().transaction(envelope.hash_hex()).call()["ledger"] == first + 2
    assert not bench.is_known(server, other)
    assert bench.post(server, envelope)["ledger"] == first + 2


def test_reads_that_lag_show_the_ledger_as_it_was(
    server: Server, source: Keypair, envelope: TransactionEnvelope
) -> None:
    bench.rule(server, "read_lag", probability=1, ledgers=1)
    start = bench.sequence(server, source)
    newest = server.root().call()["history_latest_ledger"]
    other = bench.funded(server)
    bench.close(server)

    assert bench.post(server, envelope)["successful"] is True

    assert server.root().call()["history_latest_ledger"] == newest + 2
    assert bench.sequence(server, source) == start
    assert not bench.is_known(server, envelope)
    listed = server.payments().for_account(source.public_key).order(desc=True).limit(1).call()
    assert listed["_embedded"]["records"][0]["type"] == "create_account"
    bench.close(server)
    assert bench.sequence(server, source) == start + 1
    assert bench.is_known(server, envelope)
    assert bench.balances(server, other) == {"XLM": "10000.0000000"}


def test_reads_of_one_account_lag_and_others_do_not(
    server: Server, source: Keypair, envelope: TransactionEnvelope
) -> None:
    other = bench.funded(server)
    bench.rule(server, "read_lag", probability=1, ledgers=5, source=source.public_key)

    bench.send(server, other, pay(source, XLM, "1"))
    bench.post(server, envelope)

    assert bench.balances(server, source) == {"XLM": "10000.0000000"}
    assert not bench.is_known(server, envelope)
    assert bench.balances(server, other) == {"XLM": "9998.9999900"}


def test_reads_catch_up_when_the_rule_is_gone(
    server: Server, source: Keypair, envelope: TransactionEnvelope
) -> None:
    rule = bench.rule(server, "read_lag", probability=1, ledgers=3)
    bench.post(server, envelope)
    assert not bench.is_known(server, envelope)

    bench.control(server, "DELETE", f"faults/{rule}")

    assert bench.is_known(server, envelope)


def test_a_wrong_amount_is_half_of_what_was_signed_and_nothing_is_lost(
    server: Server, usdc: Asset, mint: Keypair
) -> None:
    payer, payee = bench.holder(server, usdc), bench.holder(server, usdc)
    bench.send(server, mint, pay(payer, usdc, "10"))
    bench.rule(server, "wrong_amount")

    record = bench.send(server, payer, pay(payee, usdc, "5.0000001"), pay(payee, XLM, "4"))

    listed = server.operations().for_transaction(record["hash"]).call()["_embedded"]["records"]
    assert [each["amount"] for each in listed] == ["2.5000000", "2.0000000"]
    assert bench.balances(server, payer) == {"USDC": "7.5000000", "XLM": "9997.9999700"}
    assert bench.balances(server, payee) == {"USDC": "2.5000000", "XLM": "10001.9999900"}
    signed = TransactionEnvelope.from_xdr(record["envelope_xdr"], PASSPHRASE)
    assert [each.amount for each in signed.transaction.operations] == ["5.0000001", "4"]  # type: ignore[attr-defined]


def test_a_wrong_amount_from_the_issuer_mints_only_half(server: Server, usdc: Asset, mint: Keypair) -> None:
    payee = bench.holder(server, usdc)
    bench.rule(server, "wrong_amount")

    bench.send(server, mint, pay(payee, usdc, "5"))

    assert bench.balances(server, payee)["USDC"] == "2.5000000"


def test_a_wrong_amount_that_was_passed_on_is_taken_as_far_as_it_is_there(
    server: Server, usdc: Asset, mint: Keypair
) -> None:
    first, second = bench.holder(server, usdc), bench.holder(server, usdc)
    envelope = bench.built(server, mint, pay(first, usdc, "6"), pay(second, usdc, "5", source=first))
    for each in (mint, first):
        envelope.sign(each)
    bench.rule(server, "wrong_amount")

    bench.post(server, envelope)

    assert bench.balances(server, first)["USDC"] == "2.5000000"
    assert bench.balances(server, second)["USDC"] == "2.5000000"


def test_a_rule_of_one_source_leaves_others_alone(server: Server, source: Keypair) -> None:
    other = bench.funded(server)
    bench.rule(server, "tx_bad_seq", source=source.public_key)

    assert bench.send(server, other, pay(other, XLM, "1"))["successful"] is True

    assert bench.words(bench.refused(server, bench.signed(server, source, pay(source, XLM, "1")))) == (
        "tx_bad_seq",
        [],
    )


def test_a_rule_strikes_as_often_as_it_says_and_is_gone(
    server: Server, envelope: TransactionEnvelope
) -> None:
    bench.rule(server, "tx_bad_seq", count=2)

    for _ in range(2):
        bench.refused(server, envelope)

    assert bench.post(server, envelope)["successful"] is True
    assert bench.control(server, "GET", "faults")["_embedded"]["records"] == []
    assert strikes(server) == [("tx_bad_seq", "transaction")] * 2


def statuses(server: Server, number: int) -> list[int]:
    url = f"{server.horizon_url}/fee_stats"
    return [requests.get(url, timeout=5).status_code for _ in range(number)]


def test_the_same_seed_and_requests_meet_the_same_faults(server: Server) -> None:
    def run(seed: int) -> list[int]:
        bench.settings(server, seed=seed)
        bench.control(server, "DELETE", "faults")
        bench.rule(server, "503", probability=0.3)
        bench.rule(server, "429", probability=0.3)
        return statuses(server, 40)

    first, again, other = run(7), run(7), run(8)

    assert first == again
    assert first != other
    assert set(first) == {200, 429, 503}


def test_a_new_seed_starts_the_rules_anew(server: Server) -> None:
    bench.rule(server, "503", probability=0.5)
    bench.settings(server, seed=3)
    first = statuses(server, 30)

    bench.settings(server, seed=3)

    assert statuses(server, 30) == first


@pytest.mark.parametrize("probability", [0, 1])
def test_a_certain_chance_is_certain(server: Server, probability: int) -> None:
    bench.rule(server, "503", probability=probability)

    assert statuses(server, 5) == [503 if probability else 200] * 5


def test_rules_are_listed_and_dropped(server: Server, source: Keypair) -> None:
    bench.rule(server, "429")
    kept = bench.rule(server, "late_inclusion", probability=0.5, source=source.public_key, ledgers=4)
    bench.rule(server, "503", count=3)

    listed = bench.control(server, "GET", "faults")["_embedded"]["records"]
    bench.control(server, "DELETE", "faults/1")
    left = bench.control(server, "DELETE", "faults/3")["_embedded"]["records"]
    again = requests.delete(f"{server.horizon_url}/sandbox/faults/3", timeout=5)

    assert listed[0] == {"id": 1, "kind": "429", "count": 1}
    assert listed[2] == {"id": 3, "kind": "503", "count": 3}
    assert left == [
        {"id": kept, "kind": "late_inclusion", "probability": 0.5, "source": source.public_key, "ledgers": 4}
    ]
    assert again.status_code == 404
    assert bench.control(server, "DELETE", "faults")["_embedded"]["records"] == []


def test_the_controls_never_fail_by_a_rule(server: Server) -> None:
    bench.rule(server, "503", probability=1)

    assert bench.control(server, "GET", "settings")["seed"] == 0
    bench.control(server, "DELETE", "faults")
    assert server.root().call()


def test_the_log_tells_what_was_struck(
    server: Server, source: Keypair, envelope: TransactionEnvelope
) -> None:
    rule = bench.rule(server, "504_after_apply")
    ledger = server.root().call()["history_latest_ledger"]
    with pytest.raises(BadResponseError):
        bench.post(server, envelope)

    log = bench.control(server, "GET", "log")

    assert log["faults"] == [
        {
            "rule": rule,
            "kind": "504_after_apply",
            "request": "POST /transactions",
            "source": source.public_key,
            "hash": envelope.hash_hex(),
            "ledger": ledger,
        }
    ]
    assert log["_embedded"]["records"][-1] == {
        "hash": envelope.hash_hex(),
        "ledger": ledger + 1,
        "successful": True,
        "operations": ["op_success"],
    }


# Controls that make no sense


@pytest.mark.parametrize(
    ("content", "field", "reason"),
    [
        ({}, "kind", "must be one of 504_before_apply,"),
        ({"kind": "500"}, "kind", "must be one of"),
        ({"kind": ["429"]}, "kind", "must be one of"),
        ({"kind": "429", "count": 0}, "count", "a whole number from 1 to 1000000"),
        ({"kind": "429", "count": 1.5}, "count", "a whole number"),
        ({"kind": "429", "count": True}, "count", "a whole number"),
        ({"kind": "429", "count": "2"}, "count", "a whole number"),
        ({"kind": "429", "probability": 1.1}, "probability", "a number from 0 to 1"),
        ({"kind": "429", "probability": -1}, "probability", "a number from 0 to 1"),
        ({"kind": "429", "probability": "1"}, "probability", "a number from 0 to 1"),
        ({"kind": "429", "count": 1, "probability": 1}, "count", "either count or probability"),
        ({"kind": "429", "source": "GABC"}, "source", "an account's address"),
        ({"kind": "429", "source": 7}, "source", "an account's address"),
        ({"kind": "read_lag", "ledgers": 0}, "ledgers", "a whole number from 1 to 100"),
        ({"kind": "429", "ledgers": 2}, "ledgers", "only late_inclusion, read_lag"),
        ({"kind": "429", "often": 2}, "often", "is none of kind, count, probability, source, ledgers"),
        ([], "body", "a JSON object"),
    ],
)
def test_a_senseless_rule_is_refused_and_not_made(
    server: Server, content: Any, field: str, reason: str
) -> None:
    answer = requests.post(f"{server.horizon_url}/sandbox/faults", json=content, timeout=5)

    assert answer.status_code == 400
    assert answer.json()["extras"]["invalid_field"] == field
    assert reason in answer.json()["extras"]["reason"]
    assert bench.control(server, "GET", "faults")["_embedded"]["records"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"period_seconds": -1}', "period_seconds"),
        ('{"period_seconds": 3601}', "period_seconds"),
        ('{"period_seconds": NaN}', "period_seconds"),
        ('{"period_seconds": true}', "period_seconds"),
        ('{"seed": 1.5}', "seed"),
        ('{"seed": -1}', "seed"),
        ('{"seed": 9223372036854775808}', "seed"),
        ('{"clock_offset_seconds": 1e99}', "clock_offset_seconds"),
        ('{"clock_offset_seconds": Infinity}', "clock_offset_seconds"),
        ('{"clock": 1}', "clock"),
        ('{"seed": 5, "period_seconds": "5"}', "period_seconds"),
        ("", "body"),
        ("[", "body"),
        ("7", "body"),
        ("[" * 100_000, "body"),
    ],
)
def test_senseless_settings_are_refused_and_change_nothing(server: Server, body: str, field: str) -> None:
    answer = requests.put(f"{server.horizon_url}/sandbox/settings", body, timeout=5)

    assert (answer.status_code, answer.json()["extras"]["invalid_field"]) == (400, field)
    assert bench.control(server, "GET", "settings") == {
        "period_seconds": 0,
        "seed": 0,
        "clock_offset_seconds": 0,
    }


def test_settings_are_changed_one_by_one(server: Server) -> None:
    bench.settings(server, seed=5)
    bench.settings(server, period_seconds=2.5, clock_offset_seconds=-60)

    assert bench.control(server, "GET", "settings") == {
        "period_seconds": 2.5,
        "seed": 5,
        "clock_offset_seconds": -60,
    }


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_asked_for(server: Server, kind: Kind) -> None:
    bench.rule(server, kind)

    assert json.dumps(bench.control(server, "GET", "faults"))


# The other door: JSON-RPC


def sent(server: Server, envelope: TransactionEnvelope) -> requests.Response:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "sendTransaction",
        "params": {"transaction": envelope.to_xdr()},
    }
    return requests.post(server.horizon_url, json=call, timeout=5)


@pytest.mark.parametrize(("kind", "is_applied"), [("504_before_apply", False), ("504_after_apply", True)])
def test_a_timeout_strikes_what_is_sent_by_json_rpc_as_well(
    server: Server, envelope: TransactionEnvelope, kind: str, is_applied: bool
) -> None:
    bench.rule(server, kind)

    assert sent(server, envelope).status_code == 504
    assert bench.is_known(server, envelope) is is_applied


def test_a_false_bad_sequence_strikes_what_is_sent_by_json_rpc_as_well(
    server: Server, source: Keypair, envelope: TransactionEnvelope
) -> None:
    bench.rule(server, "tx_bad_seq", source=source.public_key)

    result = sent(server, envelope).json()["result"]

    assert result["status"] == "ERROR"
    assert decoded(result["errorResultXdr"]) == ("txBAD_SEQ", [], 0)
    assert not bench.is_known(server, envelope)


@pytest.mark.parametrize("body", ["", "{", "[]", "7", '{"method": "sendTransaction"}', '{"method": []}'])
def test_what_is_no_submission_is_struck_by_no_rule_about_submissions(server: Server, body: str) -> None:
    bench.rule(server, "504_before_apply")

    answer = requests.post(server.horizon_url, body, timeout=5)

    assert answer.status_code == 200
    assert strikes(server) == []
