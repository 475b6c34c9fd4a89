"""Payments. The destination is judged before the source."""

from stellar_sdk import Asset, Payment
from stellar_sdk.xdr import PaymentResultCode

from apexchainx.stellar.sandbox.operations import holdings
from apexchainx.stellar.sandbox.place import Place


def check(operation: Payment, _source: str) -> PaymentResultCode:
    is_sound = holdings.stroops_of(operation.amount) > 0
    return PaymentResultCode.PAYMENT_SUCCESS if is_sound else PaymentResultCode.PAYMENT_MALFORMED


def pay(operation: Payment, place: Place) -> PaymentResultCode:
    asset, destination = operation.asset, operation.destination.account_id
    stroops = holdings.stroops_of(operation.amount)
    if destination != asset.issuer and place.store.account(destination) is None:
        return PaymentResultCode.PAYMENT_NO_DESTINATION
    if asset.is_native() and destination == place.source:
        return PaymentResultCode.PAYMENT_SUCCESS
    refusal = _refuse_destination(place, destination, asset, stroops) or _refuse_source(place, asset, stroops)
    if refusal is not None:
        return refusal
    holdings.move(place, place.source, asset, -stroops)
    holdings.move(place, destination, asset, stroops)
    return PaymentResultCode.PAYMENT_SUCCESS


def _refuse_destination(
    place: Place, destination: str, asset: Asset, stroops: int
) -> PaymentResultCode | None:
    holding = holdings.of(place, destination, asset)
    if not holding.exists:
        return PaymentResultCode.PAYMENT_NO_TRUST
    if not holding.is_authorized:
        return PaymentResultCode.PAYMENT_NOT_AUTHORIZED
    return PaymentResultCode.PAYMENT_LINE_FULL if stroops > holding.room else None


def _refuse_source(place: Place, asset: Asset, stroops: int) -> PaymentResultCode | None:
    holding = holdings.of(place, place.source, asset)
    if not holding.exists:
        return PaymentResultCode.PAYMENT_SRC_NO_TRUST
    if not holding.is_authorized:
        return PaymentResultCode.PAYMENT_SRC_NOT_AUTHORIZED
    return PaymentResultCode.PAYMENT_UNDERFUNDED if stroops > holding.available else None
