"""The parameters of a request, each asked for by name and type; what nobody asks for is ignored."""

import re
from dataclasses import dataclass
from typing import Any

INVALID_REQUEST = -32600
INVALID_PARAMETERS = -32602
LARGEST = 2**63 - 1


class Fault(Exception):
    """An error that is answered in place of a result."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Parameters:
    values: dict[str, Any]

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self._value(name, str)
        if not value:
            raise invalid(f"{name} is missing")
        return str(value)

    def optional_text(self, name: str) -> str:
        return self._value(name, str) or ""

    def number(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
            raise invalid(f"{name} must be a whole number")
        return value

    def items(self, name: str) -> list[Any]:
        return self._value(name, list) or []

    def texts(self, name: str) -> list[str]:
        values = self.items(name)
        if not all(isinstance(each, str) for each in values):
            raise invalid(f"{name} must be a list of texts")
        return values

    def inner(self, name: str) -> "Parameters":
        return Parameters(self._value(name, dict) or {})

    def inners(self, name: str) -> list["Parameters"]:
        values = self.items(name)
        if not all(isinstance(each, dict) for each in values):
            raise invalid(f"{name} must be a list of objects")
        return [Parameters(each) for each in values]

    def limit(self, *, default: int, most: int) -> int:
        """How many are wanted at once."""
        limit = self.inner("pagination").number("limit", default)
        if not 1 <= limit <= most:
            raise invalid(f"limit must not exceed {most}")
        return limit

    def cursor(self, form: str) -> "tuple[int, ...] | None":
        """The numbers of the place to go on from; it stands instead of a range of ledgers."""
        text = self.inner("pagination").optional_text("cursor")
        if not text:
            return None
        if self.number("startLedger") or self.number("endLedger"):
            raise invalid("ledger ranges and cursor cannot both be set")
        numbers = [int(each) for each in text.split("-")] if re.fullmatch(form, text, re.ASCII) else []
        if not numbers or max(numbers) > LARGEST:
            raise invalid("invalid cursor")
        return tuple(numbers)

    def _value(self, name: str, type_: type) -> Any:
        value = self.values.get(name)
        if value is not None and not isinstance(value, type_):
            raise invalid(f"{name} has the wrong type")
        return value


def invalid(message: str) -> Fault:
    return Fault(INVALID_PARAMETERS, message)
