"""sendTransaction: what stellar-core says at once to a transaction that it is handed."""

from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.ledger import Ledger, Malformed
from apexchainx.stellar.sandbox.soroban.rpc.parameters import Parameters, invalid


def send(ledger: Ledger, parameters: Parameters) -> Document:
    text = parameters.text("transaction")
    latest = ledger.latest()
    try:
        receipt = ledger.offer(text)
    except Malformed:
        raise invalid("invalid_xdr") from None
    document: Document = {
        "status": str(receipt.status),
        "hash": receipt.hash,
        "latestLedger": latest.sequence,
        "latestLedgerCloseTime": str(latest.closed_at),
    }
    if receipt.outcome is not None:
        document["errorResultXdr"] = receipt.outcome.result_xdr
    return document
