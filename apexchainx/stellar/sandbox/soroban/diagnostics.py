"""Events as XDR: those of the contract, and those that tell what the host went through."""

import re
from collections.abc import Sequence

from stellar_sdk import Address, StrKey, scval
from stellar_sdk.xdr import (
    ContractEvent,
    ContractEventBody,
    ContractEventType,
    ContractEventV0,
    ContractID,
    DiagnosticEvent,
    ExtensionPoint,
    Hash,
    InvokeContractArgs,
    SCError,
    SCErrorCode,
    SCErrorType,
    SCVal,
    SCValType,
    Uint32,
)

from apexchainx.stellar.sandbox.soroban.contract.call import EVENT_VERSION, EVENTS, Event
from apexchainx.stellar.sandbox.soroban.contract.errors import Refusal, Trap
from apexchainx.stellar.sandbox.soroban.scvals import VOID, encode


def topics(event: Event) -> list[SCVal]:
    context, _data = EVENTS[event.name]
    names = (scval.to_symbol(event.name), scval.to_symbol(EVENT_VERSION))
    return [*names, encode(context, event.context)]


def data(event: Event) -> SCVal:
    _context, hint = EVENTS[event.name]
    return encode(hint, event.data)


def emitted(contract: str, event: Event) -> ContractEvent:
    return _event(ContractEventType.CONTRACT, contract, topics(event), data(event))


def called(arguments: InvokeContractArgs) -> DiagnosticEvent:
    """The first of every call: which function, and with what."""
    contract = Address.from_xdr_sc_address(arguments.contract_address)
    name = SCVal(SCValType.SCV_SYMBOL, sym=arguments.function_name)
    words = [scval.to_symbol("fn_call"), scval.to_bytes(contract.key), name]
    return _diagnostic(_event(ContractEventType.DIAGNOSTIC, None, words, _bare(arguments.args)), True)


def returned(contract: str, arguments: InvokeContractArgs, value: SCVal) -> DiagnosticEvent:
    name = SCVal(SCValType.SCV_SYMBOL, sym=arguments.function_name)
    words = [scval.to_symbol("fn_return"), name]
    return _diagnostic(_event(ContractEventType.DIAGNOSTIC, contract, words, value), True)


def trapped(contract: str, trap: Trap) -> DiagnosticEvent:
    """The only place where an applied call that failed says why."""
    words = [scval.to_symbol("error"), SCVal(SCValType.SCV_ERROR, error=_error(trap))]
    event = _event(ContractEventType.DIAGNOSTIC, contract, words, scval.to_string(trap.message))
    return _diagnostic(event, False)


def of_contract(event: ContractEvent, *, is_kept: bool) -> DiagnosticEvent:
    """An event of the contract; one of a call that failed is seen here alone."""
    return _diagnostic(event, is_kept)


def log(contract: str, arguments: InvokeContractArgs, trap: Trap) -> str:
    """What a simulation says of a failure; programs look for `Error(Contract, #N)` in it."""
    name = arguments.function_name.sc_symbol.decode(errors="replace")
    return (
        f"{trap}\n\nEvent log (newest first):\n"
        f"   0: [Diagnostic Event] contract:{contract}, topics:[error, Error({trap.kind}, {trap.code})],"
        f' data:"{trap.message}"\n'
        f"   1: [Diagnostic Event] topics:[fn_call, {contract}, {name}],"
        f" data:{len(arguments.args)} arguments\n"
    )


def _bare(arguments: Sequence[SCVal]) -> SCVal:
    if not arguments:
        return VOID
    return arguments[0] if len(arguments) == 1 else scval.to_vec(list(arguments))


def _event(kind: ContractEventType, contract: str | None, words: list[SCVal], value: SCVal) -> ContractEvent:
    id_ = ContractID(Hash(StrKey.decode_contract(contract))) if contract else None
    body = ContractEventBody(0, v0=ContractEventV0(words, value))
    return ContractEvent(ExtensionPoint(0), id_, kind, body)


def _diagnostic(event: ContractEvent, is_kept: bool) -> DiagnosticEvent:
    return DiagnosticEvent(is_kept, event)


def _error(trap: Trap) -> SCError:
    if isinstance(trap, Refusal):
        return SCError(SCErrorType.SCE_CONTRACT, contract_code=Uint32(trap.error.value))
    kind = SCErrorType[f"SCE_{_upper(trap.kind)}"]
    return SCError(kind, code=SCErrorCode[f"SCEC_{_upper(trap.code)}"])


def _upper(words: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", words).upper()
