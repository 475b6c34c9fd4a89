"""Calculations and violations of the last week per severity: four lanes of 32 bits in one number."""

from apexchainx.stellar.sandbox.soroban.contract import storage as keys
from apexchainx.stellar.sandbox.soroban.contract.call import Call
from apexchainx.stellar.sandbox.soroban.contract.storage import Key
from apexchainx.stellar.sandbox.soroban.contract.terms import SEVERITIES
from apexchainx.stellar.sandbox.soroban.contract.values import MAXIMUM_U32, SeverityTelemetry

WEEK = 7 * 24 * 60 * 60


def get_severity_telemetry(call: Call) -> list[SeverityTelemetry]:
    call.require_version()
    telemetry = []
    for lane, severity in enumerate(SEVERITIES):
        calculations = _lane(call, keys.CALCULATIONS, lane)
        violations = _lane(call, keys.VIOLATIONS, lane)
        rate = min(100, min(MAXIMUM_U32, violations * 100) // calculations) if calculations else 0
        telemetry.append(SeverityTelemetry(severity, calculations, violations, rate))
    return telemetry


def count(call: Call, severity: str, *, is_met: bool) -> None:
    """A custom severity counts as critical. A lane begins anew a week after its last count of either kind."""
    lane = SEVERITIES.index(severity) if severity in SEVERITIES else 0
    if any(_is_stale(call, key, lane) for key in (keys.LAST_CALCULATIONS, keys.LAST_VIOLATIONS)):
        _set_lane(call, keys.CALCULATIONS, lane, 0)
        _set_lane(call, keys.VIOLATIONS, lane, 0)
    _count_one(call, keys.CALCULATIONS, keys.LAST_CALCULATIONS, lane)
    if not is_met:
        _count_one(call, keys.VIOLATIONS, keys.LAST_VIOLATIONS, lane)


def _is_stale(call: Call, key: Key[int], lane: int) -> bool:
    last = _lane(call, key, lane)
    return last != 0 and call.now - last >= WEEK


def _count_one(call: Call, counter: Key[int], last: Key[int], lane: int) -> None:
    _set_lane(call, counter, lane, _lane(call, counter, lane) + 1)
    _set_lane(call, last, lane, call.now)


def _lane(call: Call, key: Key[int], lane: int) -> int:
    return (call.storage.get(key) or 0) >> 32 * lane & MAXIMUM_U32


def _set_lane(call: Call, key: Key[int], lane: int, value: int) -> None:
    packed = (call.storage.get(key) or 0) & ~(MAXIMUM_U32 << 32 * lane)
    call.storage.set(key, packed | min(MAXIMUM_U32, value) << 32 * lane)
