"""The unmodified ContractClient, waiting or not: reading, signing by two, and failing in each place."""

import asyncio
from typing import Any

import pytest
from stellar_sdk import Keypair, scval, xdr
from stellar_sdk.auth import authorize_entry
from stellar_sdk.client.aiohttp_client import AiohttpClient
from stellar_sdk.contract import AssembledTransaction, ContractClientAsync
from stellar_sdk.contract.exceptions import (
    NeedsMoreSignaturesError,
    NoSignatureNeededError,
    SimulationFailedError,
    TransactionFailedError,
    TransactionStillPendingError,
)
from stellar_sdk.exceptions import PrepareTransactionException
from stellar_sdk.operation import InvokeHostFunction
from stellar_sdk.soroban_server_async import SorobanServerAsync

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.soroban.instance import CONTRACT_ID
from apexchainx.stellar.tests.soroban_bench import (
    Deployed,
    config_values,
    deployed,
    fund,
    native,
    outage_values,
    post,
    result_of,
)

TRAPPED = ("txFAILED", "INVOKE_HOST_FUNCTION_TRAPPED")


@pytest.fixture
def fresh(sandbox: str) -> Deployed:
    return deployed(sandbox, initialise=False)


@pytest.fixture
def contract(sandbox: str) -> Deployed:
    return deployed(sandbox)


def test_a_view_needs_neither_account_nor_signature(contract: Deployed) -> None:
    values = outage_values("OUT001", "critical", 25)
    call: AssembledTransaction[Any] = contract.client.invoke("calculate_sla_view", values)

    assert call.is_read_call()
    with pytest.raises(NoSignatureNeededError):
        call.sign_and_submit()
    assert contract.view("calculate_sla_view", *outage_values("OUT001", "critical", 25))["amount"] == -1000


def test_a_calculation_is_signed_sent_and_answered(contract: Deployed) -> None:
    call = contract.invoke(contract.operator, "calculate_sla", *outage_values("OUT001", "high", 10))
    assert not call.is_read_call()
    assert call.needs_non_invoker_signing_by() == set()
    assert call.built_transaction
    assert call.built_transaction.transaction.fee == 5100

    answer: Any = call.sign_and_submit()
    assert answer["amount"] == 1500
    assert contract.view("get_latest_by_outage", scval.to_symbol("OUT001"))["amount"] == 1500


def test_initialize_needs_the_other_partys_signature(fresh: Deployed) -> None:
    call = fresh.invoke(fresh.admin, "initialize", scval.to_address(fresh.operator.public_key))
    assert call.needs_non_invoker_signing_by() == {fresh.operator.public_key}
    with pytest.raises(NeedsMoreSignaturesError):
        call.sign_and_submit()

    call.authorize(fresh.operator)
    call.sign_and_submit()

    assert fresh.view("get_operator").address == fresh.operator.public_key


def test_one_party_cannot_be_both(fresh: Deployed) -> None:
    with pytest.raises(SimulationFailedError, match=r"Error\(Auth, ExistingValue\)"):
        fresh.invoke(fresh.admin, "initialize", scval.to_address(fresh.admin.public_key))


def test_a_forged_signature_initialises_nothing(fresh: Deployed) -> None:
    envelope = fresh.prepared(fresh.admin, "initialize", scval.to_address(fresh.operator.public_key))
    sign_entry(envelope.transaction.operations[0], fresh.admin, fresh.rpc.get_latest_ledger().sequence + 9)

    answer = fresh.send(envelope, fresh.admin)

    assert result_of(answer) == TRAPPED
    assert fresh.view("healthcheck")["status"] == "noinit"


def test_a_signature_expires_with_its_ledger(fresh: Deployed) -> None:
    envelope = fresh.prepared(fresh.admin, "initialize", scval.to_address(fresh.operator.public_key))
    sign_entry(envelope.transaction.operations[0], fresh.operator, fresh.rpc.get_latest_ledger().sequence)

    assert result_of(fresh.send(envelope, fresh.admin)) == TRAPPED


def test_a_signed_entry_counts_once(fresh: Deployed) -> None:
    envelope = fresh.prepared(fresh.admin, "initialize", scval.to_address(fresh.operator.public_key))
    (operation,) = envelope.transaction.operations
    sign_entry(operation, fresh.operator, fresh.rpc.get_latest_ledger().sequence + 50)
    fresh.send(envelope, fresh.admin)
    fresh.apply(fresh.admin, "renounce_admin")

    envelope.transaction.sequence = fresh.sequence(fresh.admin) + 1
    envelope.signatures = []
    answer = fresh.send(envelope, fresh.admin)

    assert result_of(answer) == TRAPPED
    assert fresh.view("healthcheck")["status"] == "ok"
    with pytest.raises(SimulationFailedError, match=r"Error\(Contract, #2\)"):
        fresh.view("get_admin")


