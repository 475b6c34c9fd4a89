"""What the contract remembers, key by key, and what one call changes of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

from apexchainx.stellar.sandbox.soroban.contract.values import (
    U32,
    U128,
    Address,
    Bool,
    PauseInfo,
    SLAConfig,
    SLAResult,
    SLAStats,
    Symbol,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Key(Generic[T]):
    """A key of the instance storage, and the type of what it holds."""

    name: str
    hint: Any


ADMIN = Key[str]("ADMIN", Address)
OPERATOR = Key[str]("OPERATOR", Address)
PENDING_ADMIN = Key[str]("PADMIN", Address)
PENDING_OPERATOR = Key[str]("POP", Address)
CONFIGS = Key[dict[str, SLAConfig]]("CONFIG", dict[Symbol, SLAConfig])
CUSTOM_CONFIGS = Key[dict[str, SLAConfig]]("CUSTCFG", dict[Symbol, SLAConfig])
PAUSED = Key[bool]("PAUSED", Bool)
PAUSE_INFO = Key[PauseInfo]("PAUSEINF", PauseInfo)
STATS = Key[SLAStats]("STATS", SLAStats)
CALCULATIONS = Key[int]("CALCCNT", U128)
VIOLATIONS = Key[int]("VIOLCNT", U128)
LAST_CALCULATIONS = Key[int]("CALCLDG", U128)
LAST_VIOLATIONS = Key[int]("VIOLLDG", U128)
HISTORY = Key[list[SLAResult]]("HIST", list[SLAResult])
VERSION = Key[int]("VER", U32)
RETENTION_LIMIT = Key[int]("RETLIM", U32)
LAST_CONFIG_UPDATE = Key[int]("LCFGUPD", U32)
FROZEN = Key[bool]("FREEZE", Bool)
KEYS: tuple[Key[Any], ...] = (
    ADMIN,
    OPERATOR,
    PENDING_ADMIN,
    PENDING_OPERATOR,
    CONFIGS,
    CUSTOM_CONFIGS,
    PAUSED,
    PAUSE_INFO,
    STATS,
    CALCULATIONS,
    VIOLATIONS,
    LAST_CALCULATIONS,
    LAST_VIOLATIONS,
    HISTORY,
    VERSION,
    RETENTION_LIMIT,
    LAST_CONFIG_UPDATE,
    FROZEN,
)


class Storage:
    """The contract's storage during one call. Nothing is kept but what a caller takes from `changes`."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        self._rows = rows
        self._values: dict[str, Any] = {}
        self._changed: set[str] = set()

    def get(self, key: Key[T]) -> T | None:
        if key.name not in self._values:
            row = self._rows.get(key.name)
            self._values[key.name] = None if row is None else restored(key.hint, json.loads(row))
        return cast(T | None, self._values[key.name])

    def set(self, key: Key[T], value: T) -> None:
        self._values[key.name] = value
        self._changed.add(key.name)

    def remove(self, key: Key[Any]) -> None:
        self._values[key.name] = None
        self._changed.add(key.name)

    @property
    def changes(self) -> dict[str, str | None]:
        """The rows to write; None for one to delete."""
        return {name: _plain(self._values[name]) for name in sorted(self._changed)}


def restored(hint: Any, plain: Any) -> Any:
    """A value of this type from what JSON has kept of it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        types = field_types(cast(type, hint))
        return cast(type, hint)(**{name: restored(each, plain[name]) for name, each in types.items()})
    if origin is list:
        return [restored(arguments[0], each) for each in plain]
    if origin is dict:
        return {key: restored(arguments[1], each) for key, each in plain.items()}
    return plain


@cache
def field_types(struct: type) -> dict[str, Any]:
    hints = get_type_hints(struct, include_extras=True)
    return {field.name: hints[field.name] for field in fields(struct)}


def scalar_of(hint: Any) -> Any:
    """The Scalar that a type stands for, or None."""
    return get_args(hint)[1] if get_origin(hint) is Annotated else None


def is_optional(hint: Any) -> bool:
    return isinstance(hint, UnionType) or type(None) in get_args(hint)


def _plain(value: Any) -> str | None:
    return None if value is None else json.dumps(_structless(value), separators=(",", ":"))


def _structless(value: Any) -> Any:
    if isinstance(value, list):
        return [asdict(each) for each in value]
    if isinstance(value, dict):
        return {key: asdict(each) for key, each in value.items()}
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
