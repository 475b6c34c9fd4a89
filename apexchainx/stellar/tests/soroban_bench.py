"""The contract on a test's own ledger, initialised, and small steps with it by the unmodified SDK."""

from dataclasses import dataclass, field
from typing import Any

import requests
from stellar_sdk import Keypair, SorobanServer, TransactionBuilder, TransactionEnvelope, scval, xdr
from stellar_sdk.client.requests_client import RequestsClient
from stellar_sdk.contract import AssembledTransaction, ContractClient
from stellar_sdk.soroban_rpc import GetTransactionResponse, SendTransactionStatus

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.soroban.instance import CONTRACT_ID


@dataclass(frozen=True)
class Deployed:
    """`admin` and `operator` have accounts; the contract is theirs once `initialise` was called."""

    url: str
    rpc: SorobanServer
    client: ContractClient
    admin: Keypair = field(default_factory=Keypair.random)
    operator: Keypair = field(default_factory=Keypair.random)

    def initialise(self) -> None:
        call = self.invoke(self.admin, "initialize", scval.to_address(self.operator.public_key))
        call.authorize(self.operator)
        call.sign_and_submit()

    def invoke(self, caller: Keypair, function: str, *arguments: xdr.SCVal) -> AssembledTransaction[Any]:
        """Simulated, with the caller as the first argument; raises where the simulation fails."""
        values = [scval.to_address(caller.public_key), *arguments]
        return self.client.invoke(
            function, values, source=caller.public_key, signer=caller, parse_result_xdr_fn=native
        )

    def apply(self, caller: Keypair, function: str, *arguments: xdr.SCVal) -> Any:
        return self.invoke(caller, function, *arguments).sign_and_submit()

    def view(self, function: str, *arguments: xdr.SCVal) -> Any:
        return self.client.invoke(function, list(arguments), parse_result_xdr_fn=native).result()

    def calculate(self, outage: str = "OUT001", severity: str = "critical", minutes: int = 25) -> Any:
        return self.apply(self.operator, "calculate_sla", *outage_values(outage, severity, minutes))

    def built(self, source: Keypair, function: str, *arguments: xdr.SCVal) -> TransactionEnvelope:
        """Not simulated, not signed."""
        builder = TransactionBuilder(self.rpc.load_account(source.public_key), PASSPHRASE)
        builder.append_invoke_contract_function_op(CONTRACT_ID, function, list(arguments))
        return builder.add_time_bounds(0, 0).build()

    def prepared(self, source: Keypair, function: str, *arguments: xdr.SCVal) -> TransactionEnvelope:
        """Simulated and not signed yet, with the source as the first argument."""
        values = [scval.to_address(source.public_key), *arguments]
        return self.rpc.prepare_transaction(self.built(source, function, *values))

    def send(self, envelope: TransactionEnvelope, *signers: Keypair) -> GetTransactionResponse:
        """What became of it; that it is not taken in fails the test."""
        for signer in signers:
            envelope.sign(signer)
        assert self.rpc.send_transaction(envelope).status == SendTransactionStatus.PENDING
        return self.rpc.get_transaction(envelope.hash_hex())

    def sequence(self, owner: Keypair) -> int:
        return self.rpc.load_account(owner.public_key).sequence


def deployed(url: str, *, initialise: bool = True) -> Deployed:
    rpc = SorobanServer(url, RequestsClient(num_retries=0))
    found = Deployed(url, rpc, ContractClient(CONTRACT_ID, url, PASSPHRASE))
    for each in (found.admin, found.operator):
        fund(url, each)
    if initialise:
        found.initialise()
    return found


def fund(url: str, owner: Keypair) -> None:
    requests.get(f"{url}/friendbot", {"addr": owner.public_key}, timeout=5).raise_for_status()


def native(value: xdr.SCVal | str) -> Any:
    return scval.to_native(value)


def outage_values(outage: str, severity: str, minutes: int) -> list[xdr.SCVal]:
    return [scval.to_symbol(outage), scval.to_symbol(severity), scval.to_uint32(minutes)]


def config_values(severity: str, threshold: int, penalty: int, reward: int) -> list[xdr.SCVal]:
    amounts = [scval.to_int128(penalty), scval.to_int128(reward)]
    return [scval.to_symbol(severity), scval.to_uint32(threshold), *amounts]


def result_of(answer: GetTransactionResponse) -> tuple[str, str]:
    """The code of the transaction and that of its call, as stellar-core names them."""
    assert answer.result_xdr
    result = xdr.TransactionResult.from_xdr(answer.result_xdr)
    (operation,) = result.result.results or []
    assert operation.tr
    assert operation.tr.invoke_host_function_result
    return result.result.code.name, operation.tr.invoke_host_function_result.code.name


def post(url: str, body: Any) -> Any:
    """Any body, and the document that answers it."""
    return requests.post(url, json=body, timeout=5).json()
