"""What the host makes of calls: values it refuses, footprints and limits, and what is left of a failure."""

import base64
import copy
from pathlib import Path

import pytest
from stellar_sdk import InvokeHostFunction, Keypair, StrKey, TransactionBuilder, scval, xdr
from stellar_sdk.exceptions import PrepareTransactionException

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.server import running
from apexchainx.stellar.sandbox.soroban import instance, resources
from apexchainx.stellar.tests.soroban_bench import (
    Deployed,
    config_values,
    deployed,
    native,
    outage_values,
    result_of,
)

CALL = outage_values("OUT001", "critical", 25)


@pytest.fixture
def contract(sandbox: str) -> Deployed:
    return deployed(sandbox)


@pytest.mark.parametrize(
    ("function", "arguments", "error"),
    [
        ("execute_payment", [], "WasmVm, MissingValue"),
        ("calculate_sla_view", CALL[:2], "WasmVm, UnexpectedSize"),
        ("calculate_sla_view", [*CALL[:2], scval.to_uint64(25)], "WasmVm, InvalidAction"),
        ("calculate_sla_view", [scval.to_string("OUT001"), *CALL[1:]], "WasmVm, InvalidAction"),
        ("calculate_sla_view", [scval.to_symbol("smoke-001"), *CALL[1:]], "Value, InvalidInput"),
        ("calculate_sla_view", outage_values("OUT001", "unknown", 1), "Contract, #4"),
        ("get_failure_schema", [], "Value, InvalidInput"),
    ],
)
def test_a_bad_call_has_the_hosts_error(
    contract: Deployed, function: str, arguments: list[xdr.SCVal], error: str
) -> None:
    envelope = contract.built(contract.operator, function, *arguments)

    answer = contract.rpc.simulate_transaction(envelope)

    assert (answer.error or "").startswith(f"HostError: Error({error})\n")
    event = xdr.DiagnosticEvent.from_xdr((answer.events or [])[-1]).event.body.v0
    assert event
    assert native(event.topics[0]) == "error"


def test_another_contract_is_not_there(contract: Deployed) -> None:
    builder = TransactionBuilder(contract.rpc.load_account(contract.admin.public_key), PASSPHRASE)
    builder.append_invoke_contract_function_op(StrKey.encode_contract(bytes(32)), "healthcheck", [])

    with pytest.raises(PrepareTransactionException) as refusal:
        contract.rpc.prepare_transaction(builder.add_time_bounds(0, 0).build())

    assert "Error(Storage, MissingValue)" in (refusal.value.simulate_transaction_response.error or "")


def test_a_simulation_leaves_nothing_behind(contract: Deployed) -> None:
    before = contract.rpc.get_latest_ledger().sequence

    contract.prepared(contract.operator, "calculate_sla", *CALL)

    assert contract.rpc.get_latest_ledger().sequence == before
    assert contract.view("get_history") == []


def test_a_view_can_be_put_on_the_ledger(contract: Deployed) -> None:
    envelope = contract.rpc.prepare_transaction(contract.built(contract.operator, "healthcheck"))

    answer = contract.send(envelope, contract.operator)

    assert result_of(answer) == ("txSUCCESS", "INVOKE_HOST_FUNCTION_SUCCESS")


def test_a_call_may_touch_only_its_footprint(contract: Deployed) -> None:
    envelope = contract.prepared(contract.operator, "calculate_sla", *CALL)
    footprint = data_of(envelope).resources.footprint
    footprint.read_only, footprint.read_write = footprint.read_write, []

    answer = contract.send(envelope, contract.operator)

    assert result_of(answer) == ("txFAILED", "INVOKE_HOST_FUNCTION_TRAPPED")
    assert contract.view("get_history") == []


def test_a_repeat_that_has_become_new_does_not_fit_its_footprint(contract: Deployed) -> None:
    contract.calculate()
    repeat = contract.prepared(contract.operator, "calculate_sla", *CALL)
    contract.apply(contract.admin, "set_config", *config_values("critical", 20, 200, 1000))

    assert result_of(contract.send(repeat, contract.operator))[1] == "INVOKE_HOST_FUNCTION_TRAPPED"
    assert len(contract.view("get_history")) == 1


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("instructions", resources.INSTRUCTIONS - 1, "INVOKE_HOST_FUNCTION_RESOURCE_LIMIT_EXCEEDED"),
        ("write_bytes", resources.WRITE_BYTES - 1, "INVOKE_HOST_FUNCTION_RESOURCE_LIMIT_EXCEEDED"),
        ("fee", resources.RESOURCE_FEE - 1, "INVOKE_HOST_FUNCTION_INSUFFICIENT_REFUNDABLE_FEE"),
    ],
)
def test_what_was_declared_too_small_fails(contract: Deployed, field: str, value: int, code: str) -> None:
    envelope = contract.prepared(contract.operator, "calculate_sla", *CALL)
    data = data_of(envelope)
    if field == "fee":
        data.resource_fee = xdr.Int64(value)
    else:
        setattr(data.resources, field, xdr.Uint32(value))

    answer = contract.send(envelope, contract.operator)

    assert result_of(answer) == ("txFAILED", code)
    assert contract.view("get_history") == []


