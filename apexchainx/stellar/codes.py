"""The words that Horizon has for result codes."""

import re
from enum import IntEnum
from functools import cache

from stellar_sdk import xdr
from stellar_sdk.xdr import OperationResultCode, TransactionResultCode

EXCEPTIONS = {
    "txNO_ACCOUNT": "tx_no_source_account",
    "txBAD_MIN_SEQ_AGE_OR_GAP": "tx_bad_minseq_age_or_gap",
    "opNO_ACCOUNT": "op_no_source_account",
    "CREATE_ACCOUNT_ALREADY_EXIST": "op_already_exists",
    "ALLOW_TRUST_NO_TRUST_LINE": "op_no_trustline",
    "ALLOW_TRUST_TRUST_NOT_REQUIRED": "op_not_required",
    "SET_TRUST_LINE_FLAGS_NO_TRUST_LINE": "op_no_trust",
    "ACCOUNT_MERGE_SEQNUM_TOO_FAR": "op_seq_num_too_far",
    "MANAGE_DATA_NAME_NOT_FOUND": "op_data_name_not_found",
    "MANAGE_DATA_INVALID_NAME": "op_data_invalid_name",
    "INVOKE_HOST_FUNCTION_TRAPPED": "function_trapped",
    "INVOKE_HOST_FUNCTION_RESOURCE_LIMIT_EXCEEDED": "resource_limit_exceeded",
    "INVOKE_HOST_FUNCTION_ENTRY_ARCHIVED": "entry_archived",
    "INVOKE_HOST_FUNCTION_INSUFFICIENT_REFUNDABLE_FEE": "insufficient_refundable_fee",
}


def word(code: IntEnum) -> str:
    """Horizon's word for a code of stellar-core: mostly its own name without the operation's."""
    return _word(type(code), code.name)


def of_operations(result_xdr: str) -> tuple[str, ...]:
    """The code of each operation in a transaction's result, inside a fee bump as well."""
    result = xdr.TransactionResult.from_xdr(result_xdr).result
    pair = result.inner_result_pair
    results = pair.result.result.results if pair else result.results
    return tuple(of_operation(each) for each in results or ())


def of_operation(result: xdr.OperationResult) -> str:
    return word(code_of(result))


def code_of(result: xdr.OperationResult) -> IntEnum:
    """What stellar-core says of an operation: a code of its own kind, or one that every kind knows."""
    if result.tr is None:
        return result.code
    codes = (getattr(arm, "code", None) for arm in vars(result.tr).values())
    return next(code for code in codes if isinstance(code, IntEnum))


@cache
def _word(kind: type[IntEnum], name: str) -> str:
    if name in EXCEPTIONS:
        return EXCEPTIONS[name]
    if kind in {TransactionResultCode, OperationResultCode}:
        return f"{name[:2]}_{name[2:].lower()}"
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("ResultCode")).upper()
    return f"op_{name.removeprefix(f'{prefix}_').lower()}"
