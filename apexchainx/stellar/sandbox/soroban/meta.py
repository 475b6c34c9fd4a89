"""The meta of a transaction: where clients find what a call answered, and why one failed."""

from collections.abc import Sequence

from stellar_sdk.xdr import (
    DiagnosticEvent,
    ExtensionPoint,
    LedgerEntryChanges,
    OperationMetaV2,
    SorobanTransactionMetaExt,
    SorobanTransactionMetaV2,
    TransactionMeta,
    TransactionMetaV4,
)

from apexchainx.stellar.sandbox.soroban.frame import Completed

NO_CHANGES = LedgerEntryChanges([])


def of_success(completed: Completed) -> TransactionMeta:
    operations = [OperationMetaV2(ExtensionPoint(0), NO_CHANGES, completed.events)]
    answer = SorobanTransactionMetaV2(SorobanTransactionMetaExt(0), completed.value)
    return _meta(operations, answer, completed.diagnostics)


def of_failure(story: Sequence[DiagnosticEvent]) -> TransactionMeta:
    return _meta([], None, story)


def of_others() -> TransactionMeta:
    """Of a transaction that calls no contract: the sandbox keeps no changes of entries."""
    return _meta([], None, [])


def _meta(
    operations: list[OperationMetaV2],
    answer: SorobanTransactionMetaV2 | None,
    story: Sequence[DiagnosticEvent],
) -> TransactionMeta:
    body = TransactionMetaV4(
        ext=ExtensionPoint(0),
        tx_changes_before=NO_CHANGES,
        operations=operations,
        tx_changes_after=NO_CHANGES,
        soroban_meta=answer,
        events=[],
        diagnostic_events=list(story),
    )
    return TransactionMeta(4, v4=body)
