"""JSON in: one parser, with a limit on depth and on what text may hold."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from django.conf import settings
from django.http import UnreadablePostError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from apexchainx.api.exceptions import too_large
from apexchainx.errors import DomainError

MAX_DEPTH = 64
MAX_DIGITS = 40


class TooLarge(DomainError):
    code = "PAYLOAD_TOO_LARGE"


class StrictJSONParser(BaseParser):
    """An object in UTF-8: no NaN, no lone surrogates or NUL, no bottomless nesting, no endless digits."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = read(stream)
        try:
            value = json.loads(
                body.decode("utf-8"), parse_constant=refuse, parse_int=whole, parse_float=fraction
            )
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from None
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        inspect(value, MAX_DEPTH)
        return value


def read(stream: IO[bytes]) -> bytes:
    """At most the allowed number of bytes, whatever Content-Length said."""
    limit: int = settings.MAX_REQUEST_BODY_SIZE_BYTES
    try:
        body = stream.read(limit + 1)
    except (UnreadablePostError, OSError):
        raise ParseError("The body ended too early.") from None
    if len(body) > limit:
        raise TooLarge(too_large())
    return body


def refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return int(digits)


def fraction(digits: str) -> Decimal | float:
    """Decimals stay exact; a number that no decimal field could hold is refused."""
    number = Decimal(digits)
    if len(digits) > MAX_DIGITS or not -MAX_DIGITS < number.adjusted() < MAX_DIGITS:
        raise ValueError("a number is out of range")
    return number


def inspect(value: Any, depth: int) -> None:
    """Refuse what PostgreSQL cannot store as text, and nesting below `depth`."""
    if depth == 0:
        raise ParseError("The JSON is nested too deeply.")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise ParseError("Text holds a NUL or a lone surrogate.")
    elif isinstance(value, dict):
        for key, item in value.items():
            inspect(key, depth)
            inspect(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            inspect(item, depth - 1)
