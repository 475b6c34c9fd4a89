"""JSON out: money as exact numbers, times in UTC with Z."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer


def money(value: Decimal) -> str:
    """Digits without exponent; at least two places, at most as many as there are: 1125.00, 0.0000001."""
    plain = format(value, "f")
    whole, _, places = plain.partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def default(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(money(value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, (date, UUID, Promise)):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def encode(value: Any) -> bytes:
    return orjson.dumps(
        value, default=default, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
    )


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return b"" if data is None else encode(data)
