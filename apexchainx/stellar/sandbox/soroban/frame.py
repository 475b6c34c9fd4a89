"""Runs one call of the contract, and keeps nothing of it: what is to be kept is in the answer."""

from dataclasses import dataclass

from stellar_sdk import Address
from stellar_sdk.xdr import ContractEvent, DiagnosticEvent, InvokeContractArgs, SCVal

from apexchainx.stellar.sandbox.soroban import diagnostics, tables
from apexchainx.stellar.sandbox.soroban.authorization import Authority
from apexchainx.stellar.sandbox.soroban.contract.call import Call, Event
from apexchainx.stellar.sandbox.soroban.contract.errors import Trap
from apexchainx.stellar.sandbox.soroban.contract.functions import function
from apexchainx.stellar.sandbox.soroban.contract.storage import Storage
from apexchainx.stellar.sandbox.soroban.instance import CONTRACT_ID
from apexchainx.stellar.sandbox.soroban.scvals import decode, encode
from apexchainx.stellar.sandbox.store import Closed, Store


@dataclass(frozen=True)
class Completed:
    """What the call answered, emitted and changed; `diagnostics` is the whole story, also of a failure."""

    value: SCVal
    changes: dict[str, str | None]
    emitted: list[Event]
    events: list[ContractEvent]
    diagnostics: list[DiagnosticEvent]


@dataclass(frozen=True)
class Failed:
    trap: Trap
    diagnostics: list[DiagnosticEvent]


def run(
    store: Store, ledger: Closed, arguments: InvokeContractArgs, authority: Authority
) -> Completed | Failed:
    call = Call(Storage(tables.storage(store)), ledger.closed_at, ledger.sequence, authority.authorise)
    try:
        value = _answer(call, arguments)
    except Trap as trap:
        return Failed(trap, _story(call, arguments, diagnostics.trapped(CONTRACT_ID, trap), is_kept=False))
    end = diagnostics.returned(CONTRACT_ID, arguments, value)
    events = [diagnostics.emitted(CONTRACT_ID, each) for each in call.events]
    story = _story(call, arguments, end, is_kept=True)
    return Completed(value, call.storage.changes, call.events, events, story)


def _answer(call: Call, arguments: InvokeContractArgs) -> SCVal:
    contract = Address.from_xdr_sc_address(arguments.contract_address).address
    if contract != CONTRACT_ID:
        raise Trap("Storage", "MissingValue", "trying to get non-existing value for contract instance")
    found = function(arguments.function_name.sc_symbol.decode(errors="replace"))
    if found is None:
        raise Trap("WasmVm", "MissingValue", "trying to invoke non-existent contract function")
    answer = found.run(call, *decode(found.parameters, arguments.args))
    return encode(found.answer, answer)


def _story(
    call: Call, arguments: InvokeContractArgs, end: DiagnosticEvent, *, is_kept: bool
) -> list[DiagnosticEvent]:
    events = [diagnostics.emitted(CONTRACT_ID, each) for each in call.events]
    inside = [diagnostics.of_contract(each, is_kept=is_kept) for each in events]
    return [diagnostics.called(arguments), *inside, end]
