"""The contract's calculation: the amounts, the order of its checks, repetition, and what is counted."""

from typing import Any

import pytest

from apexchainx.stellar.sandbox.soroban.contract.storage import STATS
from apexchainx.stellar.sandbox.soroban.contract.values import MAXIMUM_I128, MAXIMUM_U64
from apexchainx.stellar.tests.contract_bench import (
    ADMIN,
    NOW,
    OPERATOR,
    STRANGER,
    Contract,
    initialised,
    numbers,
    sla_vectors,
)

DEFAULT_HASH = 1417728228875630226
WEEK = 7 * 24 * 60 * 60


@pytest.mark.parametrize("vector", sla_vectors(), ids=[each["case"] for each in sla_vectors()])
def test_the_view_answers_as_the_vectors_say(vector: dict[str, Any]) -> None:
    contract = initialised()
    contract.configure(vector["severity"], *numbers(vector["config"]))

    result = contract("calculate_sla_view", "OUT001", vector["severity"], vector["mttr_minutes"])

    assert {name: result[name] for name in vector["expect"]} == vector["expect"]


def test_a_calculation_is_stored_counted_and_emitted() -> None:
    contract = initialised()

    result = contract.calculate()

    assert result == {
        "outage_id": "OUT001",
        "status": "viol",
        "mttr_minutes": 25,
        "threshold_minutes": 15,
        "amount": -1000,
        "payment_type": "pen",
        "rating": "poor",
        "config_version_hash": DEFAULT_HASH,
        "recorded_at": NOW,
    }
    assert contract.emitted == [
        ("sla_calc", "critical", ("OUT001", "viol", "pen", "poor", 25, 15, -1000)),
        ("set_int", "critical", ("OUT001", "viol", "pen", -1000, DEFAULT_HASH, NOW)),
    ]
    assert contract("get_history") == [result]
    assert contract("get_stats") == {
        "total_calculations": 1,
        "total_violations": 1,
        "total_rewards": 0,
        "total_penalties": 1000,
    }


def test_the_view_changes_nothing_and_works_while_paused() -> None:
    contract = initialised()
    contract("pause", ADMIN, "works")
    before = dict(contract.rows)

    result = contract("calculate_sla_view", "OUT001", "critical", 15)

    assert (result["amount"], result["rating"]) == (750, "good")
    assert (contract.rows, contract.emitted) == (before, [])


def test_replay_stamps_what_it_is_told_and_gives_the_hash() -> None:
    result, hash_ = initialised()("replay_calculate_sla", "OUT001", "high", 10, 123)

    assert (result["amount"], result["recorded_at"], hash_) == (1500, 123, DEFAULT_HASH)


def test_the_checks_come_in_their_order() -> None:
    contract = Contract(unsigned={OPERATOR, STRANGER})
    arguments = ("OUT001", "unknown", 25)
    assert contract.error("calculate_sla", STRANGER, *arguments) == "NotInitialized"

    contract = initialised()
    contract.unsigned = {OPERATOR, STRANGER}
    contract("pause", ADMIN, "works")
    assert contract.error("calculate_sla", STRANGER, *arguments) == "ContractPaused"
    contract("unpause", ADMIN)
    assert contract.trap("calculate_sla", STRANGER, *arguments) == ("Auth", "InvalidAction")
    contract.unsigned = set()
    assert contract.error("calculate_sla", ADMIN, *arguments) == "Unauthorized"
    assert contract.error("calculate_sla", OPERATOR, *arguments) == "ConfigNotFound"


def test_a_wrong_version_is_named_first() -> None:
    contract = initialised()
    contract.rows["VER"] = "2"

    assert contract.error("calculate_sla", STRANGER, "OUT001", "unknown", 25) == "VersionMismatch"


def test_a_repeated_calculation_answers_the_stored_result() -> None:
    contract = initialised()
    first = contract.calculate()
    before, contract.now = dict(contract.rows), NOW + 60

    assert contract.calculate() == first
    assert (contract.rows, contract.emitted) == (before, [])


