"""Horizon's problem documents (RFC 7807): one for every failure."""

from typing import Any

from apexchainx.stellar.sandbox import documents
from apexchainx.stellar.sandbox.results import TransactionOutcome

DETAILS = {
    "bad_request": "The request you sent was invalid in some way.",
    "not_found": "The resource at the url requested was not found: a wrong url, or no such record.",
    "method_not_allowed": "The resource does not answer to this method.",
    "request_entity_too_large": "The body of the request is too large.",
    "unsupported_media_type": "The only supported content type is application/x-www-form-urlencoded.",
    "transaction_malformed": "Horizon could not decode the transaction envelope in this request.",
    "transaction_failed": "The transaction failed when submitted to the network; see `extras.result_codes`.",
    "transaction_submission_timeout": "The submission has timed out and may still be applied.",
    "rate_limit_exceeded": "The rate limit for the requesting IP address is over its allowed limit.",
    "service_unavailable": "The service is currently unable to process the request.",
    "server_error": "An error occurred while processing this request.",
}
TITLES = {
    "not_found": "Resource Missing",
    "server_error": "Internal Server Error",
    "transaction_failed": "Transaction Failed",
}


class Problem(Exception):
    """A failure to be answered as a problem document."""

    def __init__(
        self,
        status: int,
        kind: str,
        *,
        extras: dict[str, Any] | None = None,
        detail: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(kind)
        self.status = status
        self.headers = headers or {}
        self.document = {
            "type": f"https://stellar.org/horizon-errors/{kind}",
            "title": TITLES.get(kind, kind.replace("_", " ").title()),
            "status": status,
            "detail": detail or DETAILS.get(kind, ""),
        }
        if extras is not None:
            self.document["extras"] = extras


def not_found() -> Problem:
    return Problem(404, "not_found")


def invalid(field: str, reason: str) -> Problem:
    return Problem(400, "bad_request", extras={"invalid_field": field, "reason": reason})


def malformed(envelope_xdr: str) -> Problem:
    return Problem(400, "transaction_malformed", extras={"envelope_xdr": envelope_xdr})


def failed(envelope_xdr: str, outcome: TransactionOutcome) -> Problem:
    return Problem(400, "transaction_failed", extras=documents.failure(envelope_xdr, outcome))


def timeout(hash_: str, envelope_xdr: str) -> Problem:
    extras = {"hash": hash_, "envelope_xdr": envelope_xdr}
    return Problem(504, "transaction_submission_timeout", extras=extras)
