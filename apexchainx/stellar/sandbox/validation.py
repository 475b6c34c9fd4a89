"""What stellar-core asks of a transaction before it may enter a ledger, in stellar-core's order."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TypeGuard

from stellar_sdk import FeeBumpTransactionEnvelope, Keypair, Preconditions, TransactionEnvelope
from stellar_sdk.exceptions import BadSignatureError
from stellar_sdk.operation import Operation
from stellar_sdk.xdr import OperationResultCode, TransactionResultCode

from apexchainx.stellar.sandbox import operations, results
from apexchainx.stellar.sandbox.amounts import BASE_FEE
from apexchainx.stellar.sandbox.results import OperationOutcome, TransactionOutcome
from apexchainx.stellar.sandbox.store import Store


class Signatures:
    """An envelope's signatures, and which of them have been needed."""

    def __init__(self, envelope: TransactionEnvelope) -> None:
        self._hash = envelope.hash()
        self._signatures = envelope.signatures
        self._used: set[int] = set()

    def have(self, address: str) -> bool:
        keypair = Keypair.from_public_key(address)
        for index, signature in enumerate(self._signatures):
            if signature.signature_hint != keypair.signature_hint():
                continue
            with suppress(BadSignatureError):
                keypair.verify(self._hash, signature.signature)
                self._used.add(index)
                return True
        return False

    @property
    def are_all_used(self) -> bool:
        return len(self._used) == len(self._signatures)


def is_supported(
    envelope: TransactionEnvelope | FeeBumpTransactionEnvelope,
) -> TypeGuard[TransactionEnvelope]:
    """Whether it is a plain transaction that sets no condition but time bounds."""
    if isinstance(envelope, FeeBumpTransactionEnvelope):
        return False
    conditions = envelope.transaction.preconditions or Preconditions()
    return conditions.min_sequence_number is None and not (
        conditions.ledger_bounds
        or conditions.min_sequence_age
        or conditions.min_sequence_ledger_gap
        or conditions.extra_signers
    )


def refuse(envelope: TransactionEnvelope, store: Store, now: int) -> TransactionOutcome | None:
    """Why the transaction may not enter a ledger now: then it costs no fee and uses no sequence number."""
    needed = BASE_FEE * len(envelope.transaction.operations)
    for code in _codes(envelope, store, now, needed):
        if code is not None:
            return results.transaction(
                code, needed if code == TransactionResultCode.txINSUFFICIENT_FEE else 0
            )
    signatures = Signatures(envelope)
    if not signatures.have(envelope.transaction.source.account_id):
        return results.transaction(TransactionResultCode.txBAD_AUTH, 0)
    account = store.account(envelope.transaction.source.account_id)
    if account is None or account.available < envelope.transaction.fee:
        return results.transaction(TransactionResultCode.txINSUFFICIENT_BALANCE, 0)
    outcomes = [_check(each, envelope, store, signatures) for each in envelope.transaction.operations]
    if not all(each.is_success for each in outcomes):
        return results.transaction(TransactionResultCode.txFAILED, 0, outcomes)
    if not signatures.are_all_used:
        return results.transaction(TransactionResultCode.txBAD_AUTH_EXTRA, 0)
    return None


def _codes(
    envelope: TransactionEnvelope, store: Store, now: int, needed: int
) -> Iterator[TransactionResultCode | None]:
    """The checks before the signatures, each yielding its code where it fails."""
    transaction = envelope.transaction
    bounds = transaction.preconditions.time_bounds if transaction.preconditions else None
    yield None if transaction.operations else TransactionResultCode.txMISSING_OPERATION
    yield TransactionResultCode.txTOO_EARLY if bounds and bounds.min_time > now else None
    yield TransactionResultCode.txTOO_LATE if bounds and 0 < bounds.max_time < now else None
    yield TransactionResultCode.txINSUFFICIENT_FEE if transaction.fee < needed else None
    account = store.account(transaction.source.account_id)
    if account is None:
        yield TransactionResultCode.txNO_ACCOUNT
    elif account.sequence + 1 != transaction.sequence:
        yield TransactionResultCode.txBAD_SEQ


def _check(
    operation: Operation, envelope: TransactionEnvelope, store: Store, signatures: Signatures
) -> OperationOutcome:
    source = operations.source_of(operation, envelope)
    if operation.source is not None and not signatures.have(source):
        return results.operation(OperationResultCode.opBAD_AUTH)
    return operations.check(operation, source)
