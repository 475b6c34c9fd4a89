"""What operations and transactions come to, as XDR and as Horizon's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

from stellar_sdk import xdr
from stellar_sdk.xdr import OperationResultCode, OperationType, TransactionResultCode

from apexchainx.stellar import codes

HAVE_OPERATIONS = {TransactionResultCode.txSUCCESS, TransactionResultCode.txFAILED}


class Kind(NamedTuple):
    """Where an operation's result stands in XDR, and what a success says where nothing happened yet."""

    operation: OperationType
    arm: str
    result: type[Any]
    nothing: dict[str, Any]


KINDS: dict[type[IntEnum], Kind] = {
    xdr.PaymentResultCode: Kind(OperationType.PAYMENT, "payment_result", xdr.PaymentResult, {}),
    xdr.CreateAccountResultCode: Kind(
        OperationType.CREATE_ACCOUNT, "create_account_result", xdr.CreateAccountResult, {}
    ),
    xdr.ChangeTrustResultCode: Kind(
        OperationType.CHANGE_TRUST, "change_trust_result", xdr.ChangeTrustResult, {}
    ),
    xdr.AllowTrustResultCode: Kind(OperationType.ALLOW_TRUST, "allow_trust_result", xdr.AllowTrustResult, {}),
    xdr.SetTrustLineFlagsResultCode: Kind(
        OperationType.SET_TRUST_LINE_FLAGS, "set_trust_line_flags_result", xdr.SetTrustLineFlagsResult, {}
    ),
    xdr.SetOptionsResultCode: Kind(OperationType.SET_OPTIONS, "set_options_result", xdr.SetOptionsResult, {}),
    xdr.ManageDataResultCode: Kind(OperationType.MANAGE_DATA, "manage_data_result", xdr.ManageDataResult, {}),
    xdr.BumpSequenceResultCode: Kind(
        OperationType.BUMP_SEQUENCE, "bump_seq_result", xdr.BumpSequenceResult, {}
    ),
    xdr.AccountMergeResultCode: Kind(
        OperationType.ACCOUNT_MERGE,
        "account_merge_result",
        xdr.AccountMergeResult,
        {"source_account_balance": xdr.Int64(0)},
    ),
    xdr.CreateClaimableBalanceResultCode: Kind(
        OperationType.CREATE_CLAIMABLE_BALANCE,
        "create_claimable_balance_result",
        xdr.CreateClaimableBalanceResult,
        {"balance_id": xdr.ClaimableBalanceID.from_xdr_bytes(bytes(36))},
    ),
    xdr.ClaimClaimableBalanceResultCode: Kind(
        OperationType.CLAIM_CLAIMABLE_BALANCE,
        "claim_claimable_balance_result",
        xdr.ClaimClaimableBalanceResult,
        {},
    ),
    xdr.InvokeHostFunctionResultCode: Kind(
        OperationType.INVOKE_HOST_FUNCTION,
        "invoke_host_function_result",
        xdr.InvokeHostFunctionResult,
        {"success": xdr.Hash(bytes(32))},
    ),
}


@dataclass(frozen=True)
class OperationOutcome:
    """What one operation came to; a contract call gives the transaction's meta, too."""

    code: str
    result: xdr.OperationResult
    meta_xdr: str = ""

    @property
    def is_success(self) -> bool:
        return self.code == "op_success"


@dataclass(frozen=True)
class TransactionOutcome:
    """What a transaction came to; `operations` has a code for each one that was looked at.

    `inner` is the code of the transaction inside a fee bump.
    """

    code: str
    operations: tuple[str, ...]
    result_xdr: str
    inner: str = ""


def operation(code: IntEnum, **facts: Any) -> OperationOutcome:
    """An operation's outcome by its code; `facts` is what else its XDR result holds."""
    if isinstance(code, OperationResultCode):
        return OperationOutcome(codes.word(code), xdr.OperationResult(code))
    kind = KINDS[type(code)]
    result = kind.result(code, **(facts or (kind.nothing if code == 0 else {})))
    tr = xdr.OperationResultTr(kind.operation, **{kind.arm: result})
    return OperationOutcome(codes.word(code), xdr.OperationResult(OperationResultCode.opINNER, tr=tr))


def transaction(
    code: TransactionResultCode, fee: int, operations: Sequence[OperationOutcome] = ()
) -> TransactionOutcome:
    results = [each.result for each in operations] if code in HAVE_OPERATIONS else None
    outcome = xdr.TransactionResultResult(code, results=results)
    words = tuple(each.code for each in operations)
    return TransactionOutcome(codes.word(code), words, _result(fee, outcome).to_xdr())


def bumped(inner: TransactionOutcome, hash_: bytes, fee: int) -> TransactionOutcome:
    """The outcome of a fee bump around a transaction that came to this."""
    result = xdr.TransactionResult.from_xdr(inner.result_xdr).result
    is_success = result.code == TransactionResultCode.txSUCCESS
    code = (
        TransactionResultCode.txFEE_BUMP_INNER_SUCCESS
        if is_success
        else TransactionResultCode.txFEE_BUMP_INNER_FAILED
    )
    inside = xdr.InnerTransactionResult(
        fee_charged=xdr.Int64(0),
        result=xdr.InnerTransactionResultResult(result.code, results=result.results),
        ext=xdr.InnerTransactionResultExt(0),
    )
    pair = xdr.InnerTransactionResultPair(xdr.Hash(hash_), inside)
    outcome = xdr.TransactionResultResult(code, inner_result_pair=pair)
    return TransactionOutcome(
        codes.word(code), inner.operations, _result(fee, outcome).to_xdr(), inner=inner.code
    )


def recorded(result_xdr: str) -> TransactionOutcome:
    """The outcome that this XDR result tells of."""
    result = xdr.TransactionResult.from_xdr(result_xdr).result
    pair = result.inner_result_pair
    return TransactionOutcome(
        codes.word(result.code),
        codes.of_operations(result_xdr),
        result_xdr,
        inner=codes.word(pair.result.result.code) if pair else "",
    )


def _result(fee: int, result: xdr.TransactionResultResult) -> xdr.TransactionResult:
    return xdr.TransactionResult(xdr.Int64(fee), result, xdr.TransactionResultExt(0))
