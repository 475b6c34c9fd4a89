"""The calculation: the amount of an outage, whether it is new, and what is remembered of it."""

from dataclasses import replace

from apexchainx.stellar.contract_errors import SLAError
from apexchainx.stellar.sandbox.soroban.contract import storage as keys
from apexchainx.stellar.sandbox.soroban.contract import telemetry
from apexchainx.stellar.sandbox.soroban.contract.call import Call
from apexchainx.stellar.sandbox.soroban.contract.errors import Refusal
from apexchainx.stellar.sandbox.soroban.contract.history import DEFAULT_RETENTION, history
from apexchainx.stellar.sandbox.soroban.contract.terms import terms_of, version_hash
from apexchainx.stellar.sandbox.soroban.contract.values import (
    MAXIMUM_I128,
    MAXIMUM_U64,
    U32,
    U64,
    Address,
    SLAConfig,
    SLAResult,
    SLAStats,
    Symbol,
)

MAXIMUM_GENERATIONS = 16


def calculate_sla(
    call: Call, caller: Address, outage_id: Symbol, severity: Symbol, mttr_minutes: U32
) -> SLAResult:
    call.require_version()
    if call.is_set(keys.PAUSED):
        raise Refusal(SLAError.ContractPaused)
    call.require_role(keys.OPERATOR, caller)
    result = _result(call, outage_id, severity, mttr_minutes, call.now)
    earlier = _duplicate(call, severity, result)
    if earlier is not None:
        return earlier
    _remember(call, result)
    telemetry.count(call, severity, is_met=result.status == "met")
    _add_to_stats(call, result)
    _publish(call, severity, result)
    return result


def calculate_sla_view(call: Call, outage_id: Symbol, severity: Symbol, mttr_minutes: U32) -> SLAResult:
    call.require_version()
    return _result(call, outage_id, severity, mttr_minutes, call.now)


def replay_calculate_sla(
    call: Call, outage_id: Symbol, severity: Symbol, mttr_minutes: U32, recorded_at_ledger: U64
) -> tuple[SLAResult, U64]:
    """Under the configuration of today, whatever `recorded_at_ledger` says."""
    call.require_version()
    result = _result(call, outage_id, severity, mttr_minutes, recorded_at_ledger)
    return result, result.config_version_hash


def _result(call: Call, outage_id: str, severity: str, minutes: int, recorded_at: int) -> SLAResult:
    terms = terms_of(call, severity)
    hash_ = version_hash(call)
    amount, rating = judged(minutes, terms)
    status, payment_type = ("met", "rew") if amount > 0 else ("viol", "pen")
    return SLAResult(
        outage_id, status, minutes, terms.threshold_minutes, amount, payment_type, rating, hash_, recorded_at
    )


def judged(minutes: int, terms: SLAConfig) -> tuple[int, str]:
    """The amount and the rating; every intermediate value must fit 128 bits."""
    if minutes > terms.threshold_minutes:
        amount = -(minutes - terms.threshold_minutes) * terms.penalty_per_minute
        if not -MAXIMUM_I128 <= amount < 0:
            raise Refusal(SLAError.InvalidPenaltyAmount)
        return amount, "poor"
    ratio = minutes * 100 // terms.threshold_minutes if terms.threshold_minutes else 0
    percent, rating = (200, "top") if ratio < 50 else (150, "excel") if ratio < 75 else (100, "good")
    product = terms.reward_base * percent
    if not 100 <= product <= MAXIMUM_I128:
        raise Refusal(SLAError.InvalidRewardAmount)
    return product // 100, rating


def _duplicate(call: Call, severity: str, result: SLAResult) -> SLAResult | None:
    """The stored result where the call only repeats it; a different one needs a new configuration first."""
    earlier = [each for each in history(call) if each.outage_id == result.outage_id]
    if not earlier:
        return None
    newest = earlier[-1]
    if newest.config_version_hash == result.config_version_hash:
        same = (newest.mttr_minutes, newest.threshold_minutes)
        if same == (result.mttr_minutes, result.threshold_minutes):
            return newest
        _publish_duplicate(call, severity, newest)
        raise Refusal(SLAError.DuplicateOutageInput)
    if len(earlier) >= MAXIMUM_GENERATIONS:
        raise Refusal(SLAError.OutageRecalcLimit)
    return None


def _remember(call: Call, result: SLAResult) -> None:
    """Over the limit exactly one goes, the oldest, however far over."""
    kept = [*history(call), result]
    limit = call.storage.get(keys.RETENTION_LIMIT) or DEFAULT_RETENTION
    call.storage.set(keys.HISTORY, kept[1:] if len(kept) > limit else kept)


def _add_to_stats(call: Call, result: SLAResult) -> None:
    stats = call.storage.get(keys.STATS) or SLAStats()
    calculations = _added(call, "totcalc", stats.total_calculations, 1, limit=MAXIMUM_U64)
    stats = replace(stats, total_calculations=calculations)
    if result.status == "met":
        rewards = _added(call, "totrew", stats.total_rewards, result.amount, limit=MAXIMUM_I128)
        stats = replace(stats, total_rewards=rewards)
    else:
        violations = _added(call, "totviol", stats.total_violations, 1, limit=MAXIMUM_U64)
        penalties = _added(call, "totpen", stats.total_penalties, -result.amount, limit=MAXIMUM_I128)
        stats = replace(stats, total_violations=violations, total_penalties=penalties)
    call.storage.set(keys.STATS, stats)


def _added(call: Call, counter: str, previous: int, increment: int, *, limit: int) -> int:
    """A counter that is full stays full, and says so."""
    if previous + increment <= limit:
        return previous + increment
    call.publish("stats_sat", counter, counter, previous, increment)
    return limit


def _publish(call: Call, severity: str, result: SLAResult) -> None:
    call.publish(
        "sla_calc",
        severity,
        result.outage_id,
        result.status,
        result.payment_type,
        result.rating,
        result.mttr_minutes,
        result.threshold_minutes,
        result.amount,
    )
    call.publish(
        "set_int",
        severity,
        result.outage_id,
        result.status,
        result.payment_type,
        result.amount,
        result.config_version_hash,
        result.recorded_at,
    )


def _publish_duplicate(call: Call, severity: str, stored: SLAResult) -> None:
    call.publish(
        "dup_input",
        severity,
        stored.outage_id,
        stored.status,
        stored.mttr_minutes,
        stored.threshold_minutes,
        stored.amount,
        stored.payment_type,
        stored.rating,
        stored.config_version_hash,
        stored.recorded_at,
    )
