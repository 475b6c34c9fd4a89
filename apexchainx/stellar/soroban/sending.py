"""Calls that change the contract, in steps: prepared and signed, kept by the caller, sent, looked up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apexchainx.errors import NotReady, Unavailable
from apexchainx.stellar import envelopes
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.soroban import failures, invocations
from apexchainx.stellar.soroban.connection import connected, invoking
from apexchainx.stellar.soroban.failures import ContractRefused
from apexchainx.stellar.soroban.invocations import Invocation
from apexchainx.stellar.soroban.records import Calculation

if TYPE_CHECKING:
    from stellar_sdk import SorobanServer, TransactionEnvelope
    from stellar_sdk.soroban_rpc import GetTransactionResponse
    from stellar_sdk.xdr import SorobanAuthorizationEntry

SIGNATURE_LEDGERS = 100


@dataclass(frozen=True)
class Prepared:
    """A signed call. Its hash is final; `fee` is in stroops, `max_time` in Unix seconds."""

    envelope_xdr: str
    hash: str
    sequence: int
    fee: int
    max_time: int


class Sending(StrEnum):
    """What the RPC said at once. Only ACCEPTED promises anything, and even then only that it waits."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sent:
    sending: Sending
    hash: str
    detail: str = ""


@dataclass(frozen=True)
class Outcome:
    """A call in history. `error` is set where it failed; `fee` in stroops is spent in any case."""

    hash: str
    successful: bool
    ledger: int
    created_at: datetime
    fee: int
    value: Any = None
    error: ContractRefused | None = field(default=None, compare=False)

    @property
    def calculation(self) -> Calculation:
        """The result of a `calculate_sla`. Raises LookupError, TypeError or ValueError where it has none."""
        return Calculation.read(self.value)


def prepare(
    invocation: Invocation,
    *,
    signer: KeyPair,
    max_time: int,
    base_fee: int = 100,
    sequence: int | None = None,
    cosigners: Sequence[KeyPair] = (),
) -> Prepared:
    """Simulate the call and sign it. Nothing has happened yet.

    `sequence` is the transaction's own number, by default the account's next one. Raises ContractRefused
    where the simulation fails, NotReady where the signer has no account, ValueError for values that do not
    fit, and Unavailable.
    """
    from stellar_sdk import Account, TransactionBuilder

    arguments = invocations.values((("address", signer.address), *invocation.arguments))
    with connected() as server:
        number = sequence or _next_sequence(server, signer.address)
        account = Account(signer.address, number - 1)
        builder = TransactionBuilder(account, settings.STELLAR_NETWORK_PASSPHRASE, base_fee=base_fee)
        envelope = invoking(builder, invocation.function, arguments, max_time=max_time).build()
        simulation = server.simulate_transaction(envelope)
        if simulation.error:
            raise failures.refused(simulation.error)
        envelope = server.prepare_transaction(envelope, simulation)
        _authorise(envelope, cosigners, until=simulation.latest_ledger + SIGNATURE_LEDGERS)
        envelope.sign(signer.secret)
    return Prepared(envelope.to_xdr(), envelope.hash_hex(), number, envelope.transaction.fee, max_time)


def send(envelope_xdr: str) -> Sent:
    """Hand an envelope over once. Trouble of any kind is UNKNOWN: look the hash up, or send the same again.

    Raises ValueError where this is no envelope at all.
    """
    from stellar_sdk.soroban_rpc import SendTransactionStatus

    envelope = envelopes.parsed(envelope_xdr, settings.STELLAR_NETWORK_PASSPHRASE)
    hash_ = envelope.hash_hex()
    try:
        with connected() as server:
            answer = server.send_transaction(envelope)
    except Unavailable as error:
        return Sent(Sending.UNKNOWN, hash_, error.message)
    if answer.status in {SendTransactionStatus.PENDING, SendTransactionStatus.DUPLICATE}:
        return Sent(Sending.ACCEPTED, hash_)
    return Sent(Sending.UNKNOWN, hash_, _reason(answer.status.value, answer.error_result_xdr))


def outcome(hash_: str) -> Outcome | None:
    """None where the RPC does not show it, or not yet, or not any more. Raises Unavailable."""
    from stellar_sdk.soroban_rpc import GetTransactionStatus

    with connected() as server:
        answer = server.get_transaction(hash_)
        if answer.status == GetTransactionStatus.NOT_FOUND:
            return None
        return _outcome(answer, is_success=answer.status == GetTransactionStatus.SUCCESS)


def _next_sequence(server: "SorobanServer", address: str) -> int:
    from stellar_sdk.exceptions import AccountNotFoundException

    try:
        return server.load_account(address).sequence + 1
    except AccountNotFoundException:
        message = f"The account {address} does not exist on the ledger."
        raise NotReady(message, code="STELLAR_TRANSACTION_FAILED") from None


def _authorise(envelope: "TransactionEnvelope", cosigners: Sequence[KeyPair], *, until: int) -> None:
    """Sign the entries of those who do not sign the transaction itself, valid until this ledger."""
    from stellar_sdk import InvokeHostFunction, Keypair
    from stellar_sdk.auth import authorize_entry

    (operation,) = envelope.transaction.operations
    if not isinstance(operation, InvokeHostFunction):
        raise TypeError(type(operation).__name__)
    for cosigner in cosigners:
        keypair = Keypair.from_secret(cosigner.secret)
        operation.auth = [
            authorize_entry(each, keypair, until, settings.STELLAR_NETWORK_PASSPHRASE)
            if _signer(each) == cosigner.address
            else each
            for each in operation.auth
        ]


def _signer(entry: "SorobanAuthorizationEntry") -> str:
    """Empty for the source of the transaction."""
    from stellar_sdk import Address

    credentials = entry.credentials.address or entry.credentials.address_v2
    return Address.from_xdr_sc_address(credentials.address).address if credentials else ""


def _reason(status: str, result_xdr: str | None) -> str:
    from stellar_sdk.xdr import TransactionResult

    from apexchainx.stellar import codes

    return codes.word(TransactionResult.from_xdr(result_xdr).result.code) if result_xdr else status


def _outcome(answer: "GetTransactionResponse", *, is_success: bool) -> Outcome:
    from stellar_sdk import scval
    from stellar_sdk.xdr import TransactionMeta, TransactionResult

    if answer.result_xdr is None or answer.ledger is None or answer.create_at is None:
        raise ValueError(answer.transaction_hash)
    meta = TransactionMeta.from_xdr(answer.result_meta_xdr) if answer.result_meta_xdr else None
    body = meta and (meta.v4 or meta.v3)
    value = body.soroban_meta.return_value if body and body.soroban_meta else None
    error = None
    if not is_success:
        events = answer.diagnostic_events_xdr or ()
        error = failures.of_diagnostics(events) or ContractRefused(_why(answer.result_xdr))
    return Outcome(
        hash=answer.transaction_hash,
        successful=is_success,
        ledger=answer.ledger,
        created_at=datetime.fromtimestamp(answer.create_at, UTC),
        fee=TransactionResult.from_xdr(answer.result_xdr).fee_charged.int64,
        value=scval.to_native(value) if is_success and value else None,
        error=error,
    )


def _why(result_xdr: str) -> str:
    """What the result says, where no event says more."""
    from apexchainx.stellar import codes

    return ", ".join(codes.of_operations(result_xdr)) or "transaction failed"
