"""What fault rules do to a request before it is answered, and to its answer afterwards."""

import json
import re
from contextlib import suppress

from apexchainx.stellar.sandbox import problems, routes, submission
from apexchainx.stellar.sandbox.faults import READS, SUBMISSIONS, Kind, Rule, Target
from apexchainx.stellar.sandbox.ledger import Ledger
from apexchainx.stellar.sandbox.problems import Problem
from apexchainx.stellar.sandbox.request import FORM, Answer, Request
from apexchainx.stellar.sandbox.submission import Submission

SUBMISSION_PATHS = {"/transactions", "/transactions_async"}
AFTER = {Kind.TIMEOUT_AFTER, Kind.RESET_AFTER}
TIMEOUTS = {Kind.TIMEOUT_BEFORE, Kind.TIMEOUT_AFTER}
RETRY_SECONDS = "1"


class Reset(ConnectionError):
    """The connection is to be reset instead of an answer."""


def answer(ledger: Ledger, request: Request) -> Answer:
    """As the routes answer it, unless a rule strikes. The controls themselves never fail by a rule."""
    if request.path.startswith("/sandbox/") or not ledger.faults.rules():
        return routes.answer(ledger, request)
    sent = _sent(request)
    target, kinds = _target(ledger, request, sent), SUBMISSIONS if sent else READS
    rule = ledger.faults.strike(kinds, target, ledger.latest().sequence)
    if rule is None:
        return routes.answer(ledger, request)
    if rule.kind == Kind.LAG:
        return routes.answer(ledger, request, behind=rule.ledgers)
    if rule.kind in AFTER:
        with suppress(Problem):
            routes.answer(ledger, request)
    raise _failure(rule, sent)


def _failure(rule: Rule, sent: Submission | None) -> Problem | Reset:
    if rule.kind == Kind.RATE_LIMIT:
        return Problem(429, "rate_limit_exceeded", headers={"Retry-After": RETRY_SECONDS})
    if sent and rule.kind in TIMEOUTS:
        return problems.timeout(sent.hash, sent.xdr)
    if rule.kind == Kind.UNAVAILABLE:
        return Problem(503, "service_unavailable")
    return Reset()


def _target(ledger: Ledger, request: Request, sent: Submission | None) -> Target:
    """Whom and which transaction a request is about, as far as it tells."""
    name = f"{request.method} {request.path}"
    if sent:
        return Target(name, sent.source, sent.hash)
    if about := re.match("/accounts/([^/]+)", request.path):
        return Target(name, about[1])
    about = re.match("/transactions/([0-9a-f]{64})", request.path)
    if about is None:
        return Target(name)
    with ledger.reading() as store:
        applied = store.applied(about[1])
    return Target(name, applied.document["source_account"] if applied else "", about[1])


def _sent(request: Request) -> Submission | None:
    """The transaction that a request submits; None where it submits none that can be read."""
    if request.method != "POST":
        return None
    with suppress(Problem, ValueError, LookupError, TypeError, RecursionError):
        if request.path in SUBMISSION_PATHS and request.content_type in {"", FORM}:
            return submission.read(request.form_value("tx"))
        if request.path == "/" and (call := json.loads(request.body))["method"] == "sendTransaction":
            return submission.read(call["params"]["transaction"])
    return None
