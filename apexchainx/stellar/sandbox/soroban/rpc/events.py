"""getEvents: what the contract has emitted, in order, by topics, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from stellar_sdk import StrKey
from stellar_sdk.xdr import SCVal

from apexchainx.stellar.sandbox.documents import Document, moment
from apexchainx.stellar.sandbox.ledger import Ledger, latest
from apexchainx.stellar.sandbox.soroban import tables
from apexchainx.stellar.sandbox.soroban.instance import CONTRACT_ID
from apexchainx.stellar.sandbox.soroban.rpc.network import closed_at, oldest, require_retained
from apexchainx.stellar.sandbox.soroban.rpc.parameters import Parameters, invalid
from apexchainx.stellar.sandbox.soroban.tables import EventRow
from apexchainx.stellar.sandbox.store import Store

MOST = 5
TYPES = {"", "contract", "system", "diagnostic"}
LAST_POSITION = 2**32 - 1


@dataclass(frozen=True)
class Filter:
    """`topics` are alternatives; in each, `*` stands for one topic and a last `**` for any number of them."""

    has_contract: bool
    topics: tuple[tuple[str, ...], ...]

    def takes(self, row: EventRow) -> bool:
        return self.has_contract and (
            not self.topics or any(_matches(each, row.topics) for each in self.topics)
        )


def events(ledger: Ledger, parameters: Parameters) -> Document:
    limit = parameters.limit(default=100, most=10_000)
    filters = _filters(parameters)
    cursor = parameters.cursor("[0-9]{1,19}-[0-9]{1,10}")
    with ledger.reading() as store:
        newest = latest(store)
        first = oldest(newest)
        if cursor is None:
            start = parameters.number("startLedger")
            require_retained(start, newest)
            cursor = ((start << 32) - 1, LAST_POSITION)
        after = max((cursor[0], cursor[1]), ((first << 32) - 1, LAST_POSITION))
        end = min(parameters.number("endLedger") or newest.sequence + 1, newest.sequence + 1) << 32
        wanted = (row for row in tables.events(store, after, end) if _is_wanted(row, filters))
        rows = list(islice(wanted, limit))
        records = [_record(store, each) for each in rows]
        oldest_close = closed_at(store, first)
    return {
        "events": records,
        "latestLedger": newest.sequence,
        "oldestLedger": first,
        "latestLedgerCloseTime": str(newest.closed_at),
        "oldestLedgerCloseTime": oldest_close,
        "cursor": rows[-1].id
        if len(rows) == limit
        else f"{max(after[0], end - 1):019d}-{LAST_POSITION:010d}",
    }


def _filters(parameters: Parameters) -> list[Filter]:
    wanted = parameters.inners("filters")
    if len(wanted) > MOST:
        raise invalid(f"maximum {MOST} filters per request")
    return [_filter(each) for each in wanted]


def _filter(parameters: Parameters) -> Filter:
    types = {each.strip() for each in parameters.optional_text("type").split(",")}
    contracts, topics = parameters.texts("contractIds"), parameters.items("topics")
    if not types <= TYPES:
        raise invalid("filter type invalid: type must be any of: system, contract, diagnostic")
    if len(contracts) > MOST or len(topics) > MOST:
        raise invalid(f"maximum {MOST} contract IDs and {MOST} topics per filter")
    if not all(map(StrKey.is_valid_contract, contracts)):
        raise invalid("contract ID invalid")
    is_ours = bool(types & {"", "contract"}) and (not contracts or CONTRACT_ID in contracts)
    return Filter(is_ours, tuple(map(_topics, topics)))


def _topics(segments: object) -> tuple[str, ...]:
    if not isinstance(segments, list) or not 1 <= len(segments) <= 5:
        raise invalid("topic must have at least one segment, and not more than 4")
    if not all(map(_is_segment, segments)) or "**" in segments[:-1]:
        raise invalid("segment invalid: must be an ScVal, * or, as the last one, **")
    return tuple(segments)


def _is_segment(segment: object) -> bool:
    if segment in {"*", "**"}:
        return True
    try:
        return isinstance(segment, str) and bool(SCVal.from_xdr(segment))
    except Exception:  # noqa: BLE001 - whatever a decoder may say of foreign bytes
        return False


def _matches(segments: Sequence[str], topics: Sequence[str]) -> bool:
    if segments[-1] == "**":
        segments, topics = segments[:-1], topics[: len(segments) - 1]
    return len(segments) == len(topics) and all(
        segment in {"*", topic} for segment, topic in zip(segments, topics, strict=True)
    )


def _is_wanted(row: EventRow, filters: Sequence[Filter]) -> bool:
    return not filters or any(each.takes(row) for each in filters)


def _record(store: Store, row: EventRow) -> Document:
    sequence = row.operation >> 32
    return {
        "type": "contract",
        "ledger": sequence,
        "ledgerClosedAt": moment(int(closed_at(store, sequence))),
        "contractId": CONTRACT_ID,
        "id": row.id,
        "topic": list(row.topics),
        "value": row.value,
        "operationIndex": row.operation & 0xFFF,
        "transactionIndex": row.operation >> 12 & 0xFFFFF,
        "txHash": row.hash,
    }
