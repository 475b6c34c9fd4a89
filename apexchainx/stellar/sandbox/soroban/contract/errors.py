"""How a call to the contract may fail: by an error of its own, or by a trap of the host."""

from apexchainx.stellar.contract_errors import SLAError


class Trap(Exception):
    """The call ends here and leaves nothing behind. `kind` and `code` are the host's, as in its log."""

    def __init__(self, kind: str, code: str, message: str = "") -> None:
        super().__init__(f"HostError: Error({kind}, {code})")
        self.kind = kind
        self.code = code
        self.message = message or "the call has trapped"


class Refusal(Trap):
    """The contract has returned one of its own errors."""

    def __init__(self, error: SLAError) -> None:
        super().__init__("Contract", f"#{error.value}", "escalating Ok(ScErrorType::Contract) frame-exit")
        self.error = error
