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
        cost = f"{over} minutes over at {digits(terms.penalty_per_minute)} each: {digits(amount)}."
        return Verdict("violated", "penalty", "poor", amount, "mttr_exceeded", (measured, cost))
    ratio = minutes * 100 // terms.threshold_minutes if terms.threshold_minutes else 0
    multiplier, rating = next(((by, name) for below, by, name in CLASSES if ratio < below), (100, "good"))
    amount = terms.reward_base * multiplier // 100
    rated = f"{ratio} % of the threshold is {rating}:"
    earned = f"{rated} {multiplier} % of {digits(terms.reward_base)} is {digits(amount)}."
    return Verdict("met", "reward", rating, amount, f"met_{rating}", (measured, earned))


def digits(amount: Decimal) -> str:
    """Without an exponent and without trailing zeros: 1125, 0.5."""
    return format(amount.normalize(), "f")
