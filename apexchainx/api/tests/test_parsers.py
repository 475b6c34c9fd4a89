import io
import json
from decimal import Decimal
from typing import Any

import pytest
from django.http import UnreadablePostError
from rest_framework.exceptions import ParseError

from apexchainx.api.parsers import StrictJSONParser


def parse(body: bytes) -> dict[str, Any]:
    return StrictJSONParser().parse(io.BytesIO(body))


def nested(levels: int) -> bytes:
    """An object with values `levels` deep."""
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_numbers_stay_exact() -> None:
    assert parse(b'{"a": 0.1000000, "b": 750, "c": -1e3}') == {
        "a": Decimal("0.1000000"),
        "b": 750,
        "c": Decimal("-1E+3"),
    }
    assert isinstance(parse(b'{"a": 0.1}')["a"], Decimal)


def test_text_outside_ascii_is_text() -> None:
    assert parse('{"a": "Ọyọ́ 📡"}'.encode()) == {"a": "Ọyọ́ 📡"}
    assert parse(rb'{"a": "\ud83d\udce1"}') == {"a": "📡"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"17", "must be a JSON object"),
        (b'\xef\xbb\xbf{"a": 1}', "BOM"),
        ('{"a": 1}'.encode("utf-16"), "not valid JSON"),
        ('{"a": 1}'.encode("utf-32"), "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b'{"a": "\xed\xa0\x80"}', "not valid JSON"),
        (b'{"a": "x\x00"}', "not valid JSON"),
        (rb'{"a": "\u0000"}', "NUL or a lone surrogate"),
        (rb'{"a": ["\ud800"]}', "NUL or a lone surrogate"),
        (rb'{"\udfff": 1}', "NUL or a lone surrogate"),
        (b'{"a": 1, "b": {}, "a": 2}', "a key stands twice"),
        (b'{"a": {"b": 1, "b": 1}}', "a key stands twice"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": -Infinity}', "-Infinity is not a number"),
        (b'{"a": 1e400}', "out of range"),
        (b'{"a": 1e-400}', "out of range"),
        (b'{"a": 1e99999999999999999999}', "out of range"),
        (b'{"a": -1e-99999999999999999999}', "out of range"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a": 0.' + b"9" * 5000 + b"}", "too many digits"),
        (nested(65), "nested too deeply"),
        (nested(5_000), "nested too deeply"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_no_field_could_hold_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(ParseError, match=sentence):
        parse(body)


def test_nesting_to_the_limit_passes() -> None:
    assert parse(nested(64)) == json.loads(nested(64))


def test_a_body_that_breaks_off_is_the_callers_mistake() -> None:
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise UnreadablePostError("connection reset")

    with pytest.raises(ParseError, match="ended too early"):
        StrictJSONParser().parse(Broken())
