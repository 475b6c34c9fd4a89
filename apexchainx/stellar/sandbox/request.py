"""A request as far as HTTP goes, the parameters that many endpoints share, and an answer."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from apexchainx.stellar.keys import is_address
from apexchainx.stellar.sandbox import problems
from apexchainx.stellar.sandbox.documents import Document
from apexchainx.stellar.sandbox.problems import Problem

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    """What was asked. `base` is scheme and host as the client wrote them."""

    method: str
    path: str
    query: str
    base: str
    content_type: str = ""
    body: bytes = b""

    def value(self, name: str) -> str:
        return _first(self.query, name)

    def form_value(self, name: str) -> str:
        if self.content_type not in {"", FORM}:
            raise Problem(415, "unsupported_media_type")
        return _first(self.body.decode("ascii", errors="replace"), name)

    @property
    def url(self) -> str:
        return f"{self.base}{self.path}"


@dataclass(frozen=True)
class Answer:
    """A document with its status, where that is not 200."""

    document: Document
    status: int = 200


def flag(request: Request, name: str) -> bool:
    text = request.value(name) or "false"
    if text not in {"true", "false"}:
        raise problems.invalid(name, f"{name} must be true or false")
    return text == "true"


def require_address(field: str, text: str) -> None:
    if not is_address(text):
        raise problems.invalid(field, "must be an account's address: G and 55 more, with a right checksum")


def require_hash(field: str, text: str) -> None:
    if not re.fullmatch("[0-9a-f]{64}", text):
        reason = "Transaction hash must be a hex-encoded, lowercase SHA-256 hash"
        raise problems.invalid(field, reason)


def number(field: str, text: str, most: int) -> int:
    """A whole number from 0."""
    if not re.fullmatch("[0-9]{1,19}", text, re.ASCII) or int(text) > most:
        raise problems.invalid(field, f"{field} must be a whole number up to {most}")
    return int(text)


def _first(encoded: str, name: str) -> str:
    return parse_qs(encoded).get(name, [""])[0]
