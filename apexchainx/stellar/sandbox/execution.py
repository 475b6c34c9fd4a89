"""A transaction that entered a ledger: what it costs, what it does, and how history keeps it."""

from stellar_sdk import TransactionEnvelope
from stellar_sdk.xdr import TransactionResultCode

from apexchainx.stellar.sandbox import documents, operations, results
from apexchainx.stellar.sandbox.amounts import BASE_FEE
from apexchainx.stellar.sandbox.documents import Inclusion
from apexchainx.stellar.sandbox.results import OperationOutcome, TransactionOutcome
from apexchainx.stellar.sandbox.store import Applied, Closed, Store


def execute(envelope: TransactionEnvelope, store: Store, ledger: Closed, *, order: int) -> Applied:
    """Fee and sequence first: those stay consumed. The operations happen all or not at all."""
    facts = envelope.transaction
    source, fee = facts.source.account_id, BASE_FEE * len(facts.operations)
    store.move(source, -fee, modified=ledger.sequence)
    store.set_sequence(source, facts.sequence)
    outcomes = run(envelope, store, ledger)
    is_success = all(each.is_success for each in outcomes)
    code = TransactionResultCode.txSUCCESS if is_success else TransactionResultCode.txFAILED
    outcome = results.transaction(code, fee, outcomes)
    return record(envelope, outcome, store, Inclusion(ledger, ledger.sequence << 32 | order << 12, fee))


def run(envelope: TransactionEnvelope, store: Store, ledger: Closed) -> list[OperationOutcome]:
    store.savepoint()
    outcomes = [
        operations.apply(each, operations.Place(store, operations.source_of(each, envelope), ledger.sequence))
        for each in envelope.transaction.operations
    ]
    if not all(each.is_success for each in outcomes):
        store.undo()
    store.release()
    return outcomes


def record(
    envelope: TransactionEnvelope, outcome: TransactionOutcome, store: Store, place: Inclusion
) -> Applied:
    document = documents.transaction(envelope, outcome, place)
    applied = Applied(
        envelope.hash_hex(), place.ledger.sequence, document["successful"], outcome.operations, document
    )
    records = documents.operations(envelope, place, successful=applied.successful)
    concerned = {document["source_account"]}.union(*map(documents.addresses, records.values()))
    store.add_applied(place.id, applied, concerned)
    for id_, each in records.items():
        store.add_operation(id_, place.id, each, documents.addresses(each))
    return applied
