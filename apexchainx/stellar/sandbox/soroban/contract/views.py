"""What the contract says of its state as a whole: statistics, exposure, health, versions, estimates."""

from apexchainx.stellar.sandbox.soroban.contract import storage as keys
from apexchainx.stellar.sandbox.soroban.contract.call import STORAGE_VERSION, Call
from apexchainx.stellar.sandbox.soroban.contract.history import history
from apexchainx.stellar.sandbox.soroban.contract.schema import NAME, RESULT_SCHEMA_VERSION, result_schema
from apexchainx.stellar.sandbox.soroban.contract.terms import (
    SEVERITIES,
    custom,
    get_config_snapshot,
    terms_of,
    version_hash,
)
from apexchainx.stellar.sandbox.soroban.contract.values import (
    I128,
    U32,
    U64,
    AuditState,
    ConfigBundle,
    ContractStateFingerprint,
    EconomicExposure,
    HealthcheckResult,
    SeverityExposure,
    SLAStats,
    StorageVersionInfo,
    VersionInfo,
)


def get_stats(call: Call) -> SLAStats:
    call.require_version()
    return call.require(keys.STATS)


def get_economic_exposure(call: Call) -> EconomicExposure:
    """What one outage of each severity may earn at most, and cost per minute."""
    call.require_version()
    terms = {severity: terms_of(call, severity) for severity in SEVERITIES}
    breakdown = [
        SeverityExposure(name, each.reward_base * 2, each.penalty_per_minute) for name, each in terms.items()
    ]
    return EconomicExposure(
        sum(each.max_reward for each in breakdown),
        sum(each.penalty_per_minute for each in breakdown),
        breakdown,
    )


def get_config_bundle(call: Call) -> ConfigBundle | None:
    return ConfigBundle(get_config_snapshot(call), result_schema())


def get_full_audit_state(call: Call) -> AuditState:
    call.require_version()
    info = call.storage.get(keys.PAUSE_INFO)
    return AuditState(
        admin=call.require(keys.ADMIN),
        operator=call.require(keys.OPERATOR),
        pending_admin=call.storage.get(keys.PENDING_ADMIN),
        pending_operator=call.storage.get(keys.PENDING_OPERATOR),
        paused=call.is_set(keys.PAUSED),
        pause_info=[info] if info else [],
        config_snapshot=get_config_snapshot(call),
        stats=call.require(keys.STATS),
        history_len=len(history(call)),
        result_schema=result_schema(),
    )


def get_storage_footprint_estimate(call: Call) -> U64:
    """In bytes."""
    call.require_version()
    return 1024 + 120 * len(history(call)) + 150 * len(custom(call))


def get_rent_estimate(call: Call) -> I128:
    return get_storage_footprint_estimate(call) // 10 + 1


# These answer whatever the stored version is.


def get_storage_version(call: Call) -> U32:
    return call.require(keys.VERSION)


def get_migration_state(call: Call) -> StorageVersionInfo:
    stored = call.require(keys.VERSION)
    return StorageVersionInfo(stored, STORAGE_VERSION, stored != STORAGE_VERSION)


def get_version_info(call: Call) -> VersionInfo:
    stored = call.require(keys.VERSION)
    paused = call.is_set(keys.PAUSED)
    return VersionInfo(stored, RESULT_SCHEMA_VERSION, stored != STORAGE_VERSION, paused, NAME)


def get_contract_state_fingerprint(call: Call) -> ContractStateFingerprint:
    stored = call.require(keys.VERSION)
    return ContractStateFingerprint(
        contract_name=NAME,
        storage_version=stored,
        result_schema_version=RESULT_SCHEMA_VERSION,
        config_version_hash=version_hash(call),
        is_paused=call.is_set(keys.PAUSED),
        needs_migration=stored != STORAGE_VERSION,
        is_config_frozen=call.is_set(keys.FROZEN),
        captured_at=call.now,
    )


def healthcheck(call: Call) -> HealthcheckResult:
    """The one function that never fails."""
    stored = call.storage.get(keys.VERSION)
    status = "noinit" if stored is None else "ok" if stored == STORAGE_VERSION else "migrate"
    return HealthcheckResult(status == "ok", NAME, status)
