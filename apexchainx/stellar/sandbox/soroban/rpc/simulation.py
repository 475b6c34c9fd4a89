"""simulateTransaction: what a call would do in the next ledger, and what its transaction must carry."""

import time

from stellar_sdk import FeeBumpTransactionEnvelope, InvokeHostFunction, TransactionEnvelope
from stellar_sdk.xdr import InvokeContractArgs

from apexchainx.stellar import envelopes
from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.ledger import Ledger, latest
from apexchainx.stellar.sandbox.place import source_of
from apexchainx.stellar.sandbox.soroban import diagnostics, frame, instance, resources
from apexchainx.stellar.sandbox.soroban.authorization import Enforcing, Recording
from apexchainx.stellar.sandbox.soroban.frame import Completed, Failed
from apexchainx.stellar.sandbox.soroban.rpc.parameters import Parameters, invalid
from apexchainx.stellar.sandbox.store import Closed, Store

MODES = {"", "enforce", "record", "record_allow_nonroot"}


def simulate(ledger: Ledger, parameters: Parameters) -> Document:
    """As in a ledger that closes now. Without entries of authorization it finds out which are needed."""
    envelope = _envelope(parameters.text("transaction"))
    mode = parameters.optional_text("authMode")
    if mode not in MODES:
        raise invalid(f"unsupported authMode {mode}")
    operation = envelope.transaction.operations[0] if len(envelope.transaction.operations) == 1 else None
    with ledger.reading() as store:
        newest = latest(store)
        if not isinstance(operation, InvokeHostFunction):
            return _error("Transaction must have exactly one operation, to invoke a host function", newest)
        arguments = operation.host_function.invoke_contract
        if arguments is None:
            return _error("Only contracts can be invoked here, not uploaded or created", newest)
        if mode.startswith("record") and operation.auth:
            return _error("authMode=record and there are entries of authorization", newest)
        now = max(int(time.time() + ledger.clock_offset), newest.closed_at)
        authority = _authority(store, newest, envelope, operation, arguments, enforce=mode == "enforce")
        outcome = frame.run(store, Closed(newest.sequence + 1, now), arguments, authority)
    if isinstance(outcome, Failed):
        return _failure(outcome, arguments, newest)
    return _success(outcome, authority, newest)


def _envelope(text: str) -> TransactionEnvelope:
    try:
        envelope = envelopes.parsed(text, PASSPHRASE)
    except ValueError:
        raise invalid("Could not unmarshal transaction") from None
    if isinstance(envelope, FeeBumpTransactionEnvelope):
        return envelope.transaction.inner_transaction_envelope
    return envelope


def _authority(
    store: Store,
    newest: Closed,
    envelope: TransactionEnvelope,
    operation: InvokeHostFunction,
    arguments: InvokeContractArgs,
    *,
    enforce: bool,
) -> Enforcing | Recording:
    source = source_of(operation, envelope)
    if operation.auth or enforce:
        return Enforcing(store, newest.sequence + 1, source, arguments, tuple(operation.auth or ()))
    return Recording(source, arguments)


def _success(completed: Completed, authority: Enforcing | Recording, newest: Closed) -> Document:
    data = resources.needed(writes=bool(completed.changes), nonces=authority.nonces)
    return {
        "transactionData": data.to_xdr(),
        "minResourceFee": str(data.resource_fee.int64),
        "events": [each.to_xdr() for each in completed.diagnostics],
        "results": [{"xdr": completed.value.to_xdr(), "auth": [each.to_xdr() for each in authority.entries]}],
        "latestLedger": newest.sequence,
    }


def _failure(failed: Failed, arguments: InvokeContractArgs, newest: Closed) -> Document:
    text = diagnostics.log(instance.CONTRACT_ID, arguments, failed.trap)
    return {**_error(text, newest), "events": [each.to_xdr() for each in failed.diagnostics]}


def _error(text: str, newest: Closed) -> Document:
    return {"error": text, "latestLedger": newest.sequence}
