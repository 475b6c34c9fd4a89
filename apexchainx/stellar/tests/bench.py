"""Small steps on a ledger, taken with the unmodified SDK."""

from typing import Any

import requests
from stellar_sdk import Account, Asset, ChangeTrust, Keypair, Payment, Server, TransactionBuilder, TransactionEnvelope
from stellar_sdk.exceptions import BaseHorizonError
from stellar_sdk.operation import Operation

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.ledger import ROOT


def funded(server: Server) -> Keypair:
    """A new account with 10,000 XLM."""
    keypair = Keypair.random()
    requests.get(f"{server.horizon_url}/friendbot", {"addr": keypair.public_key}, timeout=5).raise_for_status()
    return keypair


def holder(server: Server, usdc: Asset, *, limit: str | None = None) -> Keypair:
    """A new account that trusts the asset."""
    keypair = funded(server)
    send(server, keypair, ChangeTrust(usdc, limit))
    return keypair


def built(
    server: Server, source: Keypair, *operations: Operation, base_fee: int = 100, bounds: tuple[int, int] = (0, 0)
) -> TransactionEnvelope:
    """Unsigned, with the next sequence number; 0 for an account that does not exist."""
    try:
        account = server.load_account(source.public_key)
    except BaseHorizonError:
        account = Account(source.public_key, 0)
    builder = TransactionBuilder(account, PASSPHRASE, base_fee=base_fee).add_time_bounds(*bounds)
    for operation in operations:
        builder.append_operation(operation)
    return builder.build()


def signed(server: Server, source: Keypair, *operations: Operation) -> TransactionEnvelope:
    envelope = built(server, source, *operations)
    envelope.sign(source)
    return envelope


def post(server: Server, envelope: TransactionEnvelope) -> dict[str, Any]:
    return server.submit_transaction(envelope, skip_memo_required_check=True)


def send(server: Server, source: Keypair, *operations: Operation) -> dict[str, Any]:
    return post(server, signed(server, source, *operations))


def codes(error: BaseHorizonError) -> tuple[str, list[str]]:
    """The transaction's code and those of its operations."""
    found = (error.extras or {})["result_codes"]
    return found["transaction"], found.get("operations", [])


def pay(to: str, asset: Asset, amount: str, source: str | None = None) -> Payment:
    return Payment(to, asset, amount, source)


def balances(server: Server, address: str) -> dict[str, str]:
    """Balance by asset code, XLM for the native one."""
    rows = server.accounts().account_id(address).call()["balances"]
    return {row.get("asset_code", "XLM"): row["balance"] for row in rows}


def sequence(server: Server, address: str) -> int:
    return server.load_account(address).sequence


ROOT_ADDRESS = ROOT.public_key
