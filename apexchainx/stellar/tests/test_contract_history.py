"""What the contract retains: pages, the limit, and pruning."""

from apexchainx.stellar.sandbox.soroban import instance
from apexchainx.stellar.tests.contract_bench import ADMIN, NOW, OPERATOR, Contract, initialised


def test_a_page_is_cut_out_of_the_history() -> None:
    contract = filled(5)

    assert ids(contract("get_history_page", 1, 2)) == ["O1", "O2"]
    assert ids(contract("get_history_page", 3, 2**32 - 1)) == ["O3", "O4"]
    assert contract("get_history_page", 5, 1) == []
    assert contract("get_history_page", 0, 0) == []


def test_the_latest_of_an_outage_is_found_among_its_generations() -> None:
    contract = filled(2)
    contract.configure("critical", 20, 200, 1000)
    contract.calculate("O0", minutes=25)

    assert [each["amount"] for each in contract("get_history_by_outage", "O0")] == [-1000, -1000]
    assert contract("get_latest_by_outage", "O0")["threshold_minutes"] == 20
    assert contract("get_latest_by_outage", "absent") is None


def test_over_the_limit_one_goes_and_lowering_it_shrinks_nothing() -> None:
    contract = filled(5)
    contract("set_retention_limit", ADMIN, 2)
    assert (contract("get_retention_limit"), contract.emitted) == (2, [])
    assert len(contract("get_history")) == 5

    contract.calculate("O5")

    assert ids(contract("get_history")) == ["O1", "O2", "O3", "O4", "O5"]


def test_the_retention_limit_has_bounds() -> None:
    contract = initialised()
    assert contract("get_retention_limit") == 1000

    for limit in (0, 1001):
        assert contract.error("set_retention_limit", ADMIN, limit) == "RetentionLimitOutOfRange"
    contract("set_retention_limit", ADMIN, 1000)


def test_pruning_keeps_the_newest() -> None:
    contract = filled(5)

    contract("prune_history", ADMIN, 2)

    assert contract.emitted == [("pruned", ADMIN, (3, 2))]
    assert ids(contract("get_history")) == ["O3", "O4"]
    contract("prune_history", ADMIN, 2)
    assert contract.emitted == []


def test_pruning_by_age_keeps_what_is_young_enough() -> None:
    contract = filled(5)
    contract.now = NOW + 10

    contract("prune_history_by_age", ADMIN, 7)

    assert contract.emitted == [("pruned_a", ADMIN, (3, 2))]
    assert ids(contract("get_history")) == ["O3", "O4"]
    contract("prune_history_by_age", ADMIN, 2**64 - 1)
    assert (contract.emitted, len(contract("get_history"))) == ([], 2)


def test_a_thousand_are_retained() -> None:
    contract = initialised()
    result = (
        '{"outage_id":"X%d","status":"met","mttr_minutes":1,"threshold_minutes":15,"amount":1500,'
        '"payment_type":"rew","rating":"top","config_version_hash":1,"recorded_at":1}'
    )
    contract.rows["HIST"] = f"[{','.join(result % number for number in range(1000))}]"

    contract("calculate_sla", OPERATOR, "LAST", "critical", 1)

    assert len(contract("get_history")) == 1000
    assert ids(contract("get_history_page", 998, 2)) == ["X999", "LAST"]


def filled(count: int) -> Contract:
    """One result a second."""
    contract = initialised()
    for number in range(count):
        contract.now = NOW + number
        contract.calculate(f"O{number}")
    return contract


def ids(results: list[dict[str, str]]) -> list[str]:
    return [each["outage_id"] for each in results]


def test_the_size_of_the_entry_is_that_of_its_xdr() -> None:
    contract = filled(3)
    contract("set_custom_severity", ADMIN, "minor", 60, 1, 2)
    contract.calculate("A_longer_name_of_an_outage", "minor", 1)

    size = instance.size(contract.rows)

    assert size == len(instance.entry(contract.rows).to_xdr_bytes())
    contract.calculate("O3")
    assert 300 < instance.size(contract.rows) - size < 340
