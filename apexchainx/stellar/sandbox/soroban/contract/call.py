"""One call: what it works on, who has signed, what it emits, and the checks that most begin with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from apexchainx.stellar.contract_errors import SLAError
from apexchainx.stellar.sandbox.soroban.contract import storage as keys
from apexchainx.stellar.sandbox.soroban.contract.errors import Refusal
from apexchainx.stellar.sandbox.soroban.contract.storage import Key, Storage
from apexchainx.stellar.sandbox.soroban.contract.values import I128, U32, U64, Address, Bool, Symbol

STORAGE_VERSION = 1
EVENT_VERSION = "v1"

CONFIGURATION = tuple[U32, I128, I128]
RESULT = tuple[Symbol, Symbol, Symbol, Symbol, U32, U32, I128]
INTENT = tuple[Symbol, Symbol, Symbol, I128, U64, U64]
DUPLICATE = tuple[Symbol, Symbol, U32, U32, I128, Symbol, Symbol, U64, U64]
# The type of an event's third topic, and of its data.
EVENTS: dict[str, tuple[Any, Any]] = {
    "sla_calc": (Symbol, RESULT),
    "set_int": (Symbol, INTENT),
    "dup_input": (Symbol, DUPLICATE),
    "cfg_upd": (Symbol, CONFIGURATION),
    "paused": (Address, tuple[Bool]),
    "unpause": (Address, tuple[Bool]),
    "op_set": (Address, tuple[Address]),
    "op_prop": (Address, tuple[Address]),
    "adm_prop": (Address, tuple[Address]),
    "adm_acc": (Address, None),
    "adm_can": (Address, None),
    "adm_ren": (Address, None),
    "op_acc": (Address, None),
    "op_can": (Address, None),
    "cfg_frz": (Address, None),
    "cfg_unfrz": (Address, None),
    "pruned": (Address, tuple[U32, U32]),
    "pruned_a": (Address, tuple[U32, U32]),
    "stats_sat": (Symbol, tuple[Symbol, I128, I128]),
    "migrate_done": (Address, tuple[U32, U32]),
}


@dataclass(frozen=True)
class Event:
    """Topics are its name, the version and the context; None as data is void."""

    name: str
    context: str
    data: tuple[Any, ...] | None


@dataclass(frozen=True)
class Call:
    """`authorise` traps where the address has not signed; `now` is the ledger's time, in Unix seconds."""

    storage: Storage
    now: int
    sequence: int
    authorise: Callable[[str], None]
    events: list[Event] = field(default_factory=list)

    def publish(self, name: str, context: str, *data: Any) -> None:
        self.events.append(Event(name, context, data or None))

    def require(self, key: Key[keys.T]) -> keys.T:
        value = self.storage.get(key)
        if value is None:
            raise Refusal(SLAError.NotInitialized)
        return value

    def is_set(self, key: Key[bool]) -> bool:
        return self.storage.get(key) is True

    def require_version(self) -> None:
        if self.require(keys.VERSION) != STORAGE_VERSION:
            raise Refusal(SLAError.VersionMismatch)

    def require_role(self, role: Key[str], caller: str) -> None:
        """The caller has signed, and holds the role."""
        self.authorise(caller)
        if self.require(role) != caller:
            raise Refusal(SLAError.Unauthorized)

    def require_admin(self, caller: str) -> None:
        """What most functions of the admin begin with."""
        self.require_version()
        self.require_role(keys.ADMIN, caller)

    def require_thawed(self) -> None:
        if self.is_set(keys.FROZEN):
            raise Refusal(SLAError.ConfigFrozen)
