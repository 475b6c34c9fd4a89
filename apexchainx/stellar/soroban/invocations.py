"""Calls of the contract as values: a function and its arguments, without who makes the call."""

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stellar_sdk.xdr import SCVal

SYMBOL = re.compile("[A-Za-z0-9_]{1,32}", re.ASCII)

Argument = tuple[str, str | int]
"""A type of the contract, and a value of it."""


@dataclass(frozen=True)
class Invocation:
    """The arguments are those after the caller, who is the one that signs."""

    function: str
    arguments: tuple[Argument, ...] = ()


def outage_symbol(reference: str) -> str:
    """The outage's id on the contract: its reference where that fits a symbol, else a digest of it."""
    if SYMBOL.fullmatch(reference):
        return reference
    return hashlib.sha256(reference.encode()).hexdigest()[:32]


def calculate_sla(outage: str, severity: str, minutes: int) -> Invocation:
    return Invocation("calculate_sla", calculation(outage, severity, minutes))


def calculation(outage: str, severity: str, minutes: int) -> tuple[Argument, ...]:
    return (("symbol", outage_symbol(outage)), ("symbol", severity), ("uint32", minutes))


def initialize(operator: str) -> Invocation:
    """The caller becomes the admin. The operator must be somebody else, who signs as well."""
    return Invocation("initialize", (("address", operator),))


def propose_admin(address: str) -> Invocation:
    return Invocation("propose_admin", (("address", address),))


def accept_admin() -> Invocation:
    return Invocation("accept_admin")


def cancel_admin_proposal() -> Invocation:
    return Invocation("cancel_admin_proposal")


def renounce_admin() -> Invocation:
    """After this anybody may initialise the contract anew."""
    return Invocation("renounce_admin")


def propose_operator(address: str) -> Invocation:
    return Invocation("propose_operator", (("address", address),))


def accept_operator() -> Invocation:
    return Invocation("accept_operator")


def cancel_operator_proposal() -> Invocation:
    return Invocation("cancel_operator_proposal")


def set_operator(address: str) -> Invocation:
    return Invocation("set_operator", (("address", address),))


def pause(reason: str) -> Invocation:
    """The reason has at most 256 bytes."""
    return Invocation("pause", (("string", reason),))


def unpause() -> Invocation:
    return Invocation("unpause")


def freeze_config() -> Invocation:
    return Invocation("freeze_config")


def unfreeze_config() -> Invocation:
    return Invocation("unfreeze_config")


def set_config(
    severity: str, *, threshold_minutes: int, penalty_per_minute: int, reward_base: int
) -> Invocation:
    amounts: tuple[Argument, ...] = (("int128", penalty_per_minute), ("int128", reward_base))
    return Invocation("set_config", (("symbol", severity), ("uint32", threshold_minutes), *amounts))


def prune_history(keep_latest: int) -> Invocation:
    return Invocation("prune_history", (("uint32", keep_latest),))


def set_retention_limit(limit: int) -> Invocation:
    return Invocation("set_retention_limit", (("uint32", limit),))


def values(arguments: tuple[Argument, ...]) -> "list[SCVal]":
    """As they go over the wire. Raises ValueError where one does not fit its type."""
    from stellar_sdk import scval

    return [getattr(scval, f"to_{type_}")(value) for type_, value in arguments]
