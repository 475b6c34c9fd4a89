"""What the contract answers without a transaction."""

from typing import Any

from django.conf import settings

from apexchainx.errors import Unavailable
from apexchainx.stellar.contract_errors import SLAError
from apexchainx.stellar.soroban import invocations
from apexchainx.stellar.soroban.connection import NULL_ACCOUNT, connected, invoking
from apexchainx.stellar.soroban.failures import ContractRefused, refused
from apexchainx.stellar.soroban.invocations import Argument
from apexchainx.stellar.soroban.records import Calculation, Config, Health, Roles, Standing, Terms

RESULT_FIELDS = 9


def calculate_view(outage: str, severity: str, minutes: int) -> Calculation:
    """What the contract would decide now. Raises ContractRefused, and Unavailable."""
    value = _view("calculate_sla_view", *invocations.calculation(outage, severity, minutes))
    return _calculation(value)


def latest_result(outage: str) -> Calculation | None:
    """The newest result that the contract retains of an outage. Raises ContractRefused, and Unavailable."""
    value = _view("get_latest_by_outage", ("symbol", invocations.outage_symbol(outage)))
    return None if value is None else _calculation(value)


def config() -> Config:
    """Raises ContractRefused, and Unavailable."""
    snapshot, version_hash = _view("get_config_snapshot"), _view("get_config_version_hash")
    terms = {each["severity"]: Terms(**each["config"]) for each in snapshot["entries"]}
    return Config(terms, version_hash)


def retention_limit() -> int:
    """How many results the contract keeps. Raises ContractRefused, and Unavailable."""
    return int(_view("get_retention_limit"))


def roles() -> Roles:
    """Raises ContractRefused, and Unavailable."""
    names = ("get_admin", "get_operator", "get_pending_admin", "get_pending_operator")
    admin, operator, pending_admin, pending_operator = (_view(name) for name in names)
    return Roles(
        admin.address,
        operator.address,
        pending_admin.address if pending_admin else None,
        pending_operator.address if pending_operator else None,
    )


def health() -> Health:
    """Version, schema and pause, as every start of the bridge must ask. Raises Unavailable."""
    try:
        version = _view("get_version_info")
    except ContractRefused as refusal:
        if refusal.error != SLAError.NotInitialized.name:
            raise
        return Health(Standing.NOT_INITIALIZED)
    pause = _view("get_pause_info") if version["is_paused"] and not version["needs_migration"] else None
    return Health(
        standing=_standing(version),
        storage_version=version["storage_version"],
        result_schema_version=version["result_schema_version"],
        needs_migration=version["needs_migration"],
        is_paused=version["is_paused"],
        pause_reason=_text(pause["reason"]) if pause else "",
    )


def _standing(version: dict[str, Any]) -> Standing:
    """What is worst comes first: a wrong schema makes every result unreadable, a pause only waits."""
    if version["needs_migration"]:
        state = _view("get_migration_state")
        is_older = state["stored_version"] < state["expected_version"]
        return Standing.NEEDS_MIGRATION if is_older else Standing.TOO_NEW
    if _view("get_result_schema")["result_field_count"] != RESULT_FIELDS:
        return Standing.UNKNOWN_SCHEMA
    return Standing.PAUSED if version["is_paused"] else Standing.READY


def _view(function: str, *arguments: Argument) -> Any:
    from stellar_sdk import Account, TransactionBuilder, scval

    values = invocations.values(arguments)
    with connected() as server:
        builder = TransactionBuilder(Account(NULL_ACCOUNT, 0), settings.STELLAR_NETWORK_PASSPHRASE)
        envelope = invoking(builder, function, values, max_time=0).build()
        simulation = server.simulate_transaction(envelope)
        if simulation.error:
            raise refused(simulation.error)
        (result,) = simulation.results or []
        return scval.to_native(result.xdr)


def _calculation(value: Any) -> Calculation:
    try:
        return Calculation.read(value)
    except (LookupError, TypeError, ValueError) as error:
        message = "The contract answers something that is no result."
        raise Unavailable(message, code="STELLAR_CONTRACT_ERROR") from error


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")
