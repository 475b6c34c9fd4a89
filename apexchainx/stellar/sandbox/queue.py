"""What was taken in and stands in no ledger yet: one transaction per source account, as in stellar-core."""

from dataclasses import dataclass
from enum import StrEnum

from stellar_sdk.xdr import TransactionResultCode

from apexchainx.stellar.sandbox import results
from apexchainx.stellar.sandbox.results import TransactionOutcome
from apexchainx.stellar.sandbox.submission import Submission

REPLACEMENT_FACTOR = 10


class Status(StrEnum):
    """What stellar-core says at once to a transaction that it is handed."""

    PENDING = "PENDING"
    DUPLICATE = "DUPLICATE"
    TRY_AGAIN_LATER = "TRY_AGAIN_LATER"
    ERROR = "ERROR"


@dataclass(frozen=True)
class Receipt:
    """`outcome` says why, where the status is ERROR."""

    status: Status
    hash: str
    outcome: TransactionOutcome | None = None


@dataclass(eq=False)
class Waiting:
    """A transaction that was taken in. `is_over` once a ledger has closed on it, with it or without.

    `due` is the first ledger that may include it; `is_wrong` where other amounts are to be applied.
    """

    submission: Submission
    due: int
    is_wrong: bool = False
    is_over: bool = False


class Queue:
    """In order of arrival; a replacement takes the place of what it replaces."""

    def __init__(self) -> None:
        self._by_source: dict[str, Waiting] = {}

    def __len__(self) -> int:
        return len(self._by_source)

    def of_source(self, source: str) -> Waiting | None:
        return self._by_source.get(source)

    def judge(self, new: Submission) -> Receipt | None:
        """What becomes of a submission because of another that waits; None where it may be validated."""
        waiting = self.of_source(new.source)
        if waiting is None:
            return None
        old = waiting.submission
        if old.hash == new.hash:
            return Receipt(Status.DUPLICATE, new.hash)
        if new.sequence < old.sequence:
            return error(new, TransactionResultCode.txBAD_SEQ)
        if not new.bump or new.sequence > old.sequence:
            return Receipt(Status.TRY_AGAIN_LATER, new.hash)
        price = _price_of_place(new, old)
        if new.inclusion_fee < price:
            return error(new, TransactionResultCode.txINSUFFICIENT_FEE, fee=price + new.resource_fee)
        return None

    def add(self, waiting: Waiting) -> None:
        self._by_source[waiting.submission.source] = waiting

    def take(self, sequence: int) -> list[Waiting]:
        """Those that this ledger may include; they wait no longer."""
        due = [each for each in self._by_source.values() if each.due <= sequence]
        for each in due:
            del self._by_source[each.submission.source]
        return due


def error(submission: Submission, code: TransactionResultCode, *, fee: int = 0) -> Receipt:
    return Receipt(Status.ERROR, submission.hash, results.transaction(code, fee))


def _price_of_place(new: Submission, old: Submission) -> int:
    """The fee that takes the old one's place: ten times what it offers per operation."""
    return -(-REPLACEMENT_FACTOR * old.inclusion_fee * new.count // old.count)