def test_the_storage_may_not_grow_beyond_one_entry(
    contract: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract.calculate("OUT001")
    (entry,) = contract.rpc.get_ledger_entries([instance.KEY]).entries or []
    monkeypatch.setattr(resources, "LARGEST_ENTRY", len(base64.b64decode(entry.xdr)) + 300)

    answer = contract.send(
        contract.prepared(contract.operator, "calculate_sla", *outage_values("OUT002", "critical", 25)),
        contract.operator,
    )

    assert result_of(answer)[1] == "INVOKE_HOST_FUNCTION_RESOURCE_LIMIT_EXCEEDED"
    assert len(contract.view("get_history")) == 1


def test_a_failed_call_tells_why_only_in_its_diagnostics(contract: Deployed) -> None:
    envelope = contract.prepared(contract.operator, "calculate_sla", *CALL)
    stale = copy.deepcopy(envelope)
    contract.send(envelope, contract.operator)
    contract.apply(contract.admin, "pause", scval.to_string("works"))
    stale.transaction.sequence = contract.sequence(contract.operator) + 1

    answer = contract.send(stale, contract.operator)

    assert answer.diagnostic_events_xdr
    assert answer.events
    assert answer.events.contract_events_xdr == []
    event = xdr.DiagnosticEvent.from_xdr(answer.diagnostic_events_xdr[-1])
    assert event.in_successful_contract_call is False
    assert event.event.body.v0
    error = event.event.body.v0.topics[1].error
    assert error
    assert error.contract_code
    assert error.contract_code.uint32 == 6


def test_only_calls_of_a_contract_are_simulated(contract: Deployed) -> None:
    account = contract.rpc.load_account(contract.admin.public_key)
    builder = TransactionBuilder(account, PASSPHRASE).append_bump_sequence_op(5).add_time_bounds(0, 0)
    upload = TransactionBuilder(account, PASSPHRASE).append_upload_contract_wasm_op(b"wasm")

    for envelope in (builder.build(), upload.add_time_bounds(0, 0).build()):
        assert contract.rpc.simulate_transaction(envelope).error


def test_the_contract_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite3"
    with running(path) as url:
        contract = deployed(url)
        stored = contract.calculate()
        admin, operator = contract.admin, contract.operator

    with running(path) as url:
        again = deployed(url, initialise=False)
        assert again.view("get_history") == [stored]
        assert len(again.rpc.get_events(start_ledger=1).events) == 2
        mine = Deployed(url, again.rpc, again.client, admin, operator)
        assert mine.calculate() == stored


def test_an_account_with_other_signers_signs_by_them(sandbox: str) -> None:
    contract, other = deployed(sandbox, initialise=False), Keypair.random()
    account = contract.rpc.load_account(contract.operator.public_key)
    builder = TransactionBuilder(account, PASSPHRASE).append_ed25519_public_key_signer(other.public_key, 2)
    builder.append_set_options_op(low_threshold=1, med_threshold=2, high_threshold=2)
    contract.send(builder.add_time_bounds(0, 0).build(), contract.operator)

    def attempt(signer: Keypair) -> str:
        call = contract.invoke(contract.admin, "initialize", scval.to_address(contract.operator.public_key))
        call.authorize(contract.operator.public_key, signer)
        envelope = call.built_transaction
        assert envelope
        assert isinstance(envelope.transaction.operations[0], InvokeHostFunction)
        return result_of(contract.send(envelope, contract.admin))[1]

    assert attempt(contract.operator) == "INVOKE_HOST_FUNCTION_TRAPPED"
    assert attempt(other) == "INVOKE_HOST_FUNCTION_SUCCESS"


def data_of(envelope: object) -> xdr.SorobanTransactionData:
    data = envelope.transaction.soroban_data  # type: ignore[attr-defined]
    assert isinstance(data, xdr.SorobanTransactionData)
    return data
