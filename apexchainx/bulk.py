"""Many new rows in one statement, at a fraction of what `bulk_create` costs: they travel as one JSON text."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault

AnyModel = TypeVar("AnyModel", bound=Model)

# The rows have the types of the table's own columns. RETURNING answers in the order of the list.
STATEMENT = """
INSERT INTO {table} ({columns})
SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json) RETURNING {returned}
"""


def insert(objects: Sequence[AnyModel]) -> Sequence[AnyModel]:
    """The same objects, saved for the first time; what the database fills in is read back.

    All must leave the same fields to the database.
    """
    if not objects:
        return objects
    meta = objects[0]._meta
    fields = [field for field in meta.concrete_fields if not field.generated]
    filled = [field for field in fields if is_left(field, objects[0])]
    given = [field for field in fields if field not in filled]
    rows = [{field.column: field.pre_save(row, add=True) for field in given} for row in objects]
    statement = STATEMENT.format(
        table=connection.ops.quote_name(meta.db_table),
        columns=named(given),
        returned=named([meta.pk, *filled]),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [orjson.dumps(rows, default=plain).decode()])
        for row, values in zip(objects, cursor.fetchall(), strict=True):
            for field, value in zip([meta.pk, *filled], values, strict=True):
                setattr(row, field.attname, value)
            row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001
    return objects


def named(fields: "Iterable[Field[Any, Any]]") -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)


def is_left(field: "Field[Any, Any]", row: Model) -> bool:
    """Whether the database gives the value."""
    value = getattr(row, field.attname)
    return isinstance(value, DatabaseDefault) or (field.primary_key and value is None)


def plain(value: Any) -> str:
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
