"""Fields that every interface shares."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

# In minutes; what an outage of a century costs is still an amount.
CENTURY = 100 * 366 * 24 * 60


class AwareDateTimeField(serializers.DateTimeField):
    """ISO 8601 with an offset; a time that names no zone is refused rather than guessed."""

    default_error_messages = {"naive": "Give the time with an offset, such as 2026-01-16T09:30:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str):
            try:
                parsed = parse_datetime(value)
            except ValueError:
                parsed = None
            if parsed is not None and parsed.tzinfo is None:
                self.fail("naive")
        return super().to_internal_value(value)


class MoneyField(serializers.DecimalField):
    """An amount with up to seven places, as a JSON number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=18, decimal_places=7, coerce_to_string=False, **options)

    def to_representation(self, value: Any) -> Decimal:  # type: ignore[override]
        return Decimal(value)


@extend_schema_field({"type": "number", "minimum": 0, "maximum": CENTURY})
class MinutesField(serializers.IntegerField):
    """Whole minutes, never negative; a fraction is cut: nobody is charged for a minute that was not full."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=CENTURY, **options)

    def to_internal_value(self, data: Any) -> int:
        return super().to_internal_value(int(data) if isinstance(data, (Decimal, float)) else data)


class TextField(serializers.CharField):
    """Text given as text: a number or a boolean is a wrong type, not a word."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise ValidationError("Give text.")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.UUID)
class UuidTextField(TextField):
    """A UUID as text; whoever looks for it says what is none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)


def pair(data: Mapping[str, Any], name: str, alias: str) -> dict[str, Any]:
    """The body with `alias` read as `name`; both and different is a mistake worth naming."""
    if name in data and alias in data and data[name] != data[alias]:
        raise ValidationError({name: [f"{name} and {alias} are the same thing, and they differ here."]})
    if alias not in data:
        return dict(data)
    return {**{key: value for key, value in data.items() if key != alias}, name: data[alias]}
