"""The only client for Horizon: what the ledger says, typed, and what came of a submission."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apexchainx.errors import Conflict, Unavailable
from apexchainx.stellar import envelopes

if TYPE_CHECKING:
    from stellar_sdk import Server
    from stellar_sdk.client.requests_client import RequestsClient
    from stellar_sdk.exceptions import BadRequestError

READ_SECONDS = 5
SUBMIT_SECONDS = 35


class Outcome(StrEnum):
    """What is known after a submission. UNKNOWN may still be applied, now or later."""

    APPLIED = "applied"
    FAILED_ON_LEDGER = "failed_on_ledger"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Balance:
    """One balance of an account; the native one has the code XLM and no issuer."""

    code: str
    issuer: str
    amount: Decimal
    asset_type: str


@dataclass(frozen=True)
class Account:
    """An account as it is on the ledger. The next transaction has the number sequence + 1."""

    address: str
    sequence: int
    balances: tuple[Balance, ...]

    @property
    def xlm(self) -> Decimal:
        return sum((each.amount for each in self.balances if each.asset_type == "native"), Decimal(0))

    @property
    def usdc(self) -> Decimal:
        """What it holds of our asset."""
        return sum((each.amount for each in self.balances if _is_ours(each)), Decimal(0))

    @property
    def has_trustline(self) -> bool:
        """Whether it can receive our asset. The issuer has none and needs none."""
        return any(_is_ours(each) for each in self.balances)


@dataclass(frozen=True)
class LedgerTransaction:
    """A transaction in history. `operations` are the codes of one that failed and used its number up."""

    hash: str
    successful: bool
    ledger: int
    created_at: datetime
    envelope_xdr: str
    operations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submission:
    """What a submission came to, and the words that Horizon gave for it."""

    outcome: Outcome
    hash: str
    ledger: int | None = None
    code: str = ""
    operations: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class FeeStats:
    """Fees per operation, in stroops."""

    base_fee: int
    p90: int


def account(address: str) -> Account | None:
    """None where the ledger has no such account. Raises Unavailable."""
    with _server() as server:
        document = _read(lambda: server.accounts().account_id(address).call())
    if document is None:
        return None
    with _translated():
        balances = tuple(_balance(each) for each in document["balances"])
        return Account(address=document["account_id"], sequence=int(document["sequence"]), balances=balances)


def transaction(hash_: str) -> LedgerTransaction | None:
    """None where the ledger does not show it, or not yet. Raises Unavailable."""
    with _server() as server:
        document = _read(lambda: server.transactions().transaction(hash_).call())
    if document is None:
        return None
    with _translated():
        return _transaction(document, hash_)


def submit(envelope_xdr: str) -> Submission:
    """Send an envelope once. Trouble of any kind is an UNKNOWN outcome, never an exception.

    Raises ValueError where this is no envelope at all.
    """
    from stellar_sdk.exceptions import BadRequestError

    envelope = envelopes.parsed(envelope_xdr, settings.STELLAR_NETWORK_PASSPHRASE)
    hash_ = envelope.hash_hex()
    try:
        with _server() as server, _translated():
            document = server.submit_transaction(envelope, skip_memo_required_check=True)
            return _settled(_transaction(document, hash_))
    except Unavailable as error:
        cause = error.__cause__
        if isinstance(cause, BadRequestError) and cause.status == 400:
            return _refused(hash_, cause)
        return Submission(Outcome.UNKNOWN, hash_, detail=error.message)


def fee_stats() -> FeeStats:
    """Raises Unavailable."""
    with _server() as server, _translated():
        document = server.fee_stats().call()
        return FeeStats(
            base_fee=int(document["last_ledger_base_fee"]), p90=int(document["fee_charged"]["p90"])
        )


def latest_close() -> datetime:
    """When the newest ledger that Horizon shows was closed. Raises Unavailable."""
    with _server() as server, _translated():
        document = server.ledgers().order(desc=True).limit(1).call()
        return datetime.fromisoformat(document["_embedded"]["records"][0]["closed_at"])


def friendbot(address: str) -> None:
    """Have a test network create and fund this account. Raises Conflict where it has one, and Unavailable."""
    from stellar_sdk.exceptions import BadRequestError, raise_request_exception

    url = f"{settings.STELLAR_HORIZON_URL.rstrip('/')}/friendbot"
    try:
        with _client(SUBMIT_SECONDS) as client, _translated():
            raise_request_exception(client.get(url, {"addr": address}))
    except Unavailable as error:
        if isinstance(error.__cause__, BadRequestError) and error.__cause__.status == 400:
            message = str(error.__cause__.detail or "Friendbot refuses this account.")
            raise Conflict(message, code="STELLAR_FRIENDBOT_REFUSED") from error
        raise


def _client(read_seconds: int) -> "RequestsClient":
    from stellar_sdk.client.requests_client import RequestsClient

    return RequestsClient(num_retries=0, request_timeout=read_seconds, post_timeout=SUBMIT_SECONDS)


def _server() -> "Server":
    from stellar_sdk import Server

    return Server(settings.STELLAR_HORIZON_URL, _client(READ_SECONDS))


@contextmanager
def _translated() -> Iterator[None]:
    """Whatever Horizon, or what stands before it, may do wrong is Unavailable."""
    from stellar_sdk.exceptions import BaseHorizonError

    try:
        yield
    except BaseHorizonError as error:
        raise Unavailable(f"Horizon answers {error.status}.", code="STELLAR_TIMEOUT") from error
    except Exception as error:
        message = f"Horizon does not answer as it should: {type(error).__name__}."
        raise Unavailable(message, code="STELLAR_TIMEOUT") from error


def _read(call: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """None for Horizon's own 404; a 404 of anybody else says nothing about the ledger."""
    from stellar_sdk.exceptions import NotFoundError

    with _translated():
        try:
            return call()
        except NotFoundError as error:
            if (error.type or "").endswith("/not_found"):
                return None
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
    """Those of the transaction and of its operations, as far as a problem document has them."""
    try:
        found = extras["result_codes"]
        return str(found["transaction"]), tuple(map(str, found.get("operations") or ()))
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


def _transaction(document: dict[str, Any], hash_: str) -> LedgerTransaction:
    """Raises ValueError where the document does not say what became of this transaction."""
    from apexchainx.stellar import codes

    if document["hash"] != hash_ or not isinstance(document["successful"], bool):
        raise ValueError(hash_)
    return LedgerTransaction(
        hash=document["hash"],
        successful=document["successful"],
        ledger=document["ledger"],
        created_at=datetime.fromisoformat(document["created_at"]),
        envelope_xdr=document["envelope_xdr"],
        operations=() if document["successful"] else codes.of_operations(document["result_xdr"]),
    )


def _balance(document: dict[str, Any]) -> Balance:
    return Balance(
        code=document.get("asset_code", "XLM"),
        issuer=document.get("asset_issuer", ""),
        amount=Decimal(document["balance"]),
        asset_type=document["asset_type"],
    )


def _is_ours(balance: Balance) -> bool:
    return (balance.code, balance.issuer) == (settings.STELLAR_ASSET_CODE, settings.STELLAR_ASSET_ISSUER)
