from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy

from apexchainx.api.renderers import JSONRenderer, encode

LAGOS = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal(1125), b"1125.00"),
        (Decimal("-1000.5"), b"-1000.50"),
        (Decimal("0E-7"), b"0.00"),
        (Decimal("0.0000001"), b"0.0000001"),
        (Decimal("1E+3"), b"1000.00"),
        (Decimal("12345678901.1234567"), b"12345678901.1234567"),
        (datetime(2026, 1, 16, 9, 30, tzinfo=UTC), b'"2026-01-16T09:30:00Z"'),
        (datetime(2026, 1, 16, 9, 30, 0, 5, tzinfo=LAGOS), b'"2026-01-16T08:30:00.000005Z"'),
        (date(2026, 1, 16), b'"2026-01-16"'),
        (UUID(int=7), b'"00000000-0000-0000-0000-000000000007"'),
        (gettext_lazy("No"), b'"No"'),
        (MappingProxyType({"a": 1}), b'{"a":1}'),
        ({1: "x"}, b'{"1":"x"}'),
        ("Ọyọ́ 📡", '"Ọyọ́ 📡"'.encode()),
        (float("nan"), b"null"),
    ],
)
def test_one_form_for_each_value(value: Any, text: bytes) -> None:
    assert encode(value) == text


def test_what_has_no_form_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        encode(object())


def test_nothing_is_rendered_as_nothing() -> None:
    assert JSONRenderer().render(None) == b""
    assert JSONRenderer().render({}) == b"{}"
