"""The types of the contract's arguments, and the structs it answers, field by field."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from apexchainx.stellar.sandbox.soroban.contract.errors import Trap


class Scalar(Enum):
    """A type that is one value on the wire."""

    ADDRESS = "address"
    BOOL = "bool"
    I128 = "i128"
    STRING = "string"
    SYMBOL = "symbol"
    U32 = "u32"
    U64 = "u64"
    U128 = "u128"


Address = Annotated[str, Scalar.ADDRESS]
Bool = Annotated[bool, Scalar.BOOL]
I128 = Annotated[int, Scalar.I128]
String = Annotated[str, Scalar.STRING]
Symbol = Annotated[str, Scalar.SYMBOL]
U32 = Annotated[int, Scalar.U32]
U64 = Annotated[int, Scalar.U64]
U128 = Annotated[int, Scalar.U128]

MAXIMUM_U32 = 2**32 - 1
MAXIMUM_U64 = 2**64 - 1
MAXIMUM_I128 = 2**127 - 1


def symbol(text: str) -> str:
    """Traps where the host would not take this as a symbol."""
    if not re.fullmatch("[A-Za-z0-9_]{0,32}", text, re.ASCII):
        raise Trap("Value", "InvalidInput", "bad symbol")
    return text


@dataclass(frozen=True)
class SLAConfig:
    threshold_minutes: U32
    penalty_per_minute: I128
    reward_base: I128


@dataclass(frozen=True)
class SLAResult:
    outage_id: Symbol
    status: Symbol
    mttr_minutes: U32
    threshold_minutes: U32
    amount: I128
    payment_type: Symbol
    rating: Symbol
    config_version_hash: U64
    recorded_at: U64


@dataclass(frozen=True)
class SLAConfigEntry:
    severity: Symbol
    config: SLAConfig


@dataclass(frozen=True)
class SLAConfigSnapshot:
    version: Symbol
    entries: list[SLAConfigEntry]


@dataclass(frozen=True)
class SLAStats:
    total_calculations: U64 = 0
    total_violations: U64 = 0
    total_rewards: I128 = 0
    total_penalties: I128 = 0


@dataclass(frozen=True)
class SeverityTelemetry:
    severity: Symbol
    calculations: U32
    violations: U32
    violation_rate: U32


@dataclass(frozen=True)
class SeverityExposure:
    severity: Symbol
    max_reward: I128
    penalty_per_minute: I128


@dataclass(frozen=True)
class EconomicExposure:
    total_max_reward: I128
    total_penalty_per_minute: I128
    breakdown: list[SeverityExposure]


@dataclass(frozen=True)
class PauseInfo:
    reason: String
    paused_at: U64
    paused_by: Address


@dataclass(frozen=True)
class ConfigUpdateInfo:
    sequence: U32


@dataclass(frozen=True)
class StorageVersionInfo:
    stored_version: U32
    expected_version: U32
    needs_migration: Bool


@dataclass(frozen=True)
class VersionInfo:
    storage_version: U32
    result_schema_version: U32
    needs_migration: Bool
    is_paused: Bool
    contract_name: Symbol


@dataclass(frozen=True)
class HealthcheckResult:
    ready: Bool
    contract_name: Symbol
    status: Symbol


@dataclass(frozen=True)
class ContractStateFingerprint:
    contract_name: Symbol
    storage_version: U32
    result_schema_version: U32
    config_version_hash: U64
    is_paused: Bool
    needs_migration: Bool
    is_config_frozen: Bool
    captured_at: U64


@dataclass(frozen=True)
class DeprecatedSymbol:
    old_symbol: Symbol
    new_symbol: Symbol
    deprecated_at: U32
    removal_version: U32 | None


@dataclass(frozen=True)
class SeverityAlias:
    old_severity: Symbol
    new_severity: Symbol
    deprecated_at: U32
    removal_version: U32 | None


@dataclass(frozen=True)
class SLAResultSchema:
    version: Symbol
    schema_version: U32
    result_field_count: U32
    status_met: Symbol
    status_violated: Symbol
    payment_reward: Symbol
    payment_penalty: Symbol
    rating_exceptional: Symbol
    rating_excellent: Symbol
    rating_good: Symbol
    rating_poor: Symbol
    includes_config_version_hash: Bool
    deprecated_symbols: list[DeprecatedSymbol]
    severity_aliases: list[SeverityAlias]


@dataclass(frozen=True)
class ConfigBundle:
    snapshot: SLAConfigSnapshot
    schema: SLAResultSchema


@dataclass(frozen=True)
class FailureCode:
    code: U32
    label: Symbol
    description: Symbol


@dataclass(frozen=True)
class FailureSchema:
    version: Symbol
    codes: list[FailureCode]


@dataclass(frozen=True)
class AuditState:
    admin: Address
    operator: Address
    pending_admin: Address | None
    pending_operator: Address | None
    paused: Bool
    pause_info: list[PauseInfo]
    config_snapshot: SLAConfigSnapshot
    stats: SLAStats
    history_len: U32
    result_schema: SLAResultSchema


@dataclass(frozen=True)
class ContractMetadata:
    contract_name: Symbol
    storage_version: U32
    result_schema_version: U32
    supported_severities: list[Symbol]
    features: list[Symbol]


@dataclass(frozen=True)
class ContractInfo:
    schema_version: U32
    contract_name: Symbol
    contract_version: Symbol
    storage_version: U32
    result_schema_version: U32
    event_version: Symbol
    needs_migration: Bool
    is_paused: Bool
    is_config_frozen: Bool
    supported_severities: list[Symbol]
    features: list[Symbol]


@dataclass(frozen=True)
class PublicApiMethod:
    name: Symbol
    mutates: Bool
    auth: Symbol
    event: Symbol


@dataclass(frozen=True)
class PublicApiDescriptor:
    version: Symbol
    contract_name: Symbol
    methods: list[PublicApiMethod]
