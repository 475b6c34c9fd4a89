"""What the contract says of itself: its words, versions, features and functions."""

from apexchainx.stellar.contract_errors import SLAError
from apexchainx.stellar.sandbox.soroban.contract import storage as keys
from apexchainx.stellar.sandbox.soroban.contract.call import EVENT_VERSION, STORAGE_VERSION, Call
from apexchainx.stellar.sandbox.soroban.contract.terms import SEVERITIES
from apexchainx.stellar.sandbox.soroban.contract.values import (
    ContractInfo,
    ContractMetadata,
    FailureCode,
    FailureSchema,
    PublicApiDescriptor,
    PublicApiMethod,
    SLAResultSchema,
    symbol,
)

NAME = "sla_calc"
RESULT_SCHEMA_VERSION = 1
FEATURES = (
    "calc",
    "audit",
    "pause",
    "stats",
    "history",
    "failcode",
    "safe_call",
    "ver_nego",
    "corr_id",
    "freeze",
)
# What needs a signature or writes: who signs, and the event. replay_calculate_sla is described wrongly there.
GATED = {
    "initialize": ("none", ""),
    "migrate": ("admin", "migrate_done"),
    "set_operator": ("admin", "op_set"),
    "propose_admin": ("admin", "adm_prop"),
    "accept_admin": ("addr", "adm_acc"),
    "cancel_admin_proposal": ("admin", "adm_can"),
    "propose_operator": ("admin", "op_prop"),
    "accept_operator": ("addr", "op_acc"),
    "cancel_operator_proposal": ("admin", "op_can"),
    "renounce_admin": ("admin", "adm_ren"),
    "pause": ("admin", "paused"),
    "unpause": ("admin", "unpause"),
    "freeze_config": ("admin", "cfg_frz"),
    "unfreeze_config": ("admin", "cfg_unfrz"),
    "set_config": ("admin", "cfg_upd"),
    "set_custom_severity": ("admin", "cfg_upd"),
    "remove_custom_severity": ("admin", "cfg_upd"),
    "calculate_sla": ("operator", "sla_calc"),
    "replay_calculate_sla": ("operator", "sla_calc"),
    "prune_history": ("admin", "pruned"),
    "prune_history_by_age": ("admin", "pruned_a"),
    "set_retention_limit": ("admin", ""),
}
OPEN = (
    "get_admin",
    "get_operator",
    "get_pending_admin",
    "get_pending_operator",
    "is_paused",
    "get_pause_info",
    "is_config_frozen",
    "get_config",
    "get_custom_severity",
    "get_config_snapshot",
    "get_custom_config_snapshot",
    "list_configs",
    "get_config_version_hash",
    "get_last_config_update",
    "get_config_count",
    "get_config_bundle",
    "calculate_sla_view",
    "get_history",
    "get_history_page",
    "get_history_by_outage",
    "get_latest_by_outage",
    "get_retention_limit",
    "get_stats",
    "get_severity_telemetry",
    "get_economic_exposure",
    "get_result_schema",
    "get_failure_schema",
    "get_full_audit_state",
    "get_contract_metadata",
    "get_public_api",
    "get_storage_version",
    "get_migration_state",
    "get_version_info",
    "get_contract_state_fingerprint",
    "healthcheck",
)


def get_result_schema(call: Call) -> SLAResultSchema:
    call.require_version()
    return result_schema()


def result_schema() -> SLAResultSchema:
    return SLAResultSchema(
        version="v1",
        schema_version=RESULT_SCHEMA_VERSION,
        result_field_count=9,
        status_met="met",
        status_violated="viol",
        payment_reward="rew",
        payment_penalty="pen",
        rating_exceptional="top",
        rating_excellent="excel",
        rating_good="good",
        rating_poor="poor",
        includes_config_version_hash=True,
        deprecated_symbols=[],
        severity_aliases=[],
    )


def get_failure_schema(call: Call) -> FailureSchema:
    """Always traps: its descriptions have spaces in them, and no symbol may."""
    call.require_version()
    codes = [FailureCode(each, symbol(each.name), symbol(f"{each.name} error")) for each in SLAError]
    return FailureSchema("v1", codes)


def get_contract_metadata(call: Call) -> ContractMetadata:
    call.require_version()
    return ContractMetadata(NAME, STORAGE_VERSION, RESULT_SCHEMA_VERSION, list(SEVERITIES), list(FEATURES))


def get_contract_info(call: Call) -> ContractInfo:
    call.require_version()
    return ContractInfo(
        schema_version=1,
        contract_name=NAME,
        contract_version="0_1_0",
        storage_version=STORAGE_VERSION,
        result_schema_version=RESULT_SCHEMA_VERSION,
        event_version=EVENT_VERSION,
        needs_migration=False,
        is_paused=call.is_set(keys.PAUSED),
        is_config_frozen=call.is_set(keys.FROZEN),
        supported_severities=list(SEVERITIES),
        features=[*FEATURES, "ctrct_info"],
    )


def get_public_api(call: Call) -> PublicApiDescriptor:
    call.require(keys.VERSION)
    gated = [PublicApiMethod(name, True, *each) for name, each in GATED.items()]
    return PublicApiDescriptor(
        "v1", NAME, gated + [PublicApiMethod(name, False, "none", "") for name in OPEN]
    )
