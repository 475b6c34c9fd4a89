"""The contract's configuration: bounds in their order, neighbours, custom severities, the version hash."""

from typing import Any

import pytest

from apexchainx.stellar.contract_errors import SLAError
from apexchainx.stellar.sandbox.soroban.contract.errors import Refusal
from apexchainx.stellar.tests.contract_bench import ADMIN, OPERATOR, SEQUENCE, initialised, numbers, vectors

CONFIG_TESTS = vectors("sla_config_vectors.json")["tests"]


@pytest.mark.parametrize("test", CONFIG_TESTS, ids=[each["test"] for each in CONFIG_TESTS])
def test_set_config_answers_as_the_vectors_say(test: dict[str, Any]) -> None:
    contract = initialised()

    for call in test["calls"]:
        terms = (call["severity"], *numbers(call))
        if call["expect_code"]:
            assert contract.error("set_config", ADMIN, *terms) == SLAError(call["expect_code"]).name
        else:
            contract("set_config", ADMIN, *terms)
            assert tuple(contract("get_config", call["severity"]).values()) == (terms[2], terms[3], terms[1])


def test_the_version_hash_is_the_known_one() -> None:
    contract = initialised()
    assert contract("get_config_version_hash") == 1417728228875630226

    contract.configure("critical", 20, 200, 1000)
    assert contract("get_config_version_hash") == 3202668148427286373


def test_the_version_hash_sees_every_severity() -> None:
    contract = initialised()

    contract.configure("high", 60, 50, 750)

    assert contract("get_config_version_hash") == 1519374479201590554


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        (("unknown", 0, 0, 0), "InvalidSeverity"),
        (("critical", 0, 0, 0), "InvalidThreshold"),
        (("critical", 61, 0, 0), "InvalidPenalty"),
        (("critical", 61, 1, 0), "InvalidReward"),
        (("critical", 61, 1, 1), "InvalidThreshold"),
        (("critical", 60, 49, 1), "InvalidPenalty"),
        (("critical", 60, 50, 75), "InvalidReward"),
        (("critical", 60, 49, 76), "InvalidPenalty"),
        (("low", 1440, 101, 1000), "InvalidPenalty"),
    ],
)
def test_the_first_broken_bound_is_named(terms: tuple[str, int, int, int], error: str) -> None:
    assert initialised().error("set_config", ADMIN, *terms) == error


def test_a_severity_may_not_cost_less_than_the_one_below() -> None:
    contract = initialised()
    contract.configure("high", 30, 100, 750)

    assert contract.error("set_config", ADMIN, "critical", 15, 99, 750) == "InvalidPenalty"
    assert contract.error("set_config", ADMIN, "high", 30, 101, 750) == "InvalidPenalty"
    contract.configure("critical", 15, 100, 750)


def test_low_may_cost_more_than_medium_but_not_the_other_way_round() -> None:
    contract = initialised()

    contract.configure("low", 120, 90, 600)

    assert contract.error("set_config", ADMIN, "medium", 60, 25, 750) == "InvalidPenalty"


def test_set_config_says_what_it_did_and_when() -> None:
    contract = initialised()
    assert contract("get_last_config_update") is None

    contract.configure("critical", 20, 200, 1000)

    assert contract.emitted == [("cfg_upd", "critical", (20, 200, 1000))]
    assert contract("get_last_config_update") == {"sequence": SEQUENCE}


def test_frozen_config_cannot_be_changed_until_thawed() -> None:
    contract = initialised()
    contract("freeze_config", ADMIN)
    assert contract.emitted == [("cfg_frz", ADMIN, None)]

    assert contract.error("set_config", ADMIN, "critical", 20, 200, 1000) == "ConfigFrozen"
    assert contract.error("set_custom_severity", ADMIN, "minor", 20, 200, 1000) == "ConfigFrozen"
    assert contract.error("remove_custom_severity", ADMIN, "minor") == "ConfigFrozen"
    assert contract.error("set_config", OPERATOR, "critical", 20, 200, 1000) == "Unauthorized"

    contract("unfreeze_config", ADMIN)
    contract.configure("critical", 20, 200, 1000)


def test_a_custom_severity_has_general_bounds_only() -> None:
    contract = initialised()

    contract("set_custom_severity", ADMIN, "minor", 1440, 1, 2)

    assert contract.emitted == [("cfg_upd", "minor", (1440, 1, 2))]
    assert contract("get_config", "minor") == contract("get_custom_severity", "minor")
    assert contract("get_config_version_hash") == 1417728228875630226
    assert contract("get_last_config_update") is None
    assert contract("get_config_count") == 4
    assert contract.error("set_custom_severity", ADMIN, "minor", 1441, 1, 2) == "InvalidThreshold"
    assert contract.error("set_custom_severity", ADMIN, "minor", 1440, 2, 3) == "InvalidReward"
    assert contract.error("set_custom_severity", ADMIN, "low", 120, 10, 600) == "InvalidSeverity"


def test_a_removed_custom_severity_is_gone() -> None:
    contract = initialised()
    contract("set_custom_severity", ADMIN, "minor", 60, 1, 2)

    contract("remove_custom_severity", ADMIN, "minor")

    assert contract.emitted == [("cfg_upd", "minor", (0, 0, 0))]
    assert contract.error("get_custom_severity", "minor") == "SeverityNotInSet"
    assert contract.error("get_config", "minor") == "ConfigNotFound"
    assert contract.error("remove_custom_severity", ADMIN, "minor") == "SeverityNotInSet"


def test_snapshots_are_in_their_orders() -> None:
    contract = initialised()
    for name in ("zeta", "alpha"):
        contract("set_custom_severity", ADMIN, name, 60, 1, 2)

    canonical, custom = contract("get_config_snapshot"), contract("get_custom_config_snapshot")

    assert canonical["version"] == "v1"
    assert [each["severity"] for each in canonical["entries"]] == ["critical", "high", "medium", "low"]
    assert [each["severity"] for each in custom["entries"]] == ["alpha", "zeta"]
    assert list(contract("list_configs")) == ["critical", "high", "low", "medium"]


def test_a_refusal_has_the_contracts_number() -> None:
    with pytest.raises(Refusal, match=r"HostError: Error\(Contract, #11\)"):
        initialised()("set_config", ADMIN, "unknown", 1, 1, 1)
