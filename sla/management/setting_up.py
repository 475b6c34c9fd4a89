"""Giving the contract our terms, in an order in which it accepts them."""

from collections.abc import Iterator, Mapping

from django.core.management.base import CommandError

from apexchainx.stellar import soroban
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.soroban import ContractRefused, Outcome, Terms
from sla.services.contract import OPEN, Report, whole


def standing_of(found: Report) -> Report:
    if found.health.standing not in OPEN:
        raise CommandError(f"The contract is {found.health.standing}; see `manage.py contract status`.")
    return found


def missing_terms(found: Report) -> list[str]:
    """The severities whose policy the contract cannot take."""
    return [each.severity for each in found.terms if each.policy is None or whole(each.policy.terms) is None]


def unlike(found: Report) -> dict[str, Terms]:
    """What our policies promise, for each severity that the contract has otherwise."""
    wanted = {each.severity: whole(each.policy.terms) for each in found.terms if each.policy}
    return {
        each.severity: terms
        for each in found.terms
        if (terms := wanted.get(each.severity)) != each.contract and terms
    }


def configure(wanted: Mapping[str, Terms], signer: KeyPair) -> Iterator[tuple[str, Outcome]]:
    """Set the terms of each severity.

    At no moment may a penalty be above that of the graver neighbour, or below that of the lighter one. So
    whichever the contract accepts goes first, the gravest of them before the others: low, which has no
    such check itself, goes only when nothing else can. Raises ContractRefused where nothing is accepted.
    """
    order = [severity for severity in ("critical", "high", "medium", "low") if severity in wanted]
    while order:
        severity, done = first_accepted(order, wanted, signer)
        order.remove(severity)
        yield severity, done


def first_accepted(order: list[str], wanted: Mapping[str, Terms], signer: KeyPair) -> tuple[str, Outcome]:
    refusals = []
    for severity in order:
        try:
            return severity, apply(severity, wanted[severity], signer)
        except ContractRefused as refusal:
            refusals.append(refusal)
    raise refusals[0]


def apply(severity: str, terms: Terms, signer: KeyPair) -> Outcome:
    call = soroban.set_config(
        severity,
        threshold_minutes=terms.threshold_minutes,
        penalty_per_minute=terms.penalty_per_minute,
        reward_base=terms.reward_base,
    )
    return soroban.apply(call, signer=signer)
