"""The sixty functions that the contract exports, by name, with the types of what they take and answer."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

from apexchainx.stellar.sandbox.soroban.contract import (
    calculation,
    governance,
    history,
    schema,
    telemetry,
    terms,
    views,
)

MODULES = (governance, terms, calculation, history, telemetry, views, schema)
UNLISTED = ("get_contract_info", "get_rent_estimate", "get_storage_footprint_estimate")
NAMES = (*schema.GATED, *schema.OPEN, *UNLISTED)


@dataclass(frozen=True)
class Function:
    run: Callable[..., Any]
    parameters: tuple[Any, ...]
    answer: Any


@cache
def function(name: str) -> Function | None:
    """None where the contract exports no such function."""
    if name not in NAMES:
        return None
    run = next(getattr(module, name) for module in MODULES if hasattr(module, name))
    hints = get_type_hints(run, include_extras=True)
    _call, *names = inspect.signature(run).parameters
    return Function(run, tuple(hints[each] for each in names), hints["return"])
