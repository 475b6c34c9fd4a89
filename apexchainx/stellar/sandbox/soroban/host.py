"""InvokeHostFunction: what a call of the contract does to the ledger, and what history keeps of it."""

import hashlib
from dataclasses import replace

from stellar_sdk import InvokeHostFunction
from stellar_sdk.xdr import (
    DiagnosticEvent,
    Hash,
    InvokeContractArgs,
    InvokeHostFunctionResultCode,
    InvokeHostFunctionSuccessPreImage,
    SorobanTransactionData,
)

from apexchainx.stellar.sandbox import results
from apexchainx.stellar.sandbox.place import Place
from apexchainx.stellar.sandbox.results import OperationOutcome
from apexchainx.stellar.sandbox.soroban import diagnostics, frame, instance, meta, resources, tables
from apexchainx.stellar.sandbox.soroban.authorization import Enforcing
from apexchainx.stellar.sandbox.soroban.contract.errors import Trap
from apexchainx.stellar.sandbox.soroban.frame import Completed, Failed
from apexchainx.stellar.sandbox.soroban.tables import EventRow

Code = InvokeHostFunctionResultCode


def invoke(operation: InvokeHostFunction, place: Place) -> OperationOutcome:
    """Only the one contract can be called; nothing can be uploaded or deployed."""
    arguments = operation.host_function.invoke_contract
    declared = place.envelope.transaction.soroban_data
    if arguments is None or declared is None:
        return results.operation(Code.INVOKE_HOST_FUNCTION_MALFORMED)
    authority = Enforcing(
        place.store, place.ledger.sequence, place.source, arguments, tuple(operation.auth or ())
    )
    completed = _run(place, arguments, authority, declared)
    if isinstance(completed, Failed):
        return _failed(Code.INVOKE_HOST_FUNCTION_TRAPPED, completed.diagnostics)
    refusal = _over_limits(completed, place, declared)
    if refusal is not None:
        return _failed(refusal, completed.diagnostics)
    _keep(completed, authority, place)
    return _succeeded(completed)


def _run(
    place: Place, arguments: InvokeContractArgs, authority: Enforcing, declared: SorobanTransactionData
) -> Completed | Failed:
    outcome = frame.run(place.store, place.ledger, arguments, authority)
    if isinstance(outcome, Failed):
        return outcome
    try:
        resources.require_footprint(declared, writes=bool(outcome.changes), nonces=authority.nonces)
    except Trap as trap:
        story = [diagnostics.called(arguments), diagnostics.trapped(instance.CONTRACT_ID, trap)]
        return Failed(trap, story)
    return outcome


def _over_limits(
    completed: Completed, place: Place, declared: SorobanTransactionData
) -> InvokeHostFunctionResultCode | None:
    """The contract's storage is one entry, and the network lets none grow beyond its limit."""
    if not resources.are_enough(declared, writes=bool(completed.changes)):
        return Code.INVOKE_HOST_FUNCTION_RESOURCE_LIMIT_EXCEEDED
    if completed.changes and instance.size(_after(completed, place)) > resources.LARGEST_ENTRY:
        return Code.INVOKE_HOST_FUNCTION_RESOURCE_LIMIT_EXCEEDED
    if declared.resource_fee.int64 < resources.RESOURCE_FEE:
        return Code.INVOKE_HOST_FUNCTION_INSUFFICIENT_REFUNDABLE_FEE
    return None


def _after(completed: Completed, place: Place) -> dict[str, str]:
    rows = {**tables.storage(place.store), **completed.changes}
    return {key: value for key, value in rows.items() if value is not None}


def _keep(completed: Completed, authority: Enforcing, place: Place) -> None:
    tables.change(place.store, completed.changes, place.ledger.sequence)
    for nonce in authority.nonces:
        tables.use_nonce(place.store, nonce.address, nonce.value, nonce.expires)
    hash_ = place.envelope.hash_hex()
    rows = [
        EventRow(
            # Here operations count from 0, and in Horizon's ids from 1.
            operation=place.id - 1,
            position=position,
            topics=tuple(each.to_xdr() for each in diagnostics.topics(event)),
            value=diagnostics.data(event).to_xdr(),
            hash=hash_,
        )
        for position, event in enumerate(completed.emitted)
    ]
    tables.add_events(place.store, rows)


def _succeeded(completed: Completed) -> OperationOutcome:
    image = InvokeHostFunctionSuccessPreImage(completed.value, completed.events)
    digest = Hash(hashlib.sha256(image.to_xdr_bytes()).digest())
    outcome = results.operation(Code.INVOKE_HOST_FUNCTION_SUCCESS, success=digest)
    return replace(outcome, meta_xdr=meta.of_success(completed).to_xdr())


def _failed(code: InvokeHostFunctionResultCode, story: list[DiagnosticEvent]) -> OperationOutcome:
    return replace(results.operation(code), meta_xdr=meta.of_failure(story).to_xdr())
