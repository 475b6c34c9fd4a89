"""Horizon's documents as records; what makes no sense raises ValueError, LookupError or TypeError."""

from datetime import datetime
from decimal import Decimal

from apexchainx.stellar.horizon.connection import Document
from apexchainx.stellar.horizon.records import (
    Account,
    Balance,
    ClaimableBalance,
    FeeStats,
    LedgerClose,
    LedgerPayment,
    LedgerTransaction,
    Signer,
)

PERCENTILES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99)


def account(document: Document) -> Account:
    return Account(
        address=document["account_id"],
        sequence=int(document["sequence"]),
        balances=tuple(_balance(each) for each in document["balances"]),
        signers=tuple(
            Signer(each["key"], int(each["weight"]), each["type"]) for each in document.get("signers", ())
        ),
    )


def transaction(document: Document, hash_: str) -> LedgerTransaction:
    """Raises ValueError where the document does not say what became of this transaction."""
    from apexchainx.stellar import codes

    outer = document.get("fee_bump_transaction") or {}
    inner = document.get("inner_transaction") or {}
    if hash_ not in {document["hash"], outer.get("hash"), inner.get("hash")}:
        raise ValueError(hash_)
    if not isinstance(document["successful"], bool):
        raise TypeError(hash_)
    return LedgerTransaction(
        hash=hash_,
        successful=document["successful"],
        ledger=document["ledger"],
        created_at=datetime.fromisoformat(document["created_at"]),
        envelope_xdr=document["envelope_xdr"],
        operations=() if document["successful"] else codes.of_operations(document["result_xdr"]),
        outer_hash=outer.get("hash", ""),
        inner_hash=inner.get("hash", ""),
    )


def payment(document: Document) -> LedgerPayment:
    """A record of an unknown kind is one without an amount; only its place in history must be there."""
    known = LedgerPayment(
        id=int(document["id"]),
        cursor=str(int(document["paging_token"])),
        kind=str(document["type"]),
        transaction_hash=str(document["transaction_hash"]),
        successful=document["transaction_successful"] is True,
    )
    try:
        return _detailed(known, document)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return known


def claimable_balance(document: Document) -> ClaimableBalance:
    code, _, issuer = document["asset"].partition(":")
    return ClaimableBalance(
        id=document["id"],
        cursor=document["paging_token"],
        code="XLM" if code == "native" else code,
        issuer=issuer,
        amount=_amount(document["amount"]),
        sponsor=document.get("sponsor", ""),
        claimants=tuple(each["destination"] for each in document["claimants"]),
    )


def fee_stats(document: Document) -> FeeStats:
    charged = {each: int(document["fee_charged"][f"p{each}"]) for each in PERCENTILES}
    return FeeStats(base_fee=int(document["last_ledger_base_fee"]), p90=charged[90], charged=charged)


def ledger_close(document: Document) -> LedgerClose:
    return LedgerClose(int(document["sequence"]), datetime.fromisoformat(document["closed_at"]))


def records(page: Document) -> list[Document]:
    found = page["_embedded"]["records"]
    if not isinstance(found, list):
        raise TypeError("records")
    return found


def _balance(document: Document) -> Balance:
    return Balance(
        code=document.get("asset_code", "XLM"),
        issuer=document.get("asset_issuer", ""),
        amount=_amount(document["balance"]),
        asset_type=document["asset_type"],
    )


def _detailed(known: LedgerPayment, document: Document) -> LedgerPayment:
    created = known.kind == "create_account"
    native = created or document["asset_type"] == "native"
    return LedgerPayment(
        id=known.id,
        cursor=known.cursor,
        kind=known.kind,
        transaction_hash=known.transaction_hash,
        successful=known.successful,
        source=document["funder" if created else "from"],
        destination=document["account" if created else "to"],
        code="XLM" if native else document["asset_code"],
        issuer="" if native else document["asset_issuer"],
        amount=_amount(document["starting_balance" if created else "amount"]),
        memo=str((document.get("transaction") or {}).get("memo", "")),
    )


def _amount(text: object) -> Decimal:
    """Amounts are text; a number may have lost some of it already."""
    if not isinstance(text, str) or not (amount := Decimal(text)).is_finite():
        raise ValueError(str(text))
    return amount
