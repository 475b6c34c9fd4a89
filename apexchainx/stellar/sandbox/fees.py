"""What recent transactions paid, as Horizon's fee_stats."""

from apexchainx.stellar.sandbox.amounts import BASE_FEE
from apexchainx.stellar.sandbox.documents import PERCENTILES, Document
from apexchainx.stellar.sandbox.store import Closed, Store

RECENT_LEDGERS = 5
LEDGER_CAPACITY = 1000
FEES = """
SELECT json_extract(document, '$.fee_charged') AS charged, json_extract(document, '$.max_fee') AS offered,
    json_extract(document, '$.operation_count')
    + (json_extract(document, '$.fee_bump_transaction') IS NOT NULL) AS operations
FROM applied WHERE id >= ?
"""


def stats(store: Store, latest: Closed) -> Document:
    """Per operation and in stroops, over the transactions of the last five ledgers; all of it text."""
    rows = store.execute(FEES, (latest.sequence - RECENT_LEDGERS + 1 << 32,)).fetchall()
    used = sum(row["operations"] for row in rows) / (RECENT_LEDGERS * LEDGER_CAPACITY)
    return {
        "last_ledger": str(latest.sequence),
        "last_ledger_base_fee": str(BASE_FEE),
        "ledger_capacity_usage": f"{min(used, 1):.2f}",
        "fee_charged": _distribution([-(-int(row["charged"]) // row["operations"]) for row in rows]),
        "max_fee": _distribution([-(-int(row["offered"]) // row["operations"]) for row in rows]),
    }


def _distribution(fees: list[int]) -> Document:
    fees = sorted(fees) or [BASE_FEE]
    found = {"max": fees[-1], "min": fees[0], "mode": max(sorted(set(fees)), key=fees.count)}
    found |= {f"p{each}": fees[-(-len(fees) * int(each) // 100) - 1] for each in PERCENTILES}
    return {name: str(fee) for name, fee in found.items()}
