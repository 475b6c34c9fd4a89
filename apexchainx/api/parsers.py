"""What comes in: JSON, with a limit on depth and on what text may hold, and on a few routes files."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any, NoReturn

from django.http import UnreadablePostError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

MAX_DEPTH = 64
MAX_DIGITS = 40
# What other programs can write as a number, which is a double.
SMALLEST_EXPONENT, LARGEST_EXPONENT = -324, 308
# PostgreSQL keeps neither in text.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJSONParser(BaseParser):
    """An object in UTF-8, of which every part can be stored and none can exhaust us."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        try:
            body = stream.read()
        except UnreadablePostError:
            raise ParseError("The body ended too early.") from None
        value = decode(body, "The body")
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        return value


class FileParser(MultiPartParser):
    """A form with files, for the few routes that take one."""

    def parse(self, *args: Any, **options: Any) -> Any:
        try:
            return super().parse(*args, **options)
        except UnreadablePostError:
            raise ParseError("The body ended too early.") from None


def decode(text: bytes, name: str) -> Any:
    """The value that a text of JSON says; `name` is what the text is called where it says none."""
    try:
        value = json.loads(
            text.decode("utf-8"),
            parse_constant=refuse,
            parse_int=whole,
            parse_float=fraction,
            object_pairs_hook=distinct,
        )
    except RecursionError:
        raise ParseError("The JSON is nested too deeply.") from None
    except ValueError as error:
        raise ParseError(f"{name} is not valid JSON: {error}") from None
    inspect(value, MAX_DEPTH)
    return value


def refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return int(digits)


def fraction(digits: str) -> Decimal:
    """Decimals stay exact; a number that nobody else could read is refused."""
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number has too many digits")
    try:
        number = Decimal(digits)
    except InvalidOperation:
        raise ValueError("a number is out of range") from None
    if not SMALLEST_EXPONENT <= number.adjusted() <= LARGEST_EXPONENT:
        raise ValueError("a number is out of range")
    return number


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Which of two values for one key was meant, nobody can know."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def inspect(value: Any, levels: int) -> None:
    """Refuse what PostgreSQL cannot store as text, and more levels of nesting than these."""
    if isinstance(value, str) and UNSTORABLE.search(value):
        raise ParseError("Text holds a NUL or a lone surrogate.")
    if not isinstance(value, (dict, list)):
        return
    if levels == 0:
        raise ParseError("The JSON is nested too deeply.")
    for item in [*value, *value.values()] if isinstance(value, dict) else value:
        inspect(item, levels - 1)
