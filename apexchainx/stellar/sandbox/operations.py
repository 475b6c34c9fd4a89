"""What each operation does to the ledger, and why it may refuse; codes and order are stellar-core's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stellar_sdk import (
    Asset,
    BumpSequence,
    ChangeTrust,
    CreateAccount,
    LiquidityPoolAsset,
    Payment,
    TransactionEnvelope,
)
from stellar_sdk.operation import Operation
from stellar_sdk.xdr import (
    BumpSequenceResultCode,
    ChangeTrustResultCode,
    CreateAccountResultCode,
    OperationResultCode,
    PaymentResultCode,
)

from apexchainx.stellar.sandbox import results
from apexchainx.stellar.sandbox.amounts import BASE_RESERVE, MAXIMUM
from apexchainx.stellar.sandbox.results import OperationOutcome
from apexchainx.stellar.sandbox.store import Account, Line, Store

MAXIMUM_LINES = 1000


@dataclass(frozen=True)
class Place:
    """Where an operation runs: the account it acts for, and the ledger that is being closed."""

    store: Store
    source: str
    ledger: int

    def account(self) -> Account:
        account = self.store.account(self.source)
        if account is None:
            raise LookupError(self.source)
        return account


def source_of(operation: Operation, envelope: TransactionEnvelope) -> str:
    """The account that an operation acts for."""
    return (operation.source or envelope.transaction.source).account_id


def check(operation: Operation, source: str) -> OperationOutcome:
    """The checks that need no ledger."""
    match operation:
        case Payment():
            is_sound = _stroops(operation.amount) > 0
            code = PaymentResultCode.PAYMENT_SUCCESS if is_sound else PaymentResultCode.PAYMENT_MALFORMED
            return results.payment(code)
        case ChangeTrust():
            return results.change_trust(_check_change_trust(operation, source))
        case CreateAccount():
            is_sound = operation.destination != source and _stroops(operation.starting_balance) >= 0
            if is_sound:
                return results.create_account(CreateAccountResultCode.CREATE_ACCOUNT_SUCCESS)
            return results.create_account(CreateAccountResultCode.CREATE_ACCOUNT_MALFORMED)
        case BumpSequence():
            is_sound = operation.bump_to >= 0
            codes = BumpSequenceResultCode
            return results.bump_sequence(
                codes.BUMP_SEQUENCE_SUCCESS if is_sound else codes.BUMP_SEQUENCE_BAD_SEQ
            )
    return results.operation(OperationResultCode.opNOT_SUPPORTED)


def apply(operation: Operation, place: Place) -> OperationOutcome:
    """Change the ledger, or say why not. A refused operation has changed nothing."""
    if place.store.account(place.source) is None:
        return results.operation(OperationResultCode.opNO_ACCOUNT)
    effects: dict[type[Operation], Callable[[Any, Place], OperationOutcome]] = {
        Payment: _pay,
        ChangeTrust: _change_trust,
        CreateAccount: _create_account,
        BumpSequence: _bump_sequence,
    }
    return effects[type(operation)](operation, place)


def _pay(operation: Payment, place: Place) -> OperationOutcome:
    stroops, destination = _stroops(operation.amount), operation.destination.account_id
    if operation.asset.is_native():
        return results.payment(_pay_native(place, destination, stroops))
    return results.payment(_pay_issued(place, destination, operation.asset, stroops))


def _pay_native(place: Place, destination: str, stroops: int) -> PaymentResultCode:
    if place.store.account(destination) is None:
        return PaymentResultCode.PAYMENT_NO_DESTINATION
    if destination == place.source:
        return PaymentResultCode.PAYMENT_SUCCESS
    if stroops > place.account().available:
        return PaymentResultCode.PAYMENT_UNDERFUNDED
    place.store.move(place.source, -stroops, modified=place.ledger)
    place.store.move(destination, stroops, modified=place.ledger)
    return PaymentResultCode.PAYMENT_SUCCESS


def _pay_issued(place: Place, destination: str, asset: Asset, stroops: int) -> PaymentResultCode:
    """The issuer has no trustline that could change: from it this mints, to it this burns."""
    refusal = _refuse_destination(place, destination, asset, stroops) or _refuse_source(place, asset, stroops)
    if refusal is not None:
        return refusal
    for address, change in ((place.source, -stroops), (destination, stroops)):
        place.store.move_line(address, *_name(asset), change, modified=place.ledger)
    return PaymentResultCode.PAYMENT_SUCCESS


def _refuse_destination(
    place: Place, destination: str, asset: Asset, stroops: int
) -> PaymentResultCode | None:
    if destination == asset.issuer:
        return None
    if place.store.account(destination) is None:
        return PaymentResultCode.PAYMENT_NO_DESTINATION
    line = place.store.line(destination, *_name(asset))
    if line is None:
        return PaymentResultCode.PAYMENT_NO_TRUST
    return PaymentResultCode.PAYMENT_LINE_FULL if line.balance + stroops > line.ceiling else None


def _refuse_source(place: Place, asset: Asset, stroops: int) -> PaymentResultCode | None:
    if place.source == asset.issuer:
        return None
    line = place.store.line(place.source, *_name(asset))
    if line is None:
        return PaymentResultCode.PAYMENT_SRC_NO_TRUST
    return PaymentResultCode.PAYMENT_UNDERFUNDED if line.balance < stroops else None


def _check_change_trust(operation: ChangeTrust, source: str) -> ChangeTrustResultCode:
    asset = operation.asset
    is_issued = isinstance(asset, Asset) and not asset.is_native() and asset.issuer != source
    if is_issued and 0 <= _stroops(operation.limit) <= MAXIMUM:
        return ChangeTrustResultCode.CHANGE_TRUST_SUCCESS
    return ChangeTrustResultCode.CHANGE_TRUST_MALFORMED


def _change_trust(operation: ChangeTrust, place: Place) -> OperationOutcome:
    asset, ceiling = operation.asset, _stroops(operation.limit)
    if isinstance(asset, LiquidityPoolAsset):
        return results.change_trust(ChangeTrustResultCode.CHANGE_TRUST_MALFORMED)
    line = place.store.line(place.source, *_name(asset))
    if ceiling < (line.balance if line else 1):
        return results.change_trust(ChangeTrustResultCode.CHANGE_TRUST_INVALID_LIMIT)
    if ceiling == 0:
        place.store.drop_line(place.source, *_name(asset))
        return results.change_trust(ChangeTrustResultCode.CHANGE_TRUST_SUCCESS)
    refusal = _refuse_line(place, asset, line)
    if refusal is not None:
        return refusal
    place.store.set_line(place.source, *_name(asset), ceiling=ceiling, modified=place.ledger)
    return results.change_trust(ChangeTrustResultCode.CHANGE_TRUST_SUCCESS)


def _refuse_line(place: Place, asset: Asset, line: Line | None) -> OperationOutcome | None:
    if place.store.account(asset.issuer or "") is None:
        return results.change_trust(ChangeTrustResultCode.CHANGE_TRUST_NO_ISSUER)
    if line is not None:
        return None
    account = place.account()
    if account.lines >= MAXIMUM_LINES:
        return results.operation(OperationResultCode.opTOO_MANY_SUBENTRIES)
    if account.available < BASE_RESERVE:
        return results.change_trust(ChangeTrustResultCode.CHANGE_TRUST_LOW_RESERVE)
    return None


def _create_account(operation: CreateAccount, place: Place) -> OperationOutcome:
    stroops, codes = _stroops(operation.starting_balance), CreateAccountResultCode
    if place.store.account(operation.destination) is not None:
        return results.create_account(codes.CREATE_ACCOUNT_ALREADY_EXIST)
    if stroops < 2 * BASE_RESERVE:
        return results.create_account(codes.CREATE_ACCOUNT_LOW_RESERVE)
    if stroops > place.account().available:
        return results.create_account(codes.CREATE_ACCOUNT_UNDERFUNDED)
    place.store.move(place.source, -stroops, modified=place.ledger)
    place.store.add_account(
        operation.destination, sequence=place.ledger << 32, balance=stroops, modified=place.ledger
    )
    return results.create_account(codes.CREATE_ACCOUNT_SUCCESS)


def _bump_sequence(operation: BumpSequence, place: Place) -> OperationOutcome:
    sequence = max(place.account().sequence, operation.bump_to)
    place.store.set_sequence(place.source, sequence)
    return results.bump_sequence(BumpSequenceResultCode.BUMP_SEQUENCE_SUCCESS)


def _stroops(amount: str) -> int:
    return Operation.to_xdr_amount(amount)


def _name(asset: Asset) -> tuple[str, str]:
    return asset.code, asset.issuer or ""
