"""Whether an account may have one entry more."""

from enum import IntEnum
from typing import TypeVar

from stellar_sdk.xdr import OperationResultCode

from apexchainx.stellar.sandbox.amounts import BASE_RESERVE
from apexchainx.stellar.sandbox.store import Account

MAXIMUM_ENTRIES = 1000

Code = TypeVar("Code", bound=IntEnum)


def refuse_entry(account: Account, low_reserve: Code) -> Code | OperationResultCode | None:
    """Why not; `low_reserve` is the operation's own word for an account that is too poor."""
    if account.subentries >= MAXIMUM_ENTRIES:
        return OperationResultCode.opTOO_MANY_SUBENTRIES
    return low_reserve if account.available < BASE_RESERVE else None
