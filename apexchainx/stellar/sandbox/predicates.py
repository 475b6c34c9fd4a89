"""When a claimable balance may be claimed."""

from typing import Any

from stellar_sdk import ClaimPredicate
from stellar_sdk.operation.create_claimable_balance import ClaimPredicateType

from apexchainx.stellar.sandbox.amounts import MAXIMUM
from apexchainx.stellar.sandbox.documents import moment

DEEPEST = 4

Predicate = dict[str, Any]


def is_sound(predicate: ClaimPredicate, depth: int = 1) -> bool:
    if depth > DEEPEST:
        return False
    if predicate.not_predicate:
        return is_sound(predicate.not_predicate, depth + 1)
    group = predicate.and_predicates or predicate.or_predicates
    if group:
        return is_sound(group.left, depth + 1) and is_sound(group.right, depth + 1)
    return (predicate.abs_before or 0) >= 0 and (predicate.rel_before or 0) >= 0


def described(predicate: ClaimPredicate, *, since: int | None = None) -> Predicate:
    """A predicate as Horizon writes it; with `since`, what is relative is counted from that second."""
    match predicate.claim_predicate_type:
        case ClaimPredicateType.CLAIM_PREDICATE_AND:
            return {"and": _group(predicate.and_predicates, since)}
        case ClaimPredicateType.CLAIM_PREDICATE_OR:
            return {"or": _group(predicate.or_predicates, since)}
        case ClaimPredicateType.CLAIM_PREDICATE_NOT if predicate.not_predicate:
            return {"not": described(predicate.not_predicate, since=since)}
        case ClaimPredicateType.CLAIM_PREDICATE_BEFORE_ABSOLUTE_TIME:
            return _before(predicate.abs_before or 0)
        case ClaimPredicateType.CLAIM_PREDICATE_BEFORE_RELATIVE_TIME:
            seconds = predicate.rel_before or 0
            return {"rel_before": str(seconds)} if since is None else _before(min(since + seconds, MAXIMUM))
    return {"unconditional": True}


def _group(group: Any, since: int | None) -> list[Predicate]:
    return [described(each, since=since) for each in (group.left, group.right)]


def _before(second: int) -> Predicate:
    return {"abs_before": moment(second), "abs_before_epoch": str(second)}


def is_met(predicate: Predicate, now: int) -> bool:
    if "and" in predicate:
        return all(is_met(each, now) for each in predicate["and"])
    if "or" in predicate:
        return any(is_met(each, now) for each in predicate["or"])
    if "not" in predicate:
        return not is_met(predicate["not"], now)
    return predicate.get("unconditional", False) or now < int(predicate["abs_before_epoch"])
