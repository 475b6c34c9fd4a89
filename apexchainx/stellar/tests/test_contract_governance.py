"""The contract's roles: who becomes admin and operator, and what pausing and freezing stop."""

from typing import Any

import pytest

from apexchainx.stellar.tests.contract_bench import ADMIN, NOW, OPERATOR, STRANGER, Contract, initialised

ADMIN_CALLS: list[tuple[Any, ...]] = [
    ("set_operator", STRANGER),
    ("propose_admin", STRANGER),
    ("propose_operator", STRANGER),
    ("cancel_admin_proposal",),
    ("cancel_operator_proposal",),
    ("renounce_admin",),
    ("pause", "reason"),
    ("unpause",),
    ("freeze_config",),
    ("unfreeze_config",),
    ("set_config", "critical", 15, 100, 750),
    ("set_custom_severity", "minor", 15, 100, 750),
    ("remove_custom_severity", "minor"),
    ("prune_history", 0),
    ("prune_history_by_age", 0),
    ("set_retention_limit", 5),
    ("migrate",),
]
CALLS = pytest.mark.parametrize("call", ADMIN_CALLS, ids=[each[0] for each in ADMIN_CALLS])


@CALLS
def test_only_the_admin_may(call: tuple[Any, ...]) -> None:
    contract = initialised()
    name, *arguments = call

    assert contract.error(name, OPERATOR, *arguments) == "Unauthorized"
    contract.unsigned = {ADMIN}
    assert contract.trap(name, ADMIN, *arguments) == ("Auth", "InvalidAction")


@CALLS
def test_nobody_may_before_it_is_initialised(call: tuple[Any, ...]) -> None:
    name, *arguments = call

    assert Contract().error(name, ADMIN, *arguments) == "NotInitialized"


def test_initialize_needs_both_and_happens_once() -> None:
    contract = Contract()
    for missing in (ADMIN, OPERATOR):
        contract.unsigned = {missing}
        assert contract.trap("initialize", ADMIN, OPERATOR) == ("Auth", "InvalidAction")

    contract.unsigned = set()
    contract("initialize", ADMIN, OPERATOR)

    assert (address(contract, "get_admin"), address(contract, "get_operator")) == (ADMIN, OPERATOR)
    assert contract.emitted == []
    assert contract.error("initialize", STRANGER, STRANGER) == "AlreadyInitialized"


def test_an_admin_is_proposed_and_accepts() -> None:
    contract = initialised()
    assert contract.error("accept_admin", STRANGER) == "NoPendingTransfer"
    contract("propose_admin", ADMIN, OPERATOR)
    contract("propose_admin", ADMIN, STRANGER)
    assert contract.emitted == [("adm_prop", ADMIN, (STRANGER,))]
    assert contract.error("accept_admin", OPERATOR) == "Unauthorized"

    contract("accept_admin", STRANGER)

    assert contract.emitted == [("adm_acc", STRANGER, None)]
    assert address(contract, "get_admin") == STRANGER
    assert contract("get_pending_admin") is None
    assert contract.error("pause", ADMIN, "x") == "Unauthorized"


def test_an_operator_is_proposed_and_accepts() -> None:
    contract = initialised()
    contract("propose_operator", ADMIN, STRANGER)
    assert contract.emitted == [("op_prop", ADMIN, (STRANGER,))]

    contract("accept_operator", STRANGER)

    assert contract.emitted == [("op_acc", STRANGER, None)]
    assert address(contract, "get_operator") == STRANGER
    assert contract.error("calculate_sla", OPERATOR, "OUT001", "critical", 5) == "Unauthorized"


@pytest.mark.parametrize(("role", "event"), [("admin", "adm_can"), ("operator", "op_can")])
def test_a_proposal_is_cancelled(role: str, event: str) -> None:
    contract = initialised()
    assert contract.error(f"cancel_{role}_proposal", ADMIN) == "NoPendingTransfer"
    contract(f"propose_{role}", ADMIN, STRANGER)

    contract(f"cancel_{role}_proposal", ADMIN)

    assert contract.emitted == [(event, ADMIN, None)]
    assert contract.error(f"accept_{role}", STRANGER) == "NoPendingTransfer"


