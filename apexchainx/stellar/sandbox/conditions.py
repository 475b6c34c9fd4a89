"""What a transaction itself says about when it may enter a ledger, and what makes no sense in it."""

from collections.abc import Iterator

from stellar_sdk import ExtendFootprintTTL, InvokeHostFunction, Preconditions, RestoreFootprint, Transaction
from stellar_sdk.signer_key import SignerKeyType
from stellar_sdk.xdr import TransactionResultCode

from apexchainx.stellar.sandbox.store import Account, Closed

CONTRACT_CALLS = (InvokeHostFunction, ExtendFootprintTTL, RestoreFootprint)

Codes = Iterator[TransactionResultCode | None]


def malformed(transaction: Transaction) -> Codes:
    """A contract call stands alone and names its resources; nothing else does."""
    codes, data = TransactionResultCode, transaction.soroban_data
    signers = _of(transaction).extra_signers or ()
    is_empty = any(
        key.signer_key_type == SignerKeyType.SIGNER_KEY_TYPE_ED25519_SIGNED_PAYLOAD
        and not key.to_signed_payload_signer().payload
        for key in signers
    )
    yield codes.txMALFORMED if is_empty or len(set(signers)) < len(signers) else None
    yield None if transaction.operations else codes.txMISSING_OPERATION
    calls = sum(isinstance(each, CONTRACT_CALLS) for each in transaction.operations)
    is_sound = len(transaction.operations) == 1 and data is not None if calls else data is None
    yield None if is_sound else codes.txMALFORMED
    yield codes.txSOROBAN_INVALID if data and data.resource_fee.int64 > transaction.fee else None


def of_time(transaction: Transaction, ledger: Closed) -> Codes:
    """Both ends of the time bounds belong to them; the last ledger of the ledger bounds does not."""
    conditions = _of(transaction)
    times, ledgers = conditions.time_bounds, conditions.ledger_bounds
    is_early = (times and times.min_time > ledger.closed_at) or (
        ledgers and ledgers.min_ledger > ledger.sequence
    )
    is_late = (times and 0 < times.max_time < ledger.closed_at) or (
        ledgers and 0 < ledgers.max_ledger <= ledger.sequence
    )
    yield TransactionResultCode.txTOO_EARLY if is_early else None
    yield TransactionResultCode.txTOO_LATE if is_late else None


def of_sequence(transaction: Transaction, account: Account, ledger: Closed) -> Codes:
    """The number follows the account's, or is any higher one where the transaction names the least."""
    conditions, last, own = _of(transaction), account.sequence, transaction.sequence
    least = conditions.min_sequence_number
    is_next = last + 1 == own if least is None else least <= last < own
    is_first = own == ledger.sequence << 32
    yield None if is_next and not is_first else TransactionResultCode.txBAD_SEQ
    age, gap = conditions.min_sequence_age or 0, conditions.min_sequence_ledger_gap or 0
    is_recent = ledger.closed_at - age < account.sequence_time or (
        ledger.sequence - gap < account.sequence_ledger
    )
    yield TransactionResultCode.txBAD_MIN_SEQ_AGE_OR_GAP if is_recent else None


def _of(transaction: Transaction) -> Preconditions:
    return transaction.preconditions or Preconditions()
