"""Vectors: minutes and terms with the verdict that everybody who judges must come to."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from apexchainx.stellar import soroban
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.soroban import ContractRefused, Terms
from apexchainx.stellar.soroban.records import PAYMENT_TYPE, RATING, STATUS
from sla import policy
from sla.management.setting_up import apply

Said = tuple[str, str, str, int]
"""Status, outcome and rating in our words, and the amount."""


@dataclass(frozen=True, slots=True)
class Vector:
    """`expected` is None where the contract refuses. What it cannot be brought to is ours alone to judge."""

    name: str
    severity: str
    minutes: int
    terms: Terms
    expected: Said | None
    is_ours_alone: bool


def read(file: Path) -> list[Vector]:
    """Raises OSError, ValueError, LookupError or TypeError where the file holds something else."""
    return [vector(row) for row in json.loads(file.read_text(encoding="utf-8"))]


def vector(row: dict[str, Any]) -> Vector:
    names = ("threshold_minutes", "penalty_per_minute", "reward_base")
    threshold, penalty, reward = (int(row["config"][name]) for name in names)
    expect = row["expect"]
    said = None
    if "error" not in expect:
        outcome, rating = PAYMENT_TYPE[expect["payment_type"]], RATING[expect["rating"]]
        said = (STATUS[expect["status"]], outcome, rating, int(expect["amount"]))
    terms = Terms(threshold, penalty, reward)
    is_ours = bool(row.get("judge_only"))
    return Vector(row["case"], row["severity"], int(row["mttr_minutes"]), terms, said, is_ours)


def judged(case: Vector) -> str:
    """How our own arithmetic differs; nothing where it does not, or where only the contract would refuse."""
    if case.expected is None:
        return ""
    terms = case.terms
    amounts = (Decimal(terms.penalty_per_minute), Decimal(terms.reward_base))
    found = policy.judge(case.minutes, policy.Terms(terms.threshold_minutes, *amounts))
    return differs("we say", case, (found.status, found.outcome, found.rating, int(found.amount)))


def viewed(case: Vector) -> str:
    """How the contract differs under the terms that it has."""
    found = soroban.calculate_view("PARITY", case.severity, case.minutes)
    said = (found.status, found.payment_type, found.rating, found.amount)
    return differs("the contract says", case, said)


def differs(who: str, case: Vector, said: Said) -> str:
    return "" if said == case.expected else f"{who} {said} instead of {case.expected}"


def compared(cases: Iterable[Vector], signer: KeyPair | None) -> Iterator[tuple[Vector, str | None]]:
    """Each case with how we or the contract differ from it: nothing, or None where it was skipped.

    With a signer the contract is brought to each case's terms, and back.
    """
    groups: dict[tuple[str, Terms], list[Vector]] = {}
    for case in cases:
        if case.is_ours_alone:
            yield case, judged(case)
        else:
            groups.setdefault((case.severity, case.terms), []).append(case)
    for (severity, terms), group in groups.items():
        with brought_to(severity, terms, signer) as is_there:
            yield from ((case, judged(case) or viewed(case) if is_there else None) for case in group)


@contextmanager
def brought_to(severity: str, terms: Terms, signer: KeyPair | None) -> Iterator[bool]:
    """Whether the contract has these terms inside; afterwards it has those of before."""
    before = soroban.config().terms[severity]
    if before == terms or signer is None or not accepts(severity, terms, signer):
        yield before == terms
        return
    try:
        yield True
    finally:
        apply(severity, before, signer)


def accepts(severity: str, terms: Terms, signer: KeyPair) -> bool:
    try:
        apply(severity, terms, signer)
    except ContractRefused:
        return False
    return True
