"""Trustlines: made, changed and removed by their owner, authorized by the issuer."""

from stellar_sdk import AllowTrust, Asset, ChangeTrust, LiquidityPoolAsset, SetTrustLineFlags
from stellar_sdk.xdr import (
    AllowTrustResultCode,
    ChangeTrustResultCode,
    OperationResultCode,
    SetTrustLineFlagsResultCode,
)

from apexchainx.stellar.sandbox.amounts import MAXIMUM
from apexchainx.stellar.sandbox.operations import reserves
from apexchainx.stellar.sandbox.operations.holdings import name, stroops_of
from apexchainx.stellar.sandbox.place import Place

REQUIRED, REVOCABLE = 1, 2
AUTHORIZED, MAINTAINED = 1, 2
BOTH, ALL = 3, 7


def check_change(operation: ChangeTrust, source: str) -> ChangeTrustResultCode:
    asset = operation.asset
    is_issued = isinstance(asset, Asset) and not asset.is_native() and asset.issuer != source
    if is_issued and 0 <= stroops_of(operation.limit) <= MAXIMUM:
        return ChangeTrustResultCode.CHANGE_TRUST_SUCCESS
    return ChangeTrustResultCode.CHANGE_TRUST_MALFORMED


def change(operation: ChangeTrust, place: Place) -> ChangeTrustResultCode | OperationResultCode:
    asset, ceiling, codes = operation.asset, stroops_of(operation.limit), ChangeTrustResultCode
    if isinstance(asset, LiquidityPoolAsset):
        return codes.CHANGE_TRUST_MALFORMED
    line = place.store.line(place.source, *name(asset))
    if ceiling < (line.balance if line else 1):
        return codes.CHANGE_TRUST_INVALID_LIMIT
    if ceiling == 0:
        place.store.drop_line(place.source, *name(asset))
        return codes.CHANGE_TRUST_SUCCESS
    issuer = place.store.account(asset.issuer or "")
    if issuer is None:
        return codes.CHANGE_TRUST_NO_ISSUER
    refusal = None if line else reserves.refuse_entry(place.account(), codes.CHANGE_TRUST_LOW_RESERVE)
    if refusal is not None:
        return refusal
    flags = 0 if issuer.flags & REQUIRED else AUTHORIZED
    modified = place.ledger.sequence
    place.store.set_line(place.source, *name(asset), ceiling=ceiling, modified=modified, flags=flags)
    return codes.CHANGE_TRUST_SUCCESS


def check_flags(operation: SetTrustLineFlags, source: str) -> SetTrustLineFlagsResultCode:
    given, taken = int(operation.set_flags or 0), int(operation.clear_flags or 0)
    is_own = not operation.asset.is_native() and operation.asset.issuer == source != operation.trustor
    if is_own and given < BOTH and taken <= ALL and not given & taken:
        return SetTrustLineFlagsResultCode.SET_TRUST_LINE_FLAGS_SUCCESS
    return SetTrustLineFlagsResultCode.SET_TRUST_LINE_FLAGS_MALFORMED


def set_flags(operation: SetTrustLineFlags, place: Place) -> SetTrustLineFlagsResultCode:
    codes = SetTrustLineFlagsResultCode
    given, taken = int(operation.set_flags or 0), int(operation.clear_flags or 0)
    if taken & BOTH and not given & AUTHORIZED and not place.account().flags & REVOCABLE:
        return codes.SET_TRUST_LINE_FLAGS_CANT_REVOKE
    line = place.store.line(operation.trustor, *name(operation.asset))
    if line is None:
        return codes.SET_TRUST_LINE_FLAGS_NO_TRUST_LINE
    flags = line.flags & ~taken | given
    if flags & BOTH == BOTH:
        return codes.SET_TRUST_LINE_FLAGS_INVALID_STATE
    modified = place.ledger.sequence
    place.store.set_line_flags(operation.trustor, *name(operation.asset), flags, modified=modified)
    return codes.SET_TRUST_LINE_FLAGS_SUCCESS


def check_allowance(operation: AllowTrust, source: str) -> AllowTrustResultCode:
    is_sound = operation.authorize < BOTH and operation.trustor != source
    codes = AllowTrustResultCode
    return codes.ALLOW_TRUST_SUCCESS if is_sound else codes.ALLOW_TRUST_MALFORMED


def allow(operation: AllowTrust, place: Place) -> AllowTrustResultCode:
    codes, code = AllowTrustResultCode, operation.asset_code
    is_revocable = place.account().flags & REVOCABLE
    if not operation.authorize and not is_revocable:
        return codes.ALLOW_TRUST_CANT_REVOKE
    line = place.store.line(operation.trustor, code, place.source)
    if line is None:
        return codes.ALLOW_TRUST_NO_TRUST_LINE
    if operation.authorize == MAINTAINED and line.is_authorized and not is_revocable:
        return codes.ALLOW_TRUST_CANT_REVOKE
    flags = line.flags & ~BOTH | operation.authorize
    modified = place.ledger.sequence
    place.store.set_line_flags(operation.trustor, code, place.source, flags, modified=modified)
    return codes.ALLOW_TRUST_SUCCESS
