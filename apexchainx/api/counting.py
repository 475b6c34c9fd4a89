"""How many rows a list has: exactly while that is cheap, and as of a moment ago where it is not."""

import time
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL

EXACT_UP_TO = 10_000
# For so many seconds a large count is good for whoever asks the same of this process.
GOOD_FOR = 10.0
MOST_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Total:
    rows: int
    is_exact: bool

    @property
    def told(self) -> dict[str, Any]:
        return {"total": self.rows, "total_exact": self.is_exact}


class Remembered:
    """Large counts of this process, by statement: (rows, when). Each says of itself that it is not exact."""

    counts: dict[tuple[str, tuple[Any, ...]], tuple[int, float]] = {}

    @classmethod
    def find(cls, key: tuple[str, tuple[Any, ...]]) -> int | None:
        rows, counted_at = cls.counts.get(key, (0, float("-inf")))
        return rows if time.monotonic() - counted_at < GOOD_FOR else None

    @classmethod
    def keep(cls, key: tuple[str, tuple[Any, ...]], rows: int) -> None:
        if len(cls.counts) >= MOST_REMEMBERED:
            cls.counts.clear()
        cls.counts[key] = (rows, time.monotonic())


class Count(RawSQL):
    """How many rows a queryset has: beyond what is exact it counts to the end."""

    def __init__(self, ids: QuerySet[Any]) -> None:
        every, self.parameters = ids.query.sql_with_params()
        first, _ = ids[: EXACT_UP_TO + 1].query.sql_with_params()
        statement = (
            f"SELECT CASE WHEN rows > %s THEN (SELECT count(*) FROM ({every}) a) ELSE rows END "  # noqa: S608
            f"FROM (SELECT count(*) AS rows FROM ({first}) f) few"
        )
        self.key = (every, self.parameters)
        super().__init__(statement, (EXACT_UP_TO, *self.parameters, *self.parameters), BigIntegerField())


def total(queryset: QuerySet[Any]) -> Total:
    """By one statement at most."""
    try:
        count = Count(queryset.order_by().values("pk"))
    except EmptyResultSet:
        return Total(0, is_exact=True)
    known = Remembered.find(count.key)
    if known is not None:
        return Total(known, is_exact=False)
    with connections[queryset.db].cursor() as cursor:
        cursor.execute(count.sql, count.params)
        return counted(count, cursor.fetchone()[0])


def sliced(queryset: QuerySet[Any], start: int, stop: int) -> tuple[list[Any], Total]:
    """The keys of these rows, and the total by the same statement; where no row tells it, by a second one."""
    try:
        count = Count(queryset.order_by().values("pk"))
    except EmptyResultSet:
        return [], Total(0, is_exact=True)
    known = Remembered.find(count.key)
    if known is not None:
        return list(queryset.values_list("pk", flat=True)[start:stop]), Total(known, is_exact=False)
    rows = list(queryset.annotate(rows=count).values_list("pk", "rows")[start:stop])
    if rows:
        return [key for key, _ in rows], counted(count, rows[0][1])
    return [], total(queryset) if start else Total(0, is_exact=True)


def counted(count: Count, rows: int) -> Total:
    if rows <= EXACT_UP_TO:
        return Total(rows, is_exact=True)
    Remembered.keep(count.key, rows)
    return Total(rows, is_exact=False)
