"""The sandbox's own endpoints: close a ledger, set time and chance, make faults, and read what happened."""

import json
import math
from dataclasses import asdict
from typing import Any

from apexchainx.stellar.keys import is_address
from apexchainx.stellar.sandbox import documents, history, lists, problems
from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.faults import WITH_LEDGERS, Kind, Rule
from apexchainx.stellar.sandbox.history import Scope
from apexchainx.stellar.sandbox.ledger import Ledger
from apexchainx.stellar.sandbox.request import Answer, Request

LONGEST_PERIOD = 3600
FARTHEST_OFFSET = 10 * 366 * 86_400
LARGEST_SEED = 2**63 - 1
MOST_LEDGERS = 100
MOST_STRIKES = 1_000_000
RULE_FIELDS = ("kind", "count", "probability", "source", "ledgers")
SETTINGS = ("period_seconds", "seed", "clock_offset_seconds")


def close(ledger: Ledger, _request: Request) -> Document:
    closed = ledger.close()
    return {"sequence": closed.sequence, "closed_at": documents.moment(closed.closed_at)}


def settings(ledger: Ledger, _request: Request) -> Document:
    return {
        "period_seconds": ledger.period,
        "seed": ledger.faults.seed,
        "clock_offset_seconds": ledger.clock_offset,
    }


def change_settings(ledger: Ledger, request: Request) -> Document:
    """Those that are named; nothing changes where one of them makes no sense."""
    wanted = _body(request, SETTINGS)
    period = _number(wanted, "period_seconds", 0, LONGEST_PERIOD)
    seed = _whole(wanted, "seed", 0, LARGEST_SEED)
    offset = _number(wanted, "clock_offset_seconds", -FARTHEST_OFFSET, FARTHEST_OFFSET)
    if seed is not None:
        ledger.faults.reseed(seed)
    if offset is not None:
        ledger.set_clock(offset)
    if period is not None:
        ledger.set_period(period)
    return settings(ledger, request)


def rules(ledger: Ledger, _request: Request) -> Document:
    return documents.page([_rule(each) for each in ledger.faults.rules()], {})


def make_rule(ledger: Ledger, request: Request) -> Answer:
    """By default once: `count` is how many times, `probability` instead for how long it pleases."""
    wanted = _body(request, RULE_FIELDS)
    kind = _kind(wanted)
    count = _whole(wanted, "count", 1, MOST_STRIKES)
    probability = _number(wanted, "probability", 0, 1)
    ledgers = _whole(wanted, "ledgers", 1, MOST_LEDGERS)
    if count is not None and probability is not None:
        raise problems.invalid("count", "either count or probability, not both")
    if ledgers is not None and kind not in WITH_LEDGERS:
        raise problems.invalid("ledgers", f"only {', '.join(sorted(WITH_LEDGERS))} have ledgers")
    rule = ledger.add_fault(
        kind,
        count=1 if count is None and probability is None else count,
        probability=probability,
        source=_source(wanted),
        ledgers=(ledgers or 1) if kind in WITH_LEDGERS else 0,
    )
    return Answer(_rule(rule), 201)


def drop_rules(ledger: Ledger, request: Request) -> Document:
    ledger.faults.clear()
    return rules(ledger, request)


def drop_rule(ledger: Ledger, request: Request, id_: str) -> Document:
    if not id_.isdecimal() or not ledger.faults.remove(int(id_[:18])):
        raise problems.not_found()
    return rules(ledger, request)


def log(ledger: Ledger, request: Request) -> Document:
    """All that was applied, failed ones as well, page by page; and the latest thousand things faults did."""
    with ledger.reading() as store:
        page = lists.wanted(store, request)
        rows = history.records(store, "transactions", page, Scope(failed=True))
        applied = [store.applied(row["hash"]) for _, row in rows]
    records = [
        {
            "hash": each.hash,
            "ledger": each.ledger,
            "successful": each.successful,
            "operations": list(each.codes),
        }
        for each in applied
        if each is not None
    ]
    answer = documents.page(records, lists.links(request, [id_ for id_, _ in rows]))
    return answer | {"faults": [asdict(each) for each in ledger.faults.strikes()]}


def _rule(rule: Rule) -> Document:
    return {name: value for name, value in asdict(rule).items() if value not in {None, "", 0} or name == "id"}


def _body(request: Request, fields: tuple[str, ...]) -> Document:
    """The object in the body, with no other fields than these."""
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise problems.invalid("body", f"must be a JSON object with {', '.join(fields)}")
    for name in found:
        if name not in fields:
            raise problems.invalid(name, f"is none of {', '.join(fields)}")
    return found


def _kind(wanted: Document) -> Kind:
    try:
        return Kind(wanted.get("kind", ""))
    except (ValueError, TypeError):
        raise problems.invalid("kind", f"must be one of {', '.join(Kind)}") from None


def _source(wanted: Document) -> str:
    source = wanted.get("source", "")
    if source and not (isinstance(source, str) and is_address(source)):
        raise problems.invalid("source", "must be an account's address, or be left out for all")
    return source or ""


def _number(wanted: Document, name: str, least: int, most: int) -> float | None:
    value = wanted.get(name)
    if value is None:
        return None
    if not _is_number(value) or not least <= value <= most:
        raise problems.invalid(name, f"must be a number from {least} to {most}")
    return float(value) if isinstance(value, float) else int(value)


def _whole(wanted: Document, name: str, least: int, most: int) -> int | None:
    value = wanted.get(name)
    if value is not None and not (_is_number(value) and isinstance(value, int) and least <= value <= most):
        raise problems.invalid(name, f"must be a whole number from {least} to {most}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


ROUTES = (
    ("POST", "/sandbox/close", close),
    ("GET", "/sandbox/settings", settings),
    ("PUT", "/sandbox/settings", change_settings),
    ("GET", "/sandbox/faults", rules),
    ("POST", "/sandbox/faults", make_rule),
    ("DELETE", "/sandbox/faults", drop_rules),
    ("DELETE", "/sandbox/faults/([^/]+)", drop_rule),
    ("GET", "/sandbox/log", log),
)
