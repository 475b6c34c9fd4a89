"""The fault `wrong_amount`: a ledger that pays half of what the envelope says, and reports that half.

The other half stays with the payer, so that nothing comes from nowhere.
"""

import json

from stellar_sdk.operation import Operation

from apexchainx.stellar.sandbox.amounts import as_text
from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.store import Closed, Store

PAYMENTS = "SELECT id, document FROM operation WHERE applied = ? AND kind = 'payment'"


def halve(store: Store, ledger: Closed, *, order: int) -> None:
    """Take half of each payment of the ledger's transaction with this order back."""
    for id_, text in store.execute(PAYMENTS, (ledger.sequence << 32 | order << 12,)).fetchall():
        payment = json.loads(text)
        stroops = Operation.to_xdr_amount(payment["amount"])
        taken = min(stroops - stroops // 2, _held(store, payment))
        for address, change in ((payment["from"], taken), (payment["to"], -taken)):
            _move(store, payment, address, change, ledger)
        changed = json.dumps(payment | {"amount": as_text(stroops - taken)})
        store.execute("UPDATE operation SET document = ? WHERE id = ?", (changed, id_))


def _held(store: Store, payment: Document) -> int:
    """What the payee has still; the issuer has its own asset without end."""
    if payment["asset_type"] == "native":
        account = store.account(payment["to"])
        return account.available if account else 0
    line = store.line(payment["to"], payment["asset_code"], payment["asset_issuer"])
    return line.balance if line else Operation.to_xdr_amount(payment["amount"])


def _move(store: Store, payment: Document, address: str, change: int, ledger: Closed) -> None:
    if payment["asset_type"] == "native":
        store.move(address, change, modified=ledger.sequence)
        return
    name = payment["asset_code"], payment["asset_issuer"]
    store.move_line(address, *name, change, modified=ledger.sequence)