def test_the_operator_is_set_at_once() -> None:
    contract = initialised()

    contract("set_operator", ADMIN, STRANGER)

    assert contract.emitted == [("op_set", ADMIN, (STRANGER,))]
    assert address(contract, "get_operator") == STRANGER


def test_a_freeze_stops_roles_before_anybody_is_asked_for_a_signature() -> None:
    contract = initialised()
    contract("propose_admin", ADMIN, STRANGER)
    contract("freeze_config", ADMIN)
    contract.unsigned = {ADMIN, STRANGER}

    for name, *arguments in ADMIN_CALLS[:6]:
        assert contract.error(name, ADMIN, *arguments) == "ConfigFrozen"
    assert contract.error("accept_admin", STRANGER) == "ConfigFrozen"
    assert contract.error("accept_operator", STRANGER) == "ConfigFrozen"
    assert contract("is_config_frozen") is True
    assert address(contract, "get_pending_admin") == STRANGER


def test_whoever_comes_first_after_a_renounce_may_initialise_anew() -> None:
    contract = initialised()
    contract.configure("critical", 20, 200, 1000)
    contract("set_custom_severity", ADMIN, "minor", 60, 1, 2)
    contract("set_retention_limit", ADMIN, 5)
    contract.calculate()
    contract("renounce_admin", ADMIN)
    assert contract.emitted == [("adm_ren", ADMIN, None)]
    assert contract.error("pause", ADMIN, "x") == "NotInitialized"
    assert contract.error("get_admin") == "NotInitialized"
    assert contract("calculate_sla_view", "O", "critical", 20)["amount"] == 1000

    contract("initialize", STRANGER, OPERATOR)

    assert address(contract, "get_admin") == STRANGER
    assert contract("get_config_version_hash") == 1417728228875630226
    assert contract("get_history") == []
    assert contract("get_retention_limit") == 5
    assert contract("get_custom_severity", "minor")["reward_base"] == 2


def test_pause_stops_the_calculation_and_nothing_else() -> None:
    contract = initialised()

    contract("pause", ADMIN, "maintenance ü")

    assert contract.emitted == [("paused", ADMIN, (True,))]
    info = contract("get_pause_info")
    assert (info["reason"], info["paused_at"], info["paused_by"].address) == ("maintenance ü", NOW, ADMIN)
    assert contract.error("calculate_sla", OPERATOR, "OUT001", "critical", 5) == "ContractPaused"
    contract.configure("critical", 20, 200, 1000)
    contract("set_operator", ADMIN, OPERATOR)

    contract("unpause", ADMIN)
    assert contract.emitted == [("unpause", ADMIN, (False,))]
    assert contract("get_pause_info") is None
    assert contract.calculate()["status"] == "viol"


def test_a_reason_is_measured_in_bytes() -> None:
    contract = initialised()

    assert contract.error("pause", ADMIN, "ü" * 128 + "x") == "InvalidInput"
    contract("pause", ADMIN, "ü" * 128)


def test_migrate_does_nothing_to_what_is_current() -> None:
    contract = initialised()
    before = dict(contract.rows)

    contract("migrate", ADMIN)

    assert (contract.rows, contract.emitted) == (before, [])


def test_migrate_stamps_an_older_storage_and_keeps_what_it_has() -> None:
    contract = initialised()
    contract.calculate()
    for key in ("VER", "STATS"):
        del contract.rows[key]
    assert contract("healthcheck")["status"] == "noinit"

    contract("migrate", ADMIN)

    assert contract.emitted == [("migrate_done", ADMIN, (0, 1))]
    assert contract("healthcheck") == {"ready": True, "contract_name": "sla_calc", "status": "ok"}
    assert (contract("get_stats")["total_calculations"], len(contract("get_history"))) == (0, 1)


def test_migrate_refuses_a_storage_from_the_future() -> None:
    contract = initialised()
    contract.rows["VER"] = "2"

    assert contract.error("migrate", ADMIN) == "VersionMismatch"
    assert contract("healthcheck")["status"] == "migrate"
    assert contract("get_version_info")["needs_migration"] is True
    assert contract("get_migration_state")["stored_version"] == 2


def address(contract: Contract, view: str) -> str:
    return str(contract(view).address)
