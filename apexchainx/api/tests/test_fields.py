from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from apexchainx.api.fields import AwareDateTimeField, MoneyField, TextField, pair


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-16T09:30:00Z", datetime(2026, 1, 16, 9, 30, tzinfo=UTC)),
        ("2026-01-16T09:30:00+01:00", datetime(2026, 1, 16, 8, 30, tzinfo=UTC)),
        ("2026-01-16 09:30+00:00", datetime(2026, 1, 16, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_time_carries_its_offset(text: str, moment: datetime) -> None:
    assert AwareDateTimeField().run_validation(text) == moment


@pytest.mark.parametrize("text", ["2026-01-16T09:30:00", "2026-01-16 09:30"])
def test_a_time_without_an_offset_is_not_guessed(text: str) -> None:
    with pytest.raises(ValidationError, match="with an offset"):
        AwareDateTimeField().run_validation(text)


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "",
        "2026-13-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        17,
        None,
        [],
        {},
        True,
    ],
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        AwareDateTimeField().run_validation(value)


@pytest.mark.parametrize(
    ("value", "amount"),
    [(750, "750"), (Decimal("0.0000001"), "0.0000001"), ("12345678901.1234567", "12345678901.1234567")],
)
def test_money_keeps_every_digit(value: Any, amount: str) -> None:
    assert MoneyField().run_validation(value) == Decimal(amount)


@pytest.mark.parametrize(
    "value",
    [
        Decimal("0.00000001"),
        10**11,
        "123456789012",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "",
        True,
        [],
        {},
        None,
    ],
)
def test_what_money_could_not_keep_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        MoneyField().run_validation(value)


@pytest.mark.parametrize("value", [1, 1.5, True, ["a"], {"a": 1}, None])
def test_text_is_given_as_text(value: Any) -> None:
    with pytest.raises(ValidationError):
        TextField().run_validation(value)


def test_text_is_trimmed_and_bounded() -> None:
    assert TextField(max_length=3).run_validation("  abc ") == "abc"
    with pytest.raises(ValidationError):
        TextField(max_length=3).run_validation("abcd")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"name": 1}, {"name": 1}),
        ({"alias": 1}, {"name": 1}),
        ({"name": 1, "alias": 1, "other": 2}, {"name": 1, "other": 2}),
        ({"other": 2}, {"other": 2}),
    ],
)
def test_two_names_for_one_thing_are_read_as_one(given: dict[str, int], read: dict[str, int]) -> None:
    assert pair(given, "name", "alias") == read


def test_two_names_that_differ_are_refused() -> None:
    with pytest.raises(ValidationError, match="the same thing"):
        pair({"name": 1, "alias": 2}, "name", "alias")
