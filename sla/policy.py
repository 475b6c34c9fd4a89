"""MTTR against threshold, to money. Pure: no database, no clock."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy promises: minutes, USDC for each minute over them, USDC for keeping them."""

    threshold_minutes: int
    penalty_per_minute: Decimal
    reward_base: Decimal


@dataclass(frozen=True, slots=True)
class Verdict:
    """`amount` is in USDC and signed: a penalty is negative. `trace` says in sentences how it came about."""

    status: str
    outcome: str
    rating: str
    amount: Decimal
    reason_code: str
    trace: tuple[str, ...]

    @property
    def is_met(self) -> bool:
        return self.status == "met"


# Share of the threshold in percent that is still in the class, multiplier of the base in percent.
CLASSES = ((50, 200, "exceptional"), (75, 150, "excellent"))


def judge(minutes: int, terms: Terms) -> Verdict:
    """The contract's `calculate_sla`: over the threshold each minute costs, within it the base is multiplied.

    The ratio is cut to whole percent and the reward to whole units, as the contract's integers do.
    """
    over = minutes - terms.threshold_minutes
    measured = f"{minutes} minutes against a threshold of {terms.threshold_minutes}."
    if over > 0:
        amount = -over * terms.penalty_per_minute
        cost = f"{over} minutes over at {terms.penalty_per_minute:f} each: {amount:f}."
        return Verdict("violated", "penalty", "poor", amount, "mttr_exceeded", (measured, cost))
    ratio = minutes * 100 // terms.threshold_minutes if terms.threshold_minutes else 0
    multiplier, rating = next(((by, name) for below, by, name in CLASSES if ratio < below), (100, "good"))
    amount = terms.reward_base * multiplier // 100
    earned = f"{ratio} % of the threshold is {rating}: {multiplier} % of {terms.reward_base:f} is {amount:f}."
    return Verdict("met", "reward", rating, amount, f"met_{rating}", (measured, earned))
