"""What operations and transactions come to, as XDR and as Horizon's words."""

from collections.abc import Sequence
from dataclasses import dataclass

from stellar_sdk import xdr
from stellar_sdk.xdr import (
    BumpSequenceResultCode,
    ChangeTrustResultCode,
    CreateAccountResultCode,
    OperationResultCode,
    OperationType,
    PaymentResultCode,
    TransactionResultCode,
)

from apexchainx.stellar import codes


@dataclass(frozen=True)
class OperationOutcome:
    """What one operation came to."""

    code: str
    result: xdr.OperationResult

    @property
    def is_success(self) -> bool:
        return self.code == "op_success"


@dataclass(frozen=True)
class TransactionOutcome:
    """What a transaction came to; `operations` has a code for each one that was looked at."""

    code: str
    operations: tuple[str, ...]
    result_xdr: str


def transaction(
    code: TransactionResultCode, fee: int, operations: Sequence[OperationOutcome] = ()
) -> TransactionOutcome:
    has_operations = code in {TransactionResultCode.txSUCCESS, TransactionResultCode.txFAILED}
    results = [each.result for each in operations] if has_operations else None
    result = xdr.TransactionResult(
        fee_charged=xdr.Int64(fee),
        result=xdr.TransactionResultResult(code, results=results),
        ext=xdr.TransactionResultExt(0),
    )
    return TransactionOutcome(
        codes.TRANSACTION_CODES[code], tuple(each.code for each in operations), result.to_xdr()
    )


def operation(code: OperationResultCode) -> OperationOutcome:
    return OperationOutcome(codes.OPERATION_CODES[code], xdr.OperationResult(code))


def payment(code: PaymentResultCode) -> OperationOutcome:
    tr = xdr.OperationResultTr(OperationType.PAYMENT, payment_result=xdr.PaymentResult(code))
    return _inner(codes.PAYMENT_CODES[code], tr)


def change_trust(code: ChangeTrustResultCode) -> OperationOutcome:
    result = xdr.ChangeTrustResult(code)
    tr = xdr.OperationResultTr(OperationType.CHANGE_TRUST, change_trust_result=result)
    return _inner(codes.CHANGE_TRUST_CODES[code], tr)


def create_account(code: CreateAccountResultCode) -> OperationOutcome:
    result = xdr.CreateAccountResult(code)
    tr = xdr.OperationResultTr(OperationType.CREATE_ACCOUNT, create_account_result=result)
    return _inner(codes.CREATE_ACCOUNT_CODES[code], tr)


def bump_sequence(code: BumpSequenceResultCode) -> OperationOutcome:
    tr = xdr.OperationResultTr(OperationType.BUMP_SEQUENCE, bump_seq_result=xdr.BumpSequenceResult(code))
    return _inner(codes.BUMP_SEQUENCE_CODES[code], tr)


def _inner(code: str, tr: xdr.OperationResultTr) -> OperationOutcome:
    return OperationOutcome(code, xdr.OperationResult(OperationResultCode.opINNER, tr=tr))
