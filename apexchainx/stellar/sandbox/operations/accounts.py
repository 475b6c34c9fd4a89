"""Accounts: made, merged, given data, and their sequence numbers bumped."""

from stellar_sdk import AccountMerge, BumpSequence, CreateAccount, ManageData
from stellar_sdk.xdr import (
    AccountMergeResultCode,
    BumpSequenceResultCode,
    CreateAccountResultCode,
    Int64,
    ManageDataResultCode,
    OperationResultCode,
)

from apexchainx.stellar.sandbox import results
from apexchainx.stellar.sandbox.amounts import BASE_RESERVE
from apexchainx.stellar.sandbox.operations import reserves
from apexchainx.stellar.sandbox.operations.holdings import stroops_of
from apexchainx.stellar.sandbox.operations.texts import is_printable
from apexchainx.stellar.sandbox.place import Place
from apexchainx.stellar.sandbox.results import OperationOutcome
from apexchainx.stellar.sandbox.store import Account

IMMUTABLE = 4


def check_creation(operation: CreateAccount, source: str) -> CreateAccountResultCode:
    is_sound = operation.destination != source and stroops_of(operation.starting_balance) >= 0
    codes = CreateAccountResultCode
    return codes.CREATE_ACCOUNT_SUCCESS if is_sound else codes.CREATE_ACCOUNT_MALFORMED


def create(operation: CreateAccount, place: Place) -> CreateAccountResultCode:
    stroops, codes = stroops_of(operation.starting_balance), CreateAccountResultCode
    if place.store.account(operation.destination) is not None:
        return codes.CREATE_ACCOUNT_ALREADY_EXIST
    if stroops < 2 * BASE_RESERVE:
        return codes.CREATE_ACCOUNT_LOW_RESERVE
    if stroops > place.account().available:
        return codes.CREATE_ACCOUNT_UNDERFUNDED
    sequence = place.ledger.sequence
    place.store.move(place.source, -stroops, modified=sequence)
    place.store.add_account(
        operation.destination, sequence=sequence << 32, balance=stroops, modified=sequence
    )
    return codes.CREATE_ACCOUNT_SUCCESS


def check_bump(operation: BumpSequence, _source: str) -> BumpSequenceResultCode:
    codes = BumpSequenceResultCode
    return codes.BUMP_SEQUENCE_SUCCESS if operation.bump_to >= 0 else codes.BUMP_SEQUENCE_BAD_SEQ


def bump(operation: BumpSequence, place: Place) -> BumpSequenceResultCode:
    sequence = max(place.account().sequence, operation.bump_to)
    place.store.set_sequence(place.source, sequence, place.ledger)
    return BumpSequenceResultCode.BUMP_SEQUENCE_SUCCESS


def check_datum(operation: ManageData, _source: str) -> ManageDataResultCode:
    codes = ManageDataResultCode
    is_sound = operation.data_name and is_printable(operation.data_name)
    return codes.MANAGE_DATA_SUCCESS if is_sound else codes.MANAGE_DATA_INVALID_NAME


def set_datum(operation: ManageData, place: Place) -> ManageDataResultCode | OperationResultCode:
    name, codes = operation.data_name, ManageDataResultCode
    if name not in place.store.data(place.source):
        if operation.data_value is None:
            return codes.MANAGE_DATA_NAME_NOT_FOUND
        refusal = reserves.refuse_entry(place.account(), codes.MANAGE_DATA_LOW_RESERVE)
        if refusal is not None:
            return refusal
    place.store.set_datum(place.source, name, operation.data_value)
    return codes.MANAGE_DATA_SUCCESS


def check_merge(operation: AccountMerge, source: str) -> AccountMergeResultCode:
    codes, destination = AccountMergeResultCode, operation.destination.account_id
    return codes.ACCOUNT_MERGE_MALFORMED if destination == source else codes.ACCOUNT_MERGE_SUCCESS


def merge(operation: AccountMerge, place: Place) -> AccountMergeResultCode | OperationOutcome:
    account, destination = place.account(), operation.destination.account_id
    if place.store.account(destination) is None:
        return AccountMergeResultCode.ACCOUNT_MERGE_NO_ACCOUNT
    refusal = _refuse_merge(account, place)
    if refusal is not None:
        return refusal
    place.store.drop_account(account.address)
    place.store.move(destination, account.balance, modified=place.ledger.sequence)
    return results.operation(
        AccountMergeResultCode.ACCOUNT_MERGE_SUCCESS, source_account_balance=Int64(account.balance)
    )


def _refuse_merge(account: Account, place: Place) -> AccountMergeResultCode | None:
    """A number from this ledger on would be used again by an account made anew in it."""
    if account.flags & IMMUTABLE:
        return AccountMergeResultCode.ACCOUNT_MERGE_IMMUTABLE_SET
    if account.subentries > len(place.store.signers(account.address)):
        return AccountMergeResultCode.ACCOUNT_MERGE_HAS_SUB_ENTRIES
    if account.sequence >= place.ledger.sequence << 32:
        return AccountMergeResultCode.ACCOUNT_MERGE_SEQNUM_TOO_FAR
    return AccountMergeResultCode.ACCOUNT_MERGE_IS_SPONSOR if account.sponsoring else None
