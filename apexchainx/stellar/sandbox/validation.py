"""What stellar-core asks of a transaction before it may enter a ledger, in stellar-core's order."""

from collections.abc import Iterator

from stellar_sdk import SignerKey
from stellar_sdk.operation import Operation
from stellar_sdk.xdr import OperationResultCode, TransactionResultCode

from apexchainx.stellar.sandbox import conditions, operations, results
from apexchainx.stellar.sandbox.place import source_of
from apexchainx.stellar.sandbox.results import OperationOutcome, TransactionOutcome
from apexchainx.stellar.sandbox.signing import Signatures, Weights
from apexchainx.stellar.sandbox.store import Account, Closed, Store
from apexchainx.stellar.sandbox.submission import Submission

Codes = Iterator[TransactionResultCode | None]


def refuse(submission: Submission, store: Store, now: int) -> TransactionOutcome | None:
    """Why the transaction may not enter a ledger now: then it costs no fee and uses no sequence number."""
    if submission.bump is None:
        return _refuse_inner(submission, store, now)
    code = _first(_codes_of_bump(submission, store))
    if code is not None:
        needed = submission.needed_fee if code == TransactionResultCode.txINSUFFICIENT_FEE else 0
        return results.transaction(code, needed)
    refusal = _refuse_inner(submission, store, now)
    return results.bumped(refusal, submission.inner_digest, 0) if refusal else None


def _codes_of_bump(submission: Submission, store: Store) -> Codes:
    codes = TransactionResultCode
    yield codes.txINSUFFICIENT_FEE if submission.fee < submission.needed_fee else None
    payer = store.account(submission.fee_source)
    yield codes.txNO_ACCOUNT if payer is None else None
    signatures = Signatures(submission.digest, submission.envelope.signatures)
    if payer is not None:
        yield None if signatures.reach(_weights(payer, store), payer.low) else codes.txBAD_AUTH
        yield codes.txINSUFFICIENT_BALANCE if payer.available < submission.fee else None
    yield None if signatures.are_all_used else codes.txBAD_AUTH_EXTRA


def _refuse_inner(submission: Submission, store: Store, now: int) -> TransactionOutcome | None:
    """The checks of the transaction itself; inside a fee bump its own fee does not count."""
    code = _first(_codes_before_signatures(submission, store, now))
    if code is not None:
        needed = submission.needed_fee if code == TransactionResultCode.txINSUFFICIENT_FEE else 0
        return results.transaction(code, needed)
    signatures = Signatures(submission.inner_digest, submission.inner.signatures)
    code = _first(_codes_of_source(submission, store, signatures))
    if code is not None:
        return results.transaction(code, 0)
    outcomes = _Operations(submission, store, signatures).check()
    if not all(each.is_success for each in outcomes):
        return results.transaction(TransactionResultCode.txFAILED, 0, outcomes)
    if not signatures.are_all_used:
        return results.transaction(TransactionResultCode.txBAD_AUTH_EXTRA, 0)
    return None


def _codes_before_signatures(submission: Submission, store: Store, now: int) -> Codes:
    codes, transaction = TransactionResultCode, submission.inner.transaction
    latest = store.latest()
    ledger = Closed(latest.sequence + 1 if latest else 1, now)
    yield from conditions.malformed(transaction)
    yield from conditions.of_time(transaction, ledger)
    if submission.bump is None:
        yield codes.txINSUFFICIENT_FEE if submission.fee < submission.needed_fee else None
    account = store.account(submission.source)
    if account is None:
        yield codes.txNO_ACCOUNT
    else:
        yield from conditions.of_sequence(transaction, account, ledger)


def _codes_of_source(submission: Submission, store: Store, signatures: Signatures) -> Codes:
    codes, account = TransactionResultCode, _required(store, submission.source)
    yield None if signatures.reach(_weights(account, store), account.low) else codes.txBAD_AUTH
    preconditions = submission.inner.transaction.preconditions
    for key in preconditions.extra_signers if preconditions else ():
        yield None if signatures.have(key) else codes.txBAD_AUTH
    if submission.bump is None:
        yield codes.txINSUFFICIENT_BALANCE if account.available < submission.fee else None


class _Operations:
    """The operations of one transaction; accounts are looked up once."""

    def __init__(self, submission: Submission, store: Store, signatures: Signatures) -> None:
        self._envelope = submission.inner
        self._store = store
        self._signatures = signatures
        self._signers: dict[str, tuple[Account, Weights] | None] = {}

    def check(self) -> list[OperationOutcome]:
        return [self._check(each) for each in self._envelope.transaction.operations]

    def _check(self, operation: Operation) -> OperationOutcome:
        source = source_of(operation, self._envelope)
        if not self._may_sign(source, operations.level(operation)):
            return results.operation(OperationResultCode.opBAD_AUTH)
        return operations.check(operation, source)

    def _may_sign(self, source: str, level: str) -> bool:
        """An account that does not exist yet is spoken for by its own key."""
        if source not in self._signers:
            account = self._store.account(source)
            self._signers[source] = (account, _weights(account, self._store)) if account else None
        found = self._signers[source]
        if found is None:
            return self._signatures.have(SignerKey.ed25519_public_key(source))
        account, weights = found
        needed = {"low": account.low, "medium": account.medium, "high": account.high}[level]
        return self._signatures.reach(weights, needed)


def _weights(account: Account, store: Store) -> Weights:
    own = {account.address: account.master} if account.master else {}
    return own | store.signers(account.address)


def _required(store: Store, address: str) -> Account:
    account = store.account(address)
    if account is None:
        raise LookupError(address)
    return account


def _first(codes: Codes) -> TransactionResultCode | None:
    return next((code for code in codes if code is not None), None)
