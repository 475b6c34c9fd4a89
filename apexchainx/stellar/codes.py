"""The words that Horizon has for result codes."""

from stellar_sdk import xdr
from stellar_sdk.xdr import (
    BumpSequenceResultCode,
    ChangeTrustResultCode,
    CreateAccountResultCode,
    OperationResultCode,
    PaymentResultCode,
    TransactionResultCode,
)

TRANSACTION_CODES = {
    TransactionResultCode.txSUCCESS: "tx_success",
    TransactionResultCode.txFAILED: "tx_failed",
    TransactionResultCode.txTOO_EARLY: "tx_too_early",
    TransactionResultCode.txTOO_LATE: "tx_too_late",
    TransactionResultCode.txMISSING_OPERATION: "tx_missing_operation",
    TransactionResultCode.txBAD_SEQ: "tx_bad_seq",
    TransactionResultCode.txBAD_AUTH: "tx_bad_auth",
    TransactionResultCode.txINSUFFICIENT_BALANCE: "tx_insufficient_balance",
    TransactionResultCode.txNO_ACCOUNT: "tx_no_source_account",
    TransactionResultCode.txINSUFFICIENT_FEE: "tx_insufficient_fee",
    TransactionResultCode.txBAD_AUTH_EXTRA: "tx_bad_auth_extra",
    TransactionResultCode.txNOT_SUPPORTED: "tx_not_supported",
}
OPERATION_CODES = {
    OperationResultCode.opBAD_AUTH: "op_bad_auth",
    OperationResultCode.opNO_ACCOUNT: "op_no_source_account",
    OperationResultCode.opNOT_SUPPORTED: "op_not_supported",
    OperationResultCode.opTOO_MANY_SUBENTRIES: "op_too_many_subentries",
    OperationResultCode.opEXCEEDED_WORK_LIMIT: "op_exceeded_work_limit",
    OperationResultCode.opTOO_MANY_SPONSORING: "op_too_many_sponsoring",
}
PAYMENT_CODES = {
    PaymentResultCode.PAYMENT_SUCCESS: "op_success",
    PaymentResultCode.PAYMENT_MALFORMED: "op_malformed",
    PaymentResultCode.PAYMENT_UNDERFUNDED: "op_underfunded",
    PaymentResultCode.PAYMENT_SRC_NO_TRUST: "op_src_no_trust",
    PaymentResultCode.PAYMENT_SRC_NOT_AUTHORIZED: "op_src_not_authorized",
    PaymentResultCode.PAYMENT_NO_DESTINATION: "op_no_destination",
    PaymentResultCode.PAYMENT_NO_TRUST: "op_no_trust",
    PaymentResultCode.PAYMENT_NOT_AUTHORIZED: "op_not_authorized",
    PaymentResultCode.PAYMENT_NO_ISSUER: "op_no_issuer",
    PaymentResultCode.PAYMENT_LINE_FULL: "op_line_full",
}
CHANGE_TRUST_CODES = {
    ChangeTrustResultCode.CHANGE_TRUST_SUCCESS: "op_success",
    ChangeTrustResultCode.CHANGE_TRUST_MALFORMED: "op_malformed",
    ChangeTrustResultCode.CHANGE_TRUST_NO_ISSUER: "op_no_issuer",
    ChangeTrustResultCode.CHANGE_TRUST_INVALID_LIMIT: "op_invalid_limit",
    ChangeTrustResultCode.CHANGE_TRUST_LOW_RESERVE: "op_low_reserve",
    ChangeTrustResultCode.CHANGE_TRUST_SELF_NOT_ALLOWED: "op_self_not_allowed",
    ChangeTrustResultCode.CHANGE_TRUST_TRUST_LINE_MISSING: "op_trust_line_missing",
    ChangeTrustResultCode.CHANGE_TRUST_CANNOT_DELETE: "op_cannot_delete",
    ChangeTrustResultCode.CHANGE_TRUST_NOT_AUTH_MAINTAIN_LIABILITIES: "op_not_auth_maintain_liabilities",
}
CREATE_ACCOUNT_CODES = {
    CreateAccountResultCode.CREATE_ACCOUNT_SUCCESS: "op_success",
    CreateAccountResultCode.CREATE_ACCOUNT_MALFORMED: "op_malformed",
    CreateAccountResultCode.CREATE_ACCOUNT_UNDERFUNDED: "op_underfunded",
    CreateAccountResultCode.CREATE_ACCOUNT_LOW_RESERVE: "op_low_reserve",
    CreateAccountResultCode.CREATE_ACCOUNT_ALREADY_EXIST: "op_already_exists",
}
BUMP_SEQUENCE_CODES = {
    BumpSequenceResultCode.BUMP_SEQUENCE_SUCCESS: "op_success",
    BumpSequenceResultCode.BUMP_SEQUENCE_BAD_SEQ: "op_bad_seq",
}


def of_operations(result_xdr: str) -> tuple[str, ...]:
    """The code of each operation in a transaction's result, inside a fee bump as well."""
    result = xdr.TransactionResult.from_xdr(result_xdr).result
    pair = result.inner_result_pair
    results = pair.result.result.results if pair else result.results
    return tuple(of_operation(each) for each in results or ())


def of_operation(result: xdr.OperationResult) -> str:
    tr = result.tr
    if tr is None:
        return OPERATION_CODES.get(result.code, result.code.name)
    if tr.payment_result:
        return PAYMENT_CODES[tr.payment_result.code]
    if tr.change_trust_result:
        return CHANGE_TRUST_CODES[tr.change_trust_result.code]
    if tr.create_account_result:
        return CREATE_ACCOUNT_CODES[tr.create_account_result.code]
    if tr.bump_seq_result:
        return BUMP_SEQUENCE_CODES[tr.bump_seq_result.code]
    return tr.type.name.lower()
