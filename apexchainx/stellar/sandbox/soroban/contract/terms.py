"""The configuration of the severities: its bounds, its order of checks, and the hash that names a version."""

from apexchainx.stellar.contract_errors import SLAError
from apexchainx.stellar.sandbox.soroban.contract import storage as keys
from apexchainx.stellar.sandbox.soroban.contract.call import Call
from apexchainx.stellar.sandbox.soroban.contract.errors import Refusal
from apexchainx.stellar.sandbox.soroban.contract.values import (
    I128,
    U32,
    U64,
    Address,
    ConfigUpdateInfo,
    SLAConfig,
    SLAConfigEntry,
    SLAConfigSnapshot,
    Symbol,
)

DEFAULTS = {
    "critical": SLAConfig(15, 100, 750),
    "high": SLAConfig(30, 50, 750),
    "medium": SLAConfig(60, 25, 750),
    "low": SLAConfig(120, 10, 600),
}
SEVERITIES = tuple(DEFAULTS)
LONGEST_THRESHOLD = {"critical": 60, "high": 120, "medium": 240, "low": 1440}
PENALTIES = {"critical": (50, 10_000), "high": (25, 10_000), "medium": (10, 10_000), "low": (1, 100)}
# Each of the pair: the first may not be cheaper per minute than the second.
ORDERED = {
    "critical": (("critical", "high"),),
    "high": (("critical", "high"), ("high", "medium")),
    "medium": (("high", "medium"), ("medium", "low")),
    "low": (),
}
HASH_BASE = 91138233
HASH_MODULUS = (1 << 63) - 25
HASH_SALT = 0x9E3779B97F4A7C15
WORD = (1 << 64) - 1


def set_config(  # noqa: PLR0917 - the contract takes them so
    call: Call,
    caller: Address,
    severity: Symbol,
    threshold_minutes: U32,
    penalty_per_minute: I128,
    reward_base: I128,
) -> None:
    call.require_admin(caller)
    call.require_thawed()
    terms = SLAConfig(threshold_minutes, penalty_per_minute, reward_base)
    configs = call.require(keys.CONFIGS) | {severity: terms}
    _validate(severity, terms, configs)
    call.storage.set(keys.CONFIGS, configs)
    call.storage.set(keys.LAST_CONFIG_UPDATE, call.sequence)
    _publish(call, severity, terms)


def set_custom_severity(  # noqa: PLR0917 - the contract takes them so
    call: Call,
    caller: Address,
    severity: Symbol,
    threshold_minutes: U32,
    penalty_per_minute: I128,
    reward_base: I128,
) -> None:
    call.require_admin(caller)
    call.require_thawed()
    if severity in SEVERITIES:
        raise Refusal(SLAError.InvalidSeverity)
    terms = SLAConfig(threshold_minutes, penalty_per_minute, reward_base)
    _validate_bounds(terms)
    _validate_balance(terms)
    call.storage.set(keys.CUSTOM_CONFIGS, custom(call) | {severity: terms})
    _publish(call, severity, terms)


def remove_custom_severity(call: Call, caller: Address, severity: Symbol) -> None:
    call.require_admin(caller)
    call.require_thawed()
    kept = dict(custom(call))
    if kept.pop(severity, None) is None:
        raise Refusal(SLAError.SeverityNotInSet)
    call.storage.set(keys.CUSTOM_CONFIGS, kept)
    call.publish("cfg_upd", severity, 0, 0, 0)


def get_config(call: Call, severity: Symbol) -> SLAConfig:
    call.require_version()
    return terms_of(call, severity)


def get_custom_severity(call: Call, severity: Symbol) -> SLAConfig:
    call.require_version()
    found = custom(call).get(severity)
    if found is None:
        raise Refusal(SLAError.SeverityNotInSet)
    return found


def get_config_snapshot(call: Call) -> SLAConfigSnapshot:
    call.require_version()
    return SLAConfigSnapshot("v1", [SLAConfigEntry(each, terms_of(call, each)) for each in SEVERITIES])


def get_custom_config_snapshot(call: Call) -> SLAConfigSnapshot:
    """In the order of the map: by name."""
    call.require_version()
    return SLAConfigSnapshot("v1", [SLAConfigEntry(*each) for each in sorted(custom(call).items())])


def list_configs(call: Call) -> dict[Symbol, SLAConfig]:
    call.require_version()
    return call.require(keys.CONFIGS)


def get_config_version_hash(call: Call) -> U64:
    call.require_version()
    return version_hash(call)


def get_last_config_update(call: Call) -> ConfigUpdateInfo | None:
    call.require_version()
    sequence = call.storage.get(keys.LAST_CONFIG_UPDATE)
    return None if sequence is None else ConfigUpdateInfo(sequence)


def get_config_count(call: Call) -> U32:
    call.require_version()
    return len(call.require(keys.CONFIGS))


def custom(call: Call) -> dict[str, SLAConfig]:
    return call.storage.get(keys.CUSTOM_CONFIGS) or {}


def terms_of(call: Call, severity: str) -> SLAConfig:
    configs = call.require(keys.CONFIGS) if severity in SEVERITIES else custom(call)
    found = configs.get(severity)
    if found is None:
        raise Refusal(SLAError.ConfigNotFound)
    return found


def version_hash(call: Call) -> int:
    """A rolling hash over the four canonical severities, in the arithmetic of 64-bit words."""
    hash_ = power = 1
    for severity in SEVERITIES:
        terms = terms_of(call, severity)
        for number in (terms.threshold_minutes, terms.penalty_per_minute, terms.reward_base):
            hash_ = (((hash_ * HASH_BASE + number) & WORD) * power & WORD) % HASH_MODULUS
            power = (power * HASH_BASE & WORD) % HASH_MODULUS
    return (hash_ * HASH_BASE + HASH_SALT & WORD) % HASH_MODULUS


def _validate(severity: str, terms: SLAConfig, configs: dict[str, SLAConfig]) -> None:
    """`configs` are those that would hold."""
    if severity not in SEVERITIES:
        raise Refusal(SLAError.InvalidSeverity)
    _validate_bounds(terms)
    lowest, highest = PENALTIES[severity]
    if terms.threshold_minutes > LONGEST_THRESHOLD[severity]:
        raise Refusal(SLAError.InvalidThreshold)
    if not lowest <= terms.penalty_per_minute <= highest:
        raise Refusal(SLAError.InvalidPenalty)
    _validate_balance(terms)
    for dearer, cheaper in ORDERED[severity]:
        if configs[dearer].penalty_per_minute < configs[cheaper].penalty_per_minute:
            raise Refusal(SLAError.InvalidPenalty)


def _validate_bounds(terms: SLAConfig) -> None:
    if not 1 <= terms.threshold_minutes <= 1440:
        raise Refusal(SLAError.InvalidThreshold)
    if not 1 <= terms.penalty_per_minute <= 10_000:
        raise Refusal(SLAError.InvalidPenalty)
    if not 1 <= terms.reward_base <= 100_000:
        raise Refusal(SLAError.InvalidReward)


def _validate_balance(terms: SLAConfig) -> None:
    if not 3 * terms.penalty_per_minute < 2 * terms.reward_base:
        raise Refusal(SLAError.InvalidReward)


def _publish(call: Call, severity: str, terms: SLAConfig) -> None:
    numbers = (terms.threshold_minutes, terms.penalty_per_minute, terms.reward_base)
    call.publish("cfg_upd", severity, *numbers)
