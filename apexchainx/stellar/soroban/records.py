"""What the contract answers, in our words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

STATUS = {"met": "met", "viol": "violated"}
PAYMENT_TYPE = {"rew": "reward", "pen": "penalty"}
RATING = {"top": "exceptional", "excel": "excellent", "good": "good", "poor": "poor"}


@dataclass(frozen=True)
class Calculation:
    """A result of the contract; the amount is a whole number of units, negative for a penalty."""

    outage: str
    status: str
    payment_type: str
    rating: str
    amount: int
    mttr_minutes: int
    threshold_minutes: int
    config_version_hash: int
    recorded_at: datetime

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """Raises LookupError, TypeError or ValueError where this is no result as we know it."""
        return cls(
            outage=value["outage_id"],
            status=STATUS[value["status"]],
            payment_type=PAYMENT_TYPE[value["payment_type"]],
            rating=RATING[value["rating"]],
            amount=int(value["amount"]),
            mttr_minutes=int(value["mttr_minutes"]),
            threshold_minutes=int(value["threshold_minutes"]),
            config_version_hash=int(value["config_version_hash"]),
            recorded_at=datetime.fromtimestamp(value["recorded_at"], UTC),
        )


@dataclass(frozen=True)
class Terms:
    """What holds for one severity."""

    threshold_minutes: int
    penalty_per_minute: int
    reward_base: int


@dataclass(frozen=True)
class Config:
    """The four canonical severities, and the hash that names this version of them."""

    terms: dict[str, Terms]
    version_hash: int


@dataclass(frozen=True)
class Roles:
    """The pending ones have been proposed and have not accepted."""

    admin: str
    operator: str
    pending_admin: str | None
    pending_operator: str | None


class Standing(StrEnum):
    """Whether the contract can be worked with, and what must happen first if not."""

    READY = "ready"
    NOT_INITIALIZED = "not_initialized"
    NEEDS_MIGRATION = "needs_migration"
    TOO_NEW = "too_new"
    UNKNOWN_SCHEMA = "unknown_schema"
    PAUSED = "paused"


@dataclass(frozen=True)
class Health:
    """What the contract said of itself at the start; versions are 0 where it is not initialised."""

    standing: Standing
    storage_version: int = 0
    result_schema_version: int = 0
    needs_migration: bool = False
    is_paused: bool = False
    pause_reason: str = ""

    @property
    def is_ready(self) -> bool:
        return self.standing == Standing.READY
