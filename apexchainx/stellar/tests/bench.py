"""Small steps on a ledger, taken with the unmodified SDK."""

from typing import Any

import pytest
import requests
from stellar_sdk import (
    Account,
    Asset,
    ChangeTrust,
    FeeBumpTransactionEnvelope,
    Keypair,
    Payment,
    Server,
    TransactionBuilder,
    TransactionEnvelope,
    xdr,
)
from stellar_sdk.exceptions import BadRequestError, NotFoundError
from stellar_sdk.operation import Operation

from apexchainx.stellar import codes
from apexchainx.stellar.sandbox import PASSPHRASE


def funded(server: Server) -> Keypair:
    """A new account with 10,000 XLM."""
    keypair, url = Keypair.random(), f"{server.horizon_url}/friendbot"
    requests.get(url, {"addr": keypair.public_key}, timeout=5).raise_for_status()
    return keypair


def holder(server: Server, usdc: Asset, *, limit: str | None = None) -> Keypair:
    """A new account that trusts the asset."""
    keypair = funded(server)
    send(server, keypair, ChangeTrust(usdc, limit))
    return keypair


def built(
    server: Server,
    source: Keypair,
    *operations: Operation,
    base_fee: int = 100,
    bounds: tuple[int, int] = (0, 0),
) -> TransactionEnvelope:
    """Unsigned, with the next sequence number; 1 for an account that does not exist."""
    try:
        account = server.load_account(source.public_key)
    except NotFoundError:
        account = Account(source.public_key, 0)
    builder = TransactionBuilder(account, PASSPHRASE, base_fee=base_fee).add_time_bounds(*bounds)
    for operation in operations:
        builder.append_operation(operation)
    return builder.build()


def signed(server: Server, source: Keypair, *operations: Operation, **choices: Any) -> TransactionEnvelope:
    envelope = built(server, source, *operations, **choices)
    envelope.sign(source)
    return envelope


def bumped(payer: Keypair, inner: TransactionEnvelope, base_fee: int) -> FeeBumpTransactionEnvelope:
    """The transaction in a fee bump that somebody pays for, in stroops per operation and one more."""
    bump = TransactionBuilder.build_fee_bump_transaction(payer, base_fee, inner, PASSPHRASE)
    bump.sign(payer)
    return bump


def post(server: Server, envelope: TransactionEnvelope | FeeBumpTransactionEnvelope) -> dict[str, Any]:
    return server.submit_transaction(envelope, skip_memo_required_check=True)


def send(server: Server, source: Keypair, *operations: Operation) -> dict[str, Any]:
    return post(server, signed(server, source, *operations))


def refused(server: Server, envelope: TransactionEnvelope | FeeBumpTransactionEnvelope) -> BadRequestError:
    """The refusal of an envelope; that it is accepted fails the test."""
    with pytest.raises(BadRequestError) as refusal:
        post(server, envelope)
    return refusal.value


def words(error: BadRequestError) -> tuple[str, list[str]]:
    """Horizon's code of the transaction, and those of its operations."""
    found = (error.extras or {})["result_codes"]
    return found["transaction"], found.get("operations", [])


def decoded(result_xdr: str | None) -> tuple[str, list[str], int]:
    """What a result says by itself: stellar-core's code, those of the operations, and the fee."""
    assert result_xdr
    result = xdr.TransactionResult.from_xdr(result_xdr)
    operations = [_name(each) for each in result.result.results or ()]
    return result.result.code.name, operations, result.fee_charged.int64


def rule(server: Server, kind: str, **choices: Any) -> int:
    """Make a fault rule; its id."""
    return int(control(server, "POST", "faults", kind=kind, **choices)["id"])


def settings(server: Server, **choices: Any) -> dict[str, Any]:
    """Change them, and read them."""
    return control(server, "PUT", "settings", **choices)


def close(server: Server) -> int:
    """Close one ledger; its number."""
    return int(control(server, "POST", "close")["sequence"])


def control(server: Server, method: str, name: str, **content: Any) -> dict[str, Any]:
    answer = requests.request(method, f"{server.horizon_url}/sandbox/{name}", json=content, timeout=5)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def pay(to: Keypair | str, asset: Asset, amount: str, source: Keypair | None = None) -> Payment:
    destination = to.public_key if isinstance(to, Keypair) else to
    return Payment(destination, asset, amount, source.public_key if source else None)


def burn(asset: Asset, amount: str, source: Keypair | None = None) -> Payment:
    """A payment to the asset's issuer."""
    return pay(asset.issuer or "", asset, amount, source)


def balances(server: Server, owner: Keypair) -> dict[str, str]:
    """Balance by asset code, XLM for the native one."""
    rows = server.accounts().account_id(owner.public_key).call()["balances"]
    return {row.get("asset_code", "XLM"): row["balance"] for row in rows}


def sequence(server: Server, owner: Keypair) -> int:
    return server.load_account(owner.public_key).sequence


def is_known(server: Server, envelope: TransactionEnvelope) -> bool:
    """Whether history has the transaction."""
    try:
        return bool(server.transactions().transaction(envelope.hash_hex()).call())
    except NotFoundError:
        return False


def _name(result: xdr.OperationResult) -> str:
    return codes.code_of(result).name
