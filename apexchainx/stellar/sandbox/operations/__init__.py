"""What each operation does to the ledger, and why it may refuse; codes and order are stellar-core's."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

from stellar_sdk import (
    AccountMerge,
    AllowTrust,
    BumpSequence,
    ChangeTrust,
    ClaimClaimableBalance,
    CreateAccount,
    CreateClaimableBalance,
    InvokeHostFunction,
    ManageData,
    Payment,
    SetOptions,
    SetTrustLineFlags,
)
from stellar_sdk.operation import Operation
from stellar_sdk.xdr import InvokeHostFunctionResultCode, OperationResultCode

from apexchainx.stellar.sandbox import results
from apexchainx.stellar.sandbox.operations import accounts, claims, options, payments, trust
from apexchainx.stellar.sandbox.place import Place
from apexchainx.stellar.sandbox.results import OperationOutcome
from apexchainx.stellar.sandbox.soroban import host


class Effect(NamedTuple):
    """`check` needs no ledger; it and `apply` give the code of a refusal or of success.

    `apply` may give a whole outcome, where the result holds more than a code.
    """

    check: Callable[[Any, str], IntEnum]
    apply: Callable[[Any, Place], IntEnum | OperationOutcome]


def _leave_to_the_host(_operation: InvokeHostFunction, _source: str) -> InvokeHostFunctionResultCode:
    return InvokeHostFunctionResultCode.INVOKE_HOST_FUNCTION_SUCCESS


EFFECTS: dict[type[Operation], Effect] = {
    Payment: Effect(payments.check, payments.pay),
    CreateAccount: Effect(accounts.check_creation, accounts.create),
    BumpSequence: Effect(accounts.check_bump, accounts.bump),
    AccountMerge: Effect(accounts.check_merge, accounts.merge),
    ManageData: Effect(accounts.check_datum, accounts.set_datum),
    SetOptions: Effect(options.check, options.set_options),
    ChangeTrust: Effect(trust.check_change, trust.change),
    SetTrustLineFlags: Effect(trust.check_flags, trust.set_flags),
    AllowTrust: Effect(trust.check_allowance, trust.allow),
    CreateClaimableBalance: Effect(claims.check_creation, claims.create),
    ClaimClaimableBalance: Effect(claims.check_claim, claims.claim),
    InvokeHostFunction: Effect(_leave_to_the_host, host.invoke),
}
LOW = (BumpSequence, SetTrustLineFlags, AllowTrust, ClaimClaimableBalance)


def check(operation: Operation, source: str) -> OperationOutcome:
    """The checks that need no ledger."""
    effect = EFFECTS.get(type(operation))
    code = effect.check(operation, source) if effect else OperationResultCode.opNOT_SUPPORTED
    return results.operation(code)


def apply(operation: Operation, place: Place) -> OperationOutcome:
    """Change the ledger, or say why not. A refused operation has changed nothing."""
    if place.store.account(place.source) is None:
        return results.operation(OperationResultCode.opNO_ACCOUNT)
    outcome = EFFECTS[type(operation)].apply(operation, place)
    return outcome if isinstance(outcome, OperationOutcome) else results.operation(outcome)


def level(operation: Operation) -> str:
    """Which of an account's thresholds the signatures for this operation must reach: low, medium or high."""
    if isinstance(operation, AccountMerge) or (
        isinstance(operation, SetOptions) and options.concerns_signing(operation)
    ):
        return "high"
    return "low" if isinstance(operation, LOW) else "medium"
