"""The results that the contract retains, oldest first, and how they are pruned."""

from apexchainx.stellar.contract_errors import SLAError
from apexchainx.stellar.sandbox.soroban.contract import storage as keys
from apexchainx.stellar.sandbox.soroban.contract.call import Call
from apexchainx.stellar.sandbox.soroban.contract.errors import Refusal
from apexchainx.stellar.sandbox.soroban.contract.values import U32, U64, Address, SLAResult, Symbol

DEFAULT_RETENTION = 1000


def get_history(call: Call) -> list[SLAResult]:
    call.require_version()
    return history(call)


def get_history_page(call: Call, offset: U32, limit: U32) -> list[SLAResult]:
    call.require_version()
    return history(call)[offset : offset + limit]


def get_history_by_outage(call: Call, outage_id: Symbol) -> list[SLAResult]:
    call.require_version()
    return [each for each in history(call) if each.outage_id == outage_id]


def get_latest_by_outage(call: Call, outage_id: Symbol) -> SLAResult | None:
    found = get_history_by_outage(call, outage_id)
    return found[-1] if found else None


def prune_history(call: Call, caller: Address, keep_latest: U32) -> None:
    call.require_admin(caller)
    retained = history(call)
    removed = len(retained) - keep_latest
    if removed > 0:
        call.storage.set(keys.HISTORY, retained[removed:])
        call.publish("pruned", caller, removed, keep_latest)


def prune_history_by_age(call: Call, caller: Address, min_age_seconds: U64) -> None:
    call.require_admin(caller)
    retained = history(call)
    cutoff = max(0, call.now - min_age_seconds)
    kept = [each for each in retained if each.recorded_at >= cutoff]
    if len(kept) < len(retained):
        call.storage.set(keys.HISTORY, kept)
        call.publish("pruned_a", caller, len(retained) - len(kept), len(kept))


def set_retention_limit(call: Call, caller: Address, limit: U32) -> None:
    call.require_admin(caller)
    if not 1 <= limit <= DEFAULT_RETENTION:
        raise Refusal(SLAError.RetentionLimitOutOfRange)
    call.storage.set(keys.RETENTION_LIMIT, limit)


def get_retention_limit(call: Call) -> U32:
    call.require_version()
    return call.storage.get(keys.RETENTION_LIMIT) or DEFAULT_RETENTION


def history(call: Call) -> list[SLAResult]:
    return call.storage.get(keys.HISTORY) or []