def test_nobody_signs_for_another_account(contract: Deployed) -> None:
    values = [scval.to_address(contract.admin.public_key), scval.to_string("mine")]
    stranger = Keypair.random()
    fund(contract.url, stranger)
    envelope = contract.rpc.prepare_transaction(contract.built(stranger, "pause", *values))

    answer = contract.send(envelope, stranger)

    assert result_of(answer) == TRAPPED
    assert contract.view("is_paused") is False


def test_a_signature_is_for_one_call_with_its_arguments(fresh: Deployed) -> None:
    envelope = fresh.prepared(fresh.admin, "initialize", scval.to_address(fresh.operator.public_key))
    (operation,) = envelope.transaction.operations
    assert isinstance(operation, InvokeHostFunction)
    sign_entry(operation, fresh.operator, fresh.rpc.get_latest_ledger().sequence + 50)
    call = operation.host_function.invoke_contract
    assert call
    operation.host_function.invoke_contract = xdr.InvokeContractArgs(
        call.contract_address, call.function_name, call.args[::-1]
    )

    assert result_of(fresh.send(envelope, fresh.admin)) == TRAPPED
    assert fresh.view("healthcheck")["status"] == "noinit"


def test_a_refusal_shows_at_the_simulation(contract: Deployed) -> None:
    contract.apply(contract.admin, "pause", scval.to_string("works"))
    arguments = outage_values("OUT001", "critical", 25)

    with pytest.raises(SimulationFailedError, match=r"HostError: Error\(Contract, #6\)"):
        contract.invoke(contract.operator, "calculate_sla", *arguments)
    with pytest.raises(PrepareTransactionException) as refusal:
        contract.prepared(contract.operator, "calculate_sla", *arguments)
    assert "Error(Contract, #6)" in (refusal.value.simulate_transaction_response.error or "")
    contract.apply(contract.admin, "unpause")
    assert contract.calculate()["amount"] == -1000


def test_a_pause_between_simulation_and_application_costs_fee_and_number(contract: Deployed) -> None:
    call = contract.invoke(contract.operator, "calculate_sla", *outage_values("OUT001", "critical", 25))
    before = contract.sequence(contract.operator)
    contract.apply(contract.admin, "pause", scval.to_string("works"))

    with pytest.raises(TransactionFailedError):
        call.sign_and_submit()

    answer = call.get_transaction_response
    assert answer
    assert result_of(answer) == TRAPPED
    assert answer.result_xdr
    assert xdr.TransactionResult.from_xdr(answer.result_xdr).fee_charged.int64 == 5100
    assert contract.sequence(contract.operator) == before + 1
    assert contract.view("get_history") == []
    assert [native(each.topic[0]) for each in contract.rpc.get_events(start_ledger=1).events] == ["paused"]


@pytest.mark.parametrize("ledger_period", [3600])
def test_what_still_waits_can_be_asked_for_again(sandbox: str) -> None:
    contract = deployed(sandbox, initialise=False)
    call = contract.invoke(contract.admin, "initialize", scval.to_address(contract.operator.public_key))
    call.submit_timeout = 0
    call.authorize(contract.operator)
    with pytest.raises(TransactionStillPendingError):
        call.sign_and_submit()

    post(f"{sandbox}/sandbox/close", {})

    call.submit()
    assert contract.view("healthcheck")["ready"] is True


def test_sixteen_generations_over_the_wire(contract: Deployed) -> None:
    for generation in range(16):
        contract.apply(contract.admin, "set_config", *config_values("critical", 15, 100 + generation, 750))
        contract.calculate()
    contract.apply(contract.admin, "set_config", *config_values("critical", 15, 200, 750))

    with pytest.raises(SimulationFailedError, match=r"Error\(Contract, #19\)"):
        contract.calculate()

    contract.apply(contract.admin, "prune_history", scval.to_uint32(1))
    assert contract.calculate()["amount"] == -2000
    assert len(contract.view("get_history")) == 2


def test_the_asynchronous_clients_do_the_same(sandbox: str) -> None:
    contract = deployed(sandbox)

    async def work() -> tuple[int, str, int]:
        client = ContractClientAsync(CONTRACT_ID, sandbox, PASSPHRASE)
        values = [scval.to_address(contract.operator.public_key), *outage_values("OUT001", "high", 10)]
        call = await client.invoke(
            "calculate_sla",
            values,
            source=contract.operator.public_key,
            signer=contract.operator,
            parse_result_xdr_fn=native,
        )
        answer: Any = await call.sign_and_submit()
        await client.server.close()
        async with SorobanServerAsync(sandbox, AiohttpClient()) as rpc:
            health = await rpc.get_health()
            events = await rpc.get_events(start_ledger=1)
        return answer["amount"], health.status, len(events.events)

    assert asyncio.run(work()) == (1500, "healthy", 2)


def sign_entry(operation: object, signer: Keypair, until: int) -> None:
    """In the name of whoever has not signed, by whatever key."""
    assert isinstance(operation, InvokeHostFunction)
    operation.auth = [authorize_entry(each, signer, until, PASSPHRASE) for each in operation.auth]
