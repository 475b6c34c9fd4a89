"""What the contract refuses, found in the places where the network says so."""

import re
from collections.abc import Iterable

from apexchainx.errors import Conflict
from apexchainx.stellar.contract_errors import SLAError

IN_TEXT = re.compile(r"Error\(Contract, #(\d+)\)")
OF_HOST = re.compile(r"Error\((\w+), (\w+)\)")


class ContractRefused(Conflict):
    """The contract, or the host that runs it, has refused a call. `error` is its name for the reason."""

    def __init__(self, error: str, *, is_retryable: bool = False) -> None:
        details = {"contract_error": error, "is_retryable": is_retryable}
        super().__init__(
            f"The SLA contract refuses: {error}.", code="STELLAR_CONTRACT_ERROR", details=details
        )
        self.error = error


def refused(text: str) -> ContractRefused:
    """What a simulation's error says."""
    if found := IN_TEXT.search(text):
        return of_number(int(found[1]))
    host = OF_HOST.search(text)
    return ContractRefused(f"{host[1]} {host[2]}" if host else "unknown")


def of_number(number: int) -> ContractRefused:
    known = number in SLAError.__members__.values()
    if not known:
        return ContractRefused(f"#{number}")
    error = SLAError(number)
    return ContractRefused(error.name, is_retryable=error.is_retryable)


def of_diagnostics(events: Iterable[str]) -> ContractRefused | None:
    """The reason of a call that was applied and failed: its result does not say it, the host's events do."""
    from stellar_sdk.xdr import DiagnosticEvent

    for each in events:
        body = DiagnosticEvent.from_xdr(each).event.body.v0
        topics = body.topics if body else []
        error = topics[1].error if len(topics) > 1 and topics[0].sym else None
        if error is None:
            continue
        if error.contract_code is not None:
            return of_number(error.contract_code.uint32)
        if error.code is not None:
            return ContractRefused(f"{_words(error.type.name)} {_words(error.code.name)}")
    return None


def _words(name: str) -> str:
    """SCE_WASM_VM as the host writes it elsewhere: WasmVm."""
    return name.partition("_")[2].title().replace("_", "")
