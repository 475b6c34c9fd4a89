"""All vectors over HTTP: what the view answers under each configuration, and what set_config accepts."""

import re
from collections import defaultdict
from typing import Any

import pytest
from stellar_sdk import Account, TransactionBuilder, scval

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.soroban.instance import CONTRACT_ID
from apexchainx.stellar.tests.contract_bench import numbers, sla_vectors, vectors
from apexchainx.stellar.tests.soroban_bench import Deployed, config_values, deployed, native, outage_values

DEFAULTS = vectors("sla_config_vectors.json")["initial_state"]


@pytest.fixture
def contract(sandbox: str) -> Deployed:
    return deployed(sandbox)


def test_the_view_answers_all_vectors(contract: Deployed) -> None:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for vector in sla_vectors():
        groups[(vector["severity"], *numbers(vector["config"]))].append(vector)
    assert (len(groups), sum(map(len, groups.values()))) == (21, 165)

    for (severity, *terms), members in groups.items():
        code = configure(contract, severity, *terms)
        assert code == 0
        for vector in members:
            result = viewed(contract, vector)
            assert {name: result[name] for name in vector["expect"]} == vector["expect"], vector["case"]
        assert configure(contract, severity, *DEFAULTS[severity]) == 0


def test_set_config_answers_all_vectors(contract: Deployed) -> None:
    for test in vectors("sla_config_vectors.json")["tests"]:
        changed = False
        for call in test["calls"]:
            code = configure(contract, call["severity"], *numbers(call))
            assert code == call["expect_code"], test["test"]
            changed |= code == 0
        if changed:
            contract.apply(contract.admin, "renounce_admin")
            contract.initialise()


def configure(contract: Deployed, severity: str, *terms: int) -> int:
    """The contract's code for it, as the simulation states it; 0 where it was applied."""
    values = [scval.to_address(contract.admin.public_key), *config_values(severity, *terms)]
    envelope = contract.built(contract.admin, "set_config", *values)
    simulation = contract.rpc.simulate_transaction(envelope)
    if simulation.error:
        found = re.search(r"Error\(Contract, #(\d+)\)", simulation.error)
        assert found
        return int(found[1])
    answer = contract.send(contract.rpc.prepare_transaction(envelope, simulation), contract.admin)
    assert answer.status.value == "SUCCESS"
    return 0


def viewed(contract: Deployed, vector: dict[str, Any]) -> Any:
    """In one request."""
    builder = TransactionBuilder(Account(contract.admin.public_key, 0), PASSPHRASE)
    values = outage_values("OUT001", vector["severity"], vector["mttr_minutes"])
    builder.append_invoke_contract_function_op(CONTRACT_ID, "calculate_sla_view", values)
    (result,) = contract.rpc.simulate_transaction(builder.add_time_bounds(0, 0).build()).results or []
    return native(result.xdr)
