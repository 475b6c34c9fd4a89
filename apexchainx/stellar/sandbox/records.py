"""How history keeps a transaction and its operations: Horizon's documents, without links."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from stellar_sdk import (
    DecoratedSignature,
    HashMemo,
    IdMemo,
    MuxedAccount,
    Preconditions,
    ReturnHashMemo,
    TextMemo,
)
from stellar_sdk.memo import Memo

from apexchainx.stellar.sandbox.details import details, muxed
from apexchainx.stellar.sandbox.documents import Document, moment
from apexchainx.stellar.sandbox.place import source_of
from apexchainx.stellar.sandbox.results import TransactionOutcome
from apexchainx.stellar.sandbox.store import Closed
from apexchainx.stellar.sandbox.submission import Submission

ROLES = ("source_account", "from", "to", "account", "into", "trustor", "claimant")


@dataclass(frozen=True)
class Inclusion:
    """Where in history a transaction stands, and what it cost in stroops."""

    ledger: Closed
    id: int
    fee: int


def transaction(submission: Submission, outcome: TransactionOutcome, inclusion: Inclusion) -> Document:
    facts = submission.inner.transaction
    payer = submission.bump.transaction.fee_source if submission.bump else facts.source
    return {
        "id": submission.hash,
        "paging_token": str(inclusion.id),
        "successful": outcome.code in {"tx_success", "tx_fee_bump_inner_success"},
        "hash": submission.hash,
        "ledger": inclusion.ledger.sequence,
        "created_at": moment(inclusion.ledger.closed_at),
        "source_account": facts.source.account_id,
        **muxed("account", facts.source),
        "source_account_sequence": str(facts.sequence),
        "fee_account": payer.account_id,
        **muxed("fee_account", payer),
        "fee_charged": str(inclusion.fee),
        "max_fee": str(submission.fee),
        "operation_count": len(facts.operations),
        "envelope_xdr": submission.xdr,
        "result_xdr": outcome.result_xdr,
        "fee_meta_xdr": "",
        "signatures": _signatures(submission.envelope.signatures),
        **_memo(facts.memo),
        **_preconditions(facts.preconditions or Preconditions()),
        **_hulls(submission),
    }


def operations(submission: Submission, inclusion: Inclusion, *, successful: bool) -> dict[int, Document]:
    """The record of each operation, by its id."""
    envelope = submission.inner
    shared = {
        "transaction_successful": successful,
        "created_at": moment(inclusion.ledger.closed_at),
        "transaction_hash": submission.hash,
    }
    found = {}
    for id_, each in enumerate(envelope.transaction.operations, start=inclusion.id + 1):
        source: MuxedAccount = each.source or envelope.transaction.source
        ids = {"id": str(id_), "paging_token": str(id_), "source_account": source_of(each, envelope)}
        found[id_] = {**ids, **muxed("source_account", source), **shared, **details(each, source)}
    return found


def addresses(document: Document) -> set[str]:
    """The accounts that an operation concerns."""
    claimants = {each["destination"] for each in document.get("claimants", ())}
    return {document[role] for role in ROLES if role in document} | claimants


def _hulls(submission: Submission) -> Document:
    """The two transactions of a fee bump, each with its own hash, fee and signatures."""
    if submission.bump is None:
        return {}
    inner = submission.inner
    outside = {"hash": submission.hash, "signatures": _signatures(submission.bump.signatures)}
    inside = {
        "hash": submission.inner_digest.hex(),
        "signatures": _signatures(inner.signatures),
        "max_fee": str(inner.transaction.fee),
    }
    return {"fee_bump_transaction": outside, "inner_transaction": inside}


def _signatures(signatures: Sequence[DecoratedSignature]) -> list[str]:
    return [base64.b64encode(each.signature).decode() for each in signatures]


def _memo(memo: Memo) -> Document:
    match memo:
        case TextMemo():
            encoded = base64.b64encode(memo.memo_text).decode()
            text = memo.memo_text.decode(errors="replace")
            return {"memo_type": "text", "memo": text, "memo_bytes": encoded}
        case IdMemo():
            return {"memo_type": "id", "memo": str(memo.memo_id)}
        case HashMemo():
            return {"memo_type": "hash", "memo": base64.b64encode(memo.memo_hash).decode()}
        case ReturnHashMemo():
            return {"memo_type": "return", "memo": base64.b64encode(memo.memo_return).decode()}
    return {"memo_type": "none"}


def _preconditions(conditions: Preconditions) -> Document:
    found: Document = {}
    if conditions.time_bounds:
        times = conditions.time_bounds
        found["timebounds"] = {"min_time": str(times.min_time)} | (
            {"max_time": str(times.max_time)} if times.max_time else {}
        )
    if conditions.ledger_bounds:
        ledgers = conditions.ledger_bounds
        found["ledgerbounds"] = {"min_ledger": ledgers.min_ledger} | (
            {"max_ledger": ledgers.max_ledger} if ledgers.max_ledger else {}
        )
    if conditions.min_sequence_number is not None:
        found["min_account_sequence"] = str(conditions.min_sequence_number)
    if conditions.min_sequence_age:
        found["min_account_sequence_age"] = str(conditions.min_sequence_age)
    if conditions.min_sequence_ledger_gap:
        found["min_account_sequence_ledger_gap"] = conditions.min_sequence_ledger_gap
    if conditions.extra_signers:
        found["extra_signers"] = [key.encoded_signer_key for key in conditions.extra_signers]
    return {"preconditions": found} if found else {}
