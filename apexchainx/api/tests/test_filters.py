from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from apexchainx.api.filters import MomentField


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-16T09:30:00Z", datetime(2026, 1, 16, 9, 30, tzinfo=UTC)),
        ("2026-01-16T09:30:00+01:00", datetime(2026, 1, 16, 8, 30, tzinfo=UTC)),
        # A plus sign that nobody encoded arrives as a space.
        ("2026-01-16T09:30:00 01:00", datetime(2026, 1, 16, 8, 30, tzinfo=UTC)),
        ("  2026-01-16T09:30:00.25-01:00 ", datetime(2026, 1, 16, 10, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-01-16T09:30:00+23:56", datetime(2026, 1, 15, 9, 34, tzinfo=UTC)),
        ("2026-01-16", datetime(2026, 1, 16, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_time_with_an_offset_or_a_day(text: str, moment: datetime) -> None:
    found = MomentField().clean(text)
    assert (found, found and found.tzinfo) == (moment, UTC)


def test_the_end_of_a_day_is_its_last_moment() -> None:
    end = MomentField(end_of_day=True)

    assert end.clean("2026-01-16") == datetime(2026, 1, 16, 23, 59, 59, 999_999, tzinfo=UTC)
    assert end.clean("2026-01-16T09:30:00Z") == datetime(2026, 1, 16, 9, 30, tzinfo=UTC)


def test_nothing_is_no_moment() -> None:
    assert MomentField(required=False).clean("") is None


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-01-16T09:30:00",
        "2026-01-16 09:30",
        "2026-13-01",
        "2026-02-30",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31",
        "0001-12-31",
        "2026-01-16T25:00:00Z",
        "2026-01-16T09:30:00+99:00",
        "١٢٣٤-01-01",
        "2026-01-16T09:30:00Z" + "0" * 64,
        "1e9",
        "'; DROP TABLE audit_auditevent; --",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        MomentField().clean(text)
