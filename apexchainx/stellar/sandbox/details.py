"""What Horizon tells of each kind of operation."""

import base64
from collections.abc import Callable
from typing import Any

from stellar_sdk import (
    AccountMerge,
    AllowTrust,
    Asset,
    BumpSequence,
    ChangeTrust,
    ClaimClaimableBalance,
    CreateAccount,
    CreateClaimableBalance,
    InvokeHostFunction,
    ManageData,
    MuxedAccount,
    Payment,
    SetOptions,
    SetTrustLineFlags,
)
from stellar_sdk.operation import Operation

from apexchainx.stellar.sandbox.amounts import as_text
from apexchainx.stellar.sandbox.documents import FLAGS, Document, asset
from apexchainx.stellar.sandbox.predicates import described

LINE_FLAGS = {1: "authorized", 2: "authorized_to_maintain_liabilities", 4: "clawback_enabled"}

Details = Callable[[Any, MuxedAccount], Document]


def details(operation: Operation, source: MuxedAccount) -> Document:
    """Its type, and what that type has of its own."""
    kind = type(operation)
    name, number, describe = KINDS[kind]
    return {"type": name, "type_i": number, **describe(operation, source)}


def muxed(role: str, account: MuxedAccount) -> Document:
    """The fields that stand beside an account with a sub-account."""
    if account.account_muxed is None:
        return {}
    return {f"{role}_muxed": account.account_muxed, f"{role}_muxed_id": str(account.account_muxed_id)}


def _payment(operation: Payment, source: MuxedAccount) -> Document:
    to = operation.destination
    return {
        **asset(operation.asset),
        "from": source.account_id,
        **muxed("from", source),
        "to": to.account_id,
        **muxed("to", to),
        "amount": _exact(operation.amount),
    }


def _create_account(operation: CreateAccount, source: MuxedAccount) -> Document:
    return {
        "starting_balance": _exact(operation.starting_balance),
        "funder": source.account_id,
        **muxed("funder", source),
        "account": operation.destination,
    }


def _change_trust(operation: ChangeTrust, source: MuxedAccount) -> Document:
    trusted = operation.asset if isinstance(operation.asset, Asset) else Asset.native()
    return {
        **asset(trusted),
        "trustor": source.account_id,
        **muxed("trustor", source),
        "trustee": trusted.issuer or "",
        "limit": _exact(operation.limit),
    }


def _allow_trust(operation: AllowTrust, source: MuxedAccount) -> Document:
    return {
        **asset(Asset(operation.asset_code, source.account_id)),
        "trustee": source.account_id,
        "trustor": operation.trustor,
        "authorize": operation.authorize == 1,
        "authorize_to_maintain_liabilities": bool(operation.authorize),
    }


def _set_trust_line_flags(operation: SetTrustLineFlags, _source: MuxedAccount) -> Document:
    return {
        **asset(operation.asset),
        "trustor": operation.trustor,
        **_flags("set", operation.set_flags, LINE_FLAGS),
        **_flags("clear", operation.clear_flags, LINE_FLAGS),
    }


def _set_options(operation: SetOptions, _source: MuxedAccount) -> Document:
    signer = operation.signer
    given = {
        "home_domain": operation.home_domain,
        "inflation_dest": operation.inflation_dest,
        "master_key_weight": operation.master_weight,
        "low_threshold": operation.low_threshold,
        "med_threshold": operation.med_threshold,
        "high_threshold": operation.high_threshold,
        "signer_key": signer.signer_key.encoded_signer_key if signer else None,
        "signer_weight": signer.weight if signer else None,
    }
    return {
        **{name: value for name, value in given.items() if value is not None},
        **_flags("set", operation.set_flags, FLAGS),
        **_flags("clear", operation.clear_flags, FLAGS),
    }


def _manage_data(operation: ManageData, _source: MuxedAccount) -> Document:
    value = operation.data_value
    return {"name": operation.data_name, "value": "" if value is None else base64.b64encode(value).decode()}


def _bump_sequence(operation: BumpSequence, _source: MuxedAccount) -> Document:
    return {"bump_to": str(operation.bump_to)}


def _account_merge(operation: AccountMerge, source: MuxedAccount) -> Document:
    into = operation.destination
    return {
        "account": source.account_id,
        **muxed("account", source),
        "into": into.account_id,
        **muxed("into", into),
    }


def _create_claimable_balance(operation: CreateClaimableBalance, _source: MuxedAccount) -> Document:
    of = operation.asset
    claimants = [
        {"destination": each.destination, "predicate": described(each.predicate)}
        for each in operation.claimants
    ]
    return {
        "asset": "native" if of.is_native() else f"{of.code}:{of.issuer}",
        "amount": _exact(operation.amount),
        "claimants": claimants,
    }


def _claim_claimable_balance(operation: ClaimClaimableBalance, source: MuxedAccount) -> Document:
    return {
        "balance_id": operation.balance_id,
        "claimant": source.account_id,
        **muxed("claimant", source),
    }


def _invoke_host_function(_operation: InvokeHostFunction, _source: MuxedAccount) -> Document:
    return {"function": "HostFunctionTypeHostFunctionTypeInvokeContract"}


def _flags(role: str, flags: int | None, names: dict[int, str]) -> Document:
    given = [flag for flag in names if flags and flags & flag]
    if not given:
        return {}
    return {f"{role}_flags": given, f"{role}_flags_s": [names[flag] for flag in given]}


def _exact(amount: str) -> str:
    return as_text(Operation.to_xdr_amount(amount))


KINDS: dict[type[Operation], tuple[str, int, Details]] = {
    CreateAccount: ("create_account", 0, _create_account),
    Payment: ("payment", 1, _payment),
    SetOptions: ("set_options", 5, _set_options),
    ChangeTrust: ("change_trust", 6, _change_trust),
    AllowTrust: ("allow_trust", 7, _allow_trust),
    AccountMerge: ("account_merge", 8, _account_merge),
    ManageData: ("manage_data", 10, _manage_data),
    BumpSequence: ("bump_sequence", 11, _bump_sequence),
    CreateClaimableBalance: ("create_claimable_balance", 14, _create_claimable_balance),
    ClaimClaimableBalance: ("claim_claimable_balance", 15, _claim_claimable_balance),
    SetTrustLineFlags: ("set_trust_line_flags", 21, _set_trust_line_flags),
    InvokeHostFunction: ("invoke_host_function", 24, _invoke_host_function),
}
