"""Set options: flags, home domain, and who may sign with what weight."""

from dataclasses import replace

from stellar_sdk import SetOptions, Signer
from stellar_sdk.signer_key import SignerKeyType
from stellar_sdk.xdr import OperationResultCode, SetOptionsResultCode

from apexchainx.stellar.sandbox.operations import reserves
from apexchainx.stellar.sandbox.operations.texts import is_printable
from apexchainx.stellar.sandbox.place import Place
from apexchainx.stellar.sandbox.store import Account

HEAVIEST = 255
MAXIMUM_SIGNERS = 20
IMMUTABLE, REVOCABLE, CLAWBACK, ALL_FLAGS = 4, 2, 8, 15


def concerns_signing(operation: SetOptions) -> bool:
    return operation.signer is not None or any(each is not None for each in _weights(operation))


def check(operation: SetOptions, source: str) -> SetOptionsResultCode:
    given, taken = int(operation.set_flags or 0), int(operation.clear_flags or 0)
    if (given | taken) > ALL_FLAGS:
        return SetOptionsResultCode.SET_OPTIONS_UNKNOWN_FLAG
    if given & taken:
        return SetOptionsResultCode.SET_OPTIONS_BAD_FLAGS
    if any(each is not None and each > HEAVIEST for each in _weights(operation)):
        return SetOptionsResultCode.SET_OPTIONS_THRESHOLD_OUT_OF_RANGE
    if operation.signer and not _is_sound(operation.signer, source):
        return SetOptionsResultCode.SET_OPTIONS_BAD_SIGNER
    if not is_printable(operation.home_domain or ""):
        return SetOptionsResultCode.SET_OPTIONS_INVALID_HOME_DOMAIN
    return SetOptionsResultCode.SET_OPTIONS_SUCCESS


def set_options(operation: SetOptions, place: Place) -> SetOptionsResultCode | OperationResultCode:
    codes, account = SetOptionsResultCode, place.account()
    if operation.inflation_dest and place.store.account(operation.inflation_dest) is None:
        return codes.SET_OPTIONS_INVALID_INFLATION
    given, taken = int(operation.set_flags or 0), int(operation.clear_flags or 0)
    if (given or taken) and account.flags & IMMUTABLE:
        return codes.SET_OPTIONS_CANT_CHANGE
    changed = _changed(account, operation, place)
    if (given or taken) and changed.flags & (CLAWBACK | REVOCABLE) == CLAWBACK:
        return codes.SET_OPTIONS_AUTH_REVOCABLE_REQUIRED
    refusal = _refuse_signer(operation.signer, place) if operation.signer else None
    if refusal is not None:
        return refusal
    place.store.set_options(changed)
    if operation.signer:
        key = operation.signer.signer_key.encoded_signer_key
        place.store.set_signer(place.source, key, operation.signer.weight)
    return codes.SET_OPTIONS_SUCCESS


def _weights(operation: SetOptions) -> tuple[int | None, ...]:
    return (
        operation.master_weight,
        operation.low_threshold,
        operation.med_threshold,
        operation.high_threshold,
    )


def _is_sound(signer: Signer, source: str) -> bool:
    key = signer.signer_key
    is_empty = key.signer_key_type == SignerKeyType.SIGNER_KEY_TYPE_ED25519_SIGNED_PAYLOAD and (
        not key.to_signed_payload_signer().payload
    )
    return not is_empty and signer.weight <= HEAVIEST and key.encoded_signer_key != source


def _changed(account: Account, operation: SetOptions, place: Place) -> Account:
    master, low, medium, high = (
        old if new is None else new
        for old, new in zip(
            (account.master, account.low, account.medium, account.high), _weights(operation), strict=True
        )
    )
    domain = operation.home_domain
    return replace(
        account,
        flags=account.flags & ~int(operation.clear_flags or 0) | int(operation.set_flags or 0),
        home_domain=account.home_domain if domain is None else domain,
        master=master,
        low=low,
        medium=medium,
        high=high,
        modified=place.ledger.sequence,
    )


def _refuse_signer(signer: Signer, place: Place) -> SetOptionsResultCode | OperationResultCode | None:
    signers = place.store.signers(place.source)
    if signer.weight == 0 or signer.signer_key.encoded_signer_key in signers:
        return None
    if len(signers) >= MAXIMUM_SIGNERS:
        return SetOptionsResultCode.SET_OPTIONS_TOO_MANY_SIGNERS
    return reserves.refuse_entry(place.account(), SetOptionsResultCode.SET_OPTIONS_LOW_RESERVE)
