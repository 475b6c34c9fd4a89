"""What the domain may refuse to do. The API turns each into an HTTP answer; the domain knows no HTTP."""

from typing import Any


class DomainError(Exception):
    """A refusal with a stable code, a sentence for people and, where it helps, details for programs."""

    code = "DOMAIN_ERROR"

    def __init__(self, message: str, *, code: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details or {}


class Conflict(DomainError):
    """The state has moved on: already resolved, duplicate id, one open dispute at a time."""

    code = "CONFLICT"


class Stale(DomainError):
    """The caller has seen an older version than the one that is to be changed."""

    code = "PRECONDITION_FAILED"


class NotReady(DomainError):
    """Well-formed, but the rules refuse it in this state or with these values."""

    code = "UNPROCESSABLE_ENTITY"


class Invalid(DomainError):
    """A value that a serializer cannot judge alone. `field` names it."""

    code = "VALIDATION_ERROR"

    def __init__(self, field: str, message: str, **details: Any) -> None:
        super().__init__(message, details={"field": field, "fields": {field: [message]}, **details})


class NotFound(DomainError):
    code = "NOT_FOUND"


class Refused(DomainError):
    """The caller may not do this, whoever else may."""

    code = "FORBIDDEN"


class Unauthenticated(DomainError):
    code = "UNAUTHORIZED"


class TooMany(DomainError):
    """Not so often: it may be tried again in `retry_after` seconds."""

    code = "RATE_LIMIT_EXCEEDED"

    def __init__(
        self, message: str, *, retry_after: int, code: str = "", details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message, code=code, details=details)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Something outside, the ledger or a broker, does not answer now."""

    code = "SERVICE_UNAVAILABLE"