def test_other_minutes_for_the_same_outage_are_refused() -> None:
    contract = initialised()
    contract.calculate(minutes=25)

    assert contract.error("calculate_sla", OPERATOR, "OUT001", "critical", 26) == "DuplicateOutageInput"
    assert [each.name for each in contract.events] == ["dup_input"]


def test_a_custom_severity_with_another_penalty_repeats_the_old_result() -> None:
    contract = initialised()
    contract("set_custom_severity", ADMIN, "minor", 60, 1, 2)
    first = contract.calculate(severity="minor", minutes=70)
    contract("set_custom_severity", ADMIN, "minor", 60, 5, 50)

    assert contract.calculate(severity="minor", minutes=70) == first

    contract("set_custom_severity", ADMIN, "minor", 61, 5, 50)
    assert contract.error("calculate_sla", OPERATOR, "OUT001", "minor", 70) == "DuplicateOutageInput"


def test_an_outage_has_at_most_sixteen_generations() -> None:
    contract = initialised()
    for generation in range(16):
        contract.configure("critical", 15, 100 + generation, 750)
        contract.calculate()
    contract.configure("critical", 15, 200, 750)

    assert contract.error("calculate_sla", OPERATOR, "OUT001", "critical", 25) == "OutageRecalcLimit"
    assert len(contract("get_history_by_outage", "OUT001")) == 16

    contract("prune_history", ADMIN, 15)
    assert contract.calculate()["amount"] == -2000


def test_what_does_not_fit_is_an_error_of_the_amount() -> None:
    contract = initialised()
    contract.rows["CUSTCFG"] = (
        f'{{"vast":{{"threshold_minutes":1,"penalty_per_minute":{MAXIMUM_I128},"reward_base":{MAXIMUM_I128}}},'
        '"none":{"threshold_minutes":1,"penalty_per_minute":0,"reward_base":0}}'
    )

    assert contract.error("calculate_sla_view", "O", "vast", 3) == "InvalidPenaltyAmount"
    assert contract.error("calculate_sla_view", "O", "none", 3) == "InvalidPenaltyAmount"
    assert contract.error("calculate_sla_view", "O", "vast", 0) == "InvalidRewardAmount"
    assert contract.error("calculate_sla_view", "O", "none", 0) == "InvalidRewardAmount"


def test_counters_that_are_full_stay_full_and_say_so() -> None:
    contract = initialised()
    contract.rows[STATS.name] = (
        f'{{"total_calculations":{MAXIMUM_U64},"total_violations":0,"total_rewards":{MAXIMUM_I128},'
        '"total_penalties":0}'
    )

    contract.calculate(minutes=0)

    assert contract.emitted[:2] == [
        ("stats_sat", "totcalc", ("totcalc", MAXIMUM_U64, 1)),
        ("stats_sat", "totrew", ("totrew", MAXIMUM_I128, 1500)),
    ]
    assert contract("get_stats")["total_rewards"] == MAXIMUM_I128


def test_telemetry_counts_per_severity_and_begins_anew_after_a_week() -> None:
    contract = initialised()
    contract.calculate("A", "high", 31)
    contract.calculate("B", "high", 1)
    contract.calculate("C", "high", 1)
    assert contract("get_severity_telemetry")[1] == {
        "severity": "high",
        "calculations": 3,
        "violations": 1,
        "violation_rate": 33,
    }

    contract.now = NOW + WEEK - 1
    contract.calculate("D", "high", 1)
    assert contract("get_severity_telemetry")[1]["calculations"] == 4

    contract.now = NOW + WEEK
    contract.calculate("E", "high", 1)
    assert contract("get_severity_telemetry")[1]["calculations"] == 1
    assert contract("get_severity_telemetry")[0]["calculations"] == 0


def test_a_custom_severity_counts_as_critical() -> None:
    contract = initialised()
    contract("set_custom_severity", ADMIN, "minor", 60, 1, 2)

    contract.calculate(severity="minor", minutes=61)

    critical = contract("get_severity_telemetry")[0]
    assert (critical["calculations"], critical["violations"], critical["violation_rate"]) == (1, 1, 100)
