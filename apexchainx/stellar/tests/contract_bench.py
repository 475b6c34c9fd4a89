"""The contract in the test's own process: calls, the clock, and who has signed."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from stellar_sdk import scval

from apexchainx.stellar.sandbox.soroban.contract.call import Call, Event
from apexchainx.stellar.sandbox.soroban.contract.errors import Refusal, Trap
from apexchainx.stellar.sandbox.soroban.contract.functions import function
from apexchainx.stellar.sandbox.soroban.contract.storage import Storage
from apexchainx.stellar.sandbox.soroban.scvals import encode

VECTORS = Path(__file__).parent / "vectors"
ADMIN = "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"
OPERATOR = "GADOKW3DGSA7POYHFFL6VPHRCDEXF2DGSHB473NL4CEAES774QXSHFQL"
STRANGER = "GAT4VRKQHA3HMXGRA5I5E6VUU3QX26UA2TEUQQYKLKAVCOLT7G2R4EW2"
NOW = 1_800_000_000
SEQUENCE = 77


@dataclass
class Contract:
    """Everybody has signed, but for those in `unsigned`. Answers are as clients read them off the wire."""

    now: int = NOW
    rows: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    unsigned: set[str] = field(default_factory=set)

    def __call__(self, name: str, *arguments: Any) -> Any:
        found = function(name)
        assert found
        call = Call(Storage(self.rows), self.now, SEQUENCE, self._authorise)
        try:
            answer = found.run(call, *arguments)
        finally:
            self.events = call.events
        self._keep(call.storage.changes)
        return scval.to_native(encode(found.answer, answer))

    def error(self, name: str, *arguments: Any) -> str:
        """The contract's name for its refusal, which has changed nothing."""
        before = dict(self.rows)
        with pytest.raises(Refusal) as refusal:
            self(name, *arguments)
        assert self.rows == before
        return refusal.value.error.name

    def trap(self, name: str, *arguments: Any) -> tuple[str, str]:
        before = dict(self.rows)
        with pytest.raises(Trap) as trap:
            self(name, *arguments)
        assert self.rows == before
        return trap.value.kind, trap.value.code

    def calculate(self, outage: str = "OUT001", severity: str = "critical", minutes: int = 25) -> Any:
        return self("calculate_sla", OPERATOR, outage, severity, minutes)

    def configure(self, severity: str, threshold: int, penalty: int, reward: int) -> None:
        self("set_config", ADMIN, severity, threshold, penalty, reward)

    @property
    def emitted(self) -> list[tuple[str, str, tuple[Any, ...] | None]]:
        """By the last call."""
        return [(each.name, each.context, each.data) for each in self.events]

    def _authorise(self, address: str) -> None:
        if address in self.unsigned:
            raise Trap("Auth", "InvalidAction")

    def _keep(self, changes: dict[str, str | None]) -> None:
        for key, value in changes.items():
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value


def initialised() -> Contract:
    contract = Contract()
    contract("initialize", ADMIN, OPERATOR)
    return contract


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def sla_vectors() -> list[dict[str, Any]]:
    """Those that the contract can be brought to."""
    return [each for each in vectors("sla_vectors.json") if not each.get("judge_only")]


def numbers(terms: dict[str, Any]) -> tuple[int, int, int]:
    """Threshold, penalty and reward; the largest of them stand as text in JSON."""
    names = ("threshold_minutes", "penalty_per_minute", "reward_base")
    first, second, third = (int(terms[name]) for name in names)
    return first, second, third
