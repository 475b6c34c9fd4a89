"""Sending a transaction, and what is known afterwards."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apexchainx.errors import Conflict, Unavailable
from apexchainx.stellar import envelopes
from apexchainx.stellar.horizon import connection, parsing
from apexchainx.stellar.horizon.connection import connected, translated
from apexchainx.stellar.horizon.reading import transaction
from apexchainx.stellar.horizon.records import LedgerTransaction

if TYPE_CHECKING:
    from stellar_sdk.exceptions import BadRequestError

INSUFFICIENT = {"op_underfunded", "tx_insufficient_balance"}
WITHOUT_TRUSTLINE = {"op_no_trust", "op_src_no_trust"}


class Outcome(StrEnum):
    """What is known after a submission. UNKNOWN may still be applied, now or later."""

    APPLIED = "applied"
    FAILED_ON_LEDGER = "failed_on_ledger"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Submission:
    """What a submission came to, and the words that Horizon gave for it."""

    outcome: Outcome
    hash: str
    ledger: int | None = None
    code: str = ""
    operations: tuple[str, ...] = ()
    detail: str = ""


def submit(envelope_xdr: str) -> Submission:
    """Send an envelope once. Trouble of any kind is an UNKNOWN outcome, never an exception.

    Raises ValueError where this is no envelope at all.
    """
    from stellar_sdk.exceptions import BadRequestError

    envelope = envelopes.parsed(envelope_xdr, settings.STELLAR_NETWORK_PASSPHRASE)
    hash_ = envelope.hash_hex()
    try:
        with connected() as server, translated():
            document = server.submit_transaction(envelope, skip_memo_required_check=True)
            return _settled(parsing.transaction(document, hash_))
    except Unavailable as error:
        cause = error.__cause__
        if isinstance(cause, BadRequestError) and cause.status == 400:
            return _refused(hash_, cause)
        return Submission(Outcome.UNKNOWN, hash_, detail=error.message)


def error_code(code: str, operations: Sequence[str] = ()) -> str:
    """The API's word for what Horizon said of a transaction and its operations; nothing said is a timeout."""
    said = {code, *operations}
    if said & INSUFFICIENT:
        return "STELLAR_INSUFFICIENT_BALANCE"
    if said & WITHOUT_TRUSTLINE:
        return "STELLAR_NO_TRUSTLINE"
    return "STELLAR_TRANSACTION_FAILED" if said - {""} else "STELLAR_TIMEOUT"


def friendbot(address: str) -> None:
    """Have a test network create and fund this account. Raises Conflict where it has one, and Unavailable."""
    from stellar_sdk.exceptions import BadRequestError, raise_request_exception

    url = f"{settings.STELLAR_HORIZON_URL.rstrip('/')}/friendbot"
    try:
        with connection.client(connection.SUBMIT_SECONDS) as client, translated():
            raise_request_exception(client.get(url, {"addr": address}))
    except Unavailable as error:
        if isinstance(error.__cause__, BadRequestError) and error.__cause__.status == 400:
            message = str(error.__cause__.detail or "Friendbot refuses this account.")
            raise Conflict(message, code="STELLAR_FRIENDBOT_REFUSED") from error
        raise


def _refused(hash_: str, error: "BadRequestError") -> Submission:
    """A 400 is final only where the ledger has the transaction."""
    with suppress(Unavailable):
        if found := transaction(hash_):
            return _settled(found)
    code, operations = _result_codes(error.extras)
    detail = str(error.detail or error.title or "")
    return Submission(Outcome.UNKNOWN, hash_, code=code, operations=operations, detail=detail)


def _result_codes(extras: Any) -> tuple[str, tuple[str, ...]]:
    """Those of the transaction, in a fee bump of the inner one, and of its operations, as far as stated."""
    try:
        found = extras["result_codes"]
        code = found.get("inner_transaction") or found["transaction"]
        return str(code), tuple(map(str, found.get("operations") or ()))
    except (LookupError, TypeError, AttributeError):
        return "", ()


def _settled(found: LedgerTransaction) -> Submission:
    if found.successful:
        return Submission(Outcome.APPLIED, found.hash, ledger=found.ledger, code="tx_success")
    return Submission(
        Outcome.FAILED_ON_LEDGER,
        found.hash,
        ledger=found.ledger,
        code="tx_failed",
        operations=found.operations,
        detail="The ledger has the transaction as failed.",
    )
