"""A transaction that entered a ledger: what it costs, what it does, and how history keeps it."""

from stellar_sdk import SignerKey
from stellar_sdk.xdr import TransactionResultCode

from apexchainx.stellar.sandbox import operations, records, results
from apexchainx.stellar.sandbox.place import Place, source_of
from apexchainx.stellar.sandbox.records import Inclusion
from apexchainx.stellar.sandbox.results import OperationOutcome
from apexchainx.stellar.sandbox.store import Applied, Closed, Store
from apexchainx.stellar.sandbox.submission import Submission


def execute(submission: Submission, store: Store, ledger: Closed, *, order: int) -> Applied:
    """Fee and sequence first: those stay consumed. The operations happen all or not at all."""
    fee, id_ = submission.price, ledger.sequence << 32 | order << 12
    store.move(submission.fee_source, -fee, modified=ledger.sequence)
    store.set_sequence(submission.source, submission.sequence, ledger)
    _use_up_preauthorization(submission, store)
    outcomes = _run(submission, store, ledger, id_)
    is_success = all(each.is_success for each in outcomes)
    code = TransactionResultCode.txSUCCESS if is_success else TransactionResultCode.txFAILED
    outcome = results.transaction(code, 0 if submission.bump else fee, outcomes)
    if submission.bump:
        outcome = results.bumped(outcome, submission.inner_digest, fee)
    inclusion = Inclusion(ledger, id_, fee)
    document = records.transaction(submission, outcome, inclusion)
    document["result_meta_xdr"] = "".join(each.meta_xdr for each in outcomes)
    applied = Applied(submission.hash, ledger.sequence, is_success, outcome.operations, document)
    _record(submission, applied, store, inclusion)
    return applied


def _run(submission: Submission, store: Store, ledger: Closed, id_: int) -> list[OperationOutcome]:
    envelope = submission.inner
    store.savepoint()
    outcomes = [
        operations.apply(each, Place(store, source_of(each, envelope), ledger, envelope, place))
        for place, each in enumerate(envelope.transaction.operations, start=id_ + 1)
    ]
    if not all(each.is_success for each in outcomes):
        store.undo()
    store.release()
    return outcomes


def _use_up_preauthorization(submission: Submission, store: Store) -> None:
    """A key that stands for one transaction goes with it, whatever comes of it."""
    envelope = submission.inner
    sources = {source_of(each, envelope) for each in envelope.transaction.operations}
    for digest, addresses in (
        (submission.inner_digest, {submission.source, *sources}),
        (submission.digest, {submission.fee_source}),
    ):
        key = SignerKey.pre_auth_tx(digest).encoded_signer_key
        for address in addresses:
            store.set_signer(address, key, 0)


def _record(submission: Submission, applied: Applied, store: Store, inclusion: Inclusion) -> None:
    found = records.operations(submission, inclusion, successful=applied.successful)
    addresses = {id_: records.addresses(each) for id_, each in found.items()}
    concerned = {submission.source, submission.fee_source}.union(*addresses.values())
    inner = submission.inner_digest.hex() if submission.bump else None
    store.add_applied(inclusion.id, applied, concerned, inner=inner)
    store.add_operations(inclusion.id, found, addresses)
