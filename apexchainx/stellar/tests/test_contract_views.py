"""What the contract says of itself: all functions are there, and their structs have the known fields."""

import pytest

from apexchainx.stellar.sandbox.soroban.contract.functions import NAMES, function
from apexchainx.stellar.tests.contract_bench import ADMIN, NOW, OPERATOR, Contract, initialised

BYPASS = ("get_storage_version", "get_migration_state", "get_version_info", "get_public_api")
VIEWS = [name for name in NAMES if name.startswith(("get_", "is_", "list_"))]


def test_sixty_functions_are_exported() -> None:
    assert len(set(NAMES)) == len(NAMES) == 60
    assert all(function(name) for name in NAMES)
    assert function("execute_payment") is None


@pytest.mark.parametrize("name", VIEWS)
def test_no_view_answers_before_it_is_initialised(name: str) -> None:
    arguments = {"get_config": ("low",), "get_custom_severity": ("low",), "get_history_page": (0, 1)}
    by_outage = ("OUT001",) if name.endswith("by_outage") else ()

    assert Contract().error(name, *arguments.get(name, by_outage)) == "NotInitialized"


def test_only_healthcheck_answers_always() -> None:
    contract = Contract()

    assert contract("healthcheck") == {"ready": False, "contract_name": "sla_calc", "status": "noinit"}


def test_the_failure_schema_traps_as_on_the_network() -> None:
    assert initialised().trap("get_failure_schema") == ("Value", "InvalidInput")


def test_versions_say_what_a_bridge_must_know() -> None:
    assert initialised()("get_version_info") == {
        "storage_version": 1,
        "result_schema_version": 1,
        "needs_migration": False,
        "is_paused": False,
        "contract_name": "sla_calc",
    }


@pytest.mark.parametrize("name", BYPASS)
def test_what_concerns_versions_answers_under_any_version(name: str) -> None:
    contract = initialised()
    contract.rows["VER"] = "2"

    assert contract(name) is not None
    assert contract.error("get_stats") == "VersionMismatch"


def test_the_result_schema_counts_its_fields() -> None:
    contract = initialised()
    schema = contract("get_result_schema")

    assert schema["result_field_count"] == len(contract.calculate()) == 9
    assert contract("get_config_bundle") == {"snapshot": contract("get_config_snapshot"), "schema": schema}
    assert (schema["deprecated_symbols"], schema["severity_aliases"]) == ([], [])


def test_the_audit_state_is_all_in_one() -> None:
    contract = initialised()
    contract.calculate()
    contract("propose_admin", ADMIN, OPERATOR)
    contract("pause", ADMIN, "why")

    state = contract("get_full_audit_state")

    assert (state["admin"].address, state["pending_admin"].address) == (ADMIN, OPERATOR)
    assert (state["pending_operator"], state["paused"], state["history_len"]) == (None, True, 1)
    assert [each["reason"] for each in state["pause_info"]] == ["why"]
    assert state["stats"] == contract("get_stats")


def test_the_fingerprint_is_of_now() -> None:
    fingerprint = initialised()("get_contract_state_fingerprint")

    assert fingerprint["config_version_hash"] == 1417728228875630226
    assert (fingerprint["captured_at"], fingerprint["is_config_frozen"]) == (NOW, False)


def test_the_public_api_lists_all_but_three() -> None:
    methods = initialised()("get_public_api")["methods"]

    listed = {each["name"] for each in methods}
    assert len(methods) == len(listed) == 57
    missing = {"get_contract_info", "get_rent_estimate", "get_storage_footprint_estimate"}
    assert set(NAMES) - listed == missing
    replay = next(each for each in methods if each["name"] == "replay_calculate_sla")
    assert (replay["mutates"], replay["auth"], replay["event"]) == (True, "operator", "sla_calc")


def test_estimates_grow_with_what_is_kept() -> None:
    contract = initialised()
    contract.calculate()
    contract("set_custom_severity", ADMIN, "minor", 60, 1, 2)

    assert contract("get_storage_footprint_estimate") == 1024 + 120 + 150
    assert contract("get_rent_estimate") == 130


def test_info_and_metadata_name_severities_and_features() -> None:
    contract = initialised()
    metadata, info = contract("get_contract_metadata"), contract("get_contract_info")

    assert metadata["supported_severities"] == ["critical", "high", "medium", "low"]
    assert (info["contract_version"], info["event_version"], len(info)) == ("0_1_0", "v1", 11)


def test_exposure_adds_up() -> None:
    exposure = initialised()("get_economic_exposure")

    assert exposure["total_max_reward"] == sum(each["max_reward"] for each in exposure["breakdown"])
    assert exposure["total_penalty_per_minute"] == 100 + 50 + 25 + 10
