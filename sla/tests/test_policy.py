import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.policy import Terms, judge

VECTORS = json.loads((Path(__file__).parent / "data" / "sla_vectors.json").read_text())
# The contract's words and ours.
WORDS = {
    "met": "met",
    "viol": "violated",
    "rew": "reward",
    "pen": "penalty",
    "top": "exceptional",
    "excel": "excellent",
    "good": "good",
    "poor": "poor",
}


def terms(threshold: int = 15, penalty: int = 100, reward: int = 750) -> Terms:
    return Terms(threshold, Decimal(penalty), Decimal(reward))


@pytest.mark.parametrize(
    "vector", [each for each in VECTORS if "error" not in each["expect"]], ids=lambda each: each["case"]
)
def test_verdicts_agree_with_the_contract(vector: dict[str, Any]) -> None:
    config, expected = vector["config"], vector["expect"]

    verdict = judge(
        vector["mttr_minutes"],
        terms(config["threshold_minutes"], config["penalty_per_minute"], config["reward_base"]),
    )

    assert verdict.amount == expected["amount"]
    assert [verdict.status, verdict.outcome, verdict.rating] == [
        WORDS[expected[name]] for name in ("status", "payment_type", "rating")
    ]


def test_vectors_are_all_there() -> None:
    assert len(VECTORS) == 168
    assert sum("error" in each["expect"] for each in VECTORS) == 1


def test_exactly_on_the_threshold_is_met_and_one_minute_more_costs_one() -> None:
    assert (judge(15, terms()).status, judge(15, terms()).amount) == ("met", Decimal(750))
    assert (judge(16, terms()).status, judge(16, terms()).amount) == ("violated", Decimal(-100))


def test_a_verdict_says_in_sentences_how_it_came_about() -> None:
    assert judge(25, terms()).trace == (
        "25 minutes against a threshold of 15.",
        "10 minutes over at 100 each: -1000.",
    )
    assert judge(10, terms()).trace == (
        "10 minutes against a threshold of 15.",
        "66 % of the threshold is excellent: 150 % of 750 is 1125.",
    )
    assert (judge(25, terms()).reason_code, judge(10, terms()).reason_code) == (
        "mttr_exceeded",
        "met_excellent",
    )


@given(
    minutes=st.integers(0, 10_000),
    threshold=st.integers(1, 1440),
    penalty=st.integers(1, 10_000),
    reward=st.integers(1, 100_000),
)
def test_slower_never_pays_better(minutes: int, threshold: int, penalty: int, reward: int) -> None:
    under = terms(threshold, penalty, reward)
    assert judge(minutes + 1, under).amount <= judge(minutes, under).amount
    assert (judge(minutes, under).amount > 0) == (minutes <= threshold)
