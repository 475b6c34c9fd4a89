"""Three paging styles, chosen by the request: limit/offset, page/page_size, cursor."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

if TYPE_CHECKING:
    from rest_framework.views import APIView

LARGEST_OFFSET = 2**31


class StyledPagination(BasePagination):
    """A view may set `pagination_alias`, a second name for `results`, and orders its own queryset."""

    style = "offset"

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any]:
        self.alias = getattr(view, "pagination_alias", "")
        query = request.query_params
        self.limit = whole(request, "limit", 50, 1, 500)
        self.offset = whole(request, "offset", 0, 0, LARGEST_OFFSET)
        self.page = whole(request, "page", 1, 1, LARGEST_OFFSET // 100)
        self.page_size = whole(request, "page_size", 20, 1, 100)
        if "cursor" in query:
            return self.by_cursor(queryset, query["cursor"], self.limit)
        if "page" in query or "page_size" in query:
            return self.by_page(queryset)
        return self.by_offset(queryset)

    def by_offset(self, queryset: QuerySet[Any]) -> list[Any]:
        self.total = queryset.count()
        return list(queryset[self.offset : self.offset + self.limit])

    def by_page(self, queryset: QuerySet[Any]) -> list[Any]:
        self.style = "page"
        self.total = queryset.count()
        start = (self.page - 1) * self.page_size
        return list(queryset[start : start + self.page_size])

    def by_cursor(self, queryset: QuerySet[Any], cursor: str, limit: int) -> list[Any]:
        """Keyset: the rows after the cursor's values of the ordering, so inserts shift nothing."""
        self.style = "cursor"
        ordering = tuple(queryset.query.order_by or queryset.model._meta.ordering)
        if cursor:
            queryset = queryset.filter(after(ordering, decode(cursor, queryset.model, ordering)))
        rows = list(queryset[: limit + 1])
        self.has_more = len(rows) > limit
        self.next_cursor = write(rows[limit - 1], ordering) if self.has_more else None
        return rows[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        return Response(getattr(self, f"{self.style}_envelope")(data))

    def page_envelope(self, data: Any) -> dict[str, Any]:
        return {"items": data, "total": self.total, "page": self.page, "page_size": self.page_size}

    def cursor_envelope(self, data: Any) -> dict[str, Any]:
        return {"results": data, "next_cursor": self.next_cursor, "has_more": self.has_more}

    def offset_envelope(self, data: Any) -> dict[str, Any]:
        following, before = self.offset + self.limit, max(self.offset - self.limit, 0)
        has_next, has_previous = following < self.total, self.offset > 0
        return {
            "total": self.total,
            "limit": self.limit,
            "offset": self.offset,
            "has_next": has_next,
            "has_previous": has_previous,
            "next_offset": following if has_next else None,
            "previous_offset": before if has_previous else None,
            "results": data,
            **({self.alias: data} if self.alias else {}),
        }

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        number, flag = {"type": "integer"}, {"type": "boolean"}
        return {
            "type": "object",
            "description": "limit/offset style; page/page_size answers items, cursor answers next_cursor.",
            "properties": {
                "total": number,
                "limit": number,
                "offset": number,
                "has_next": flag,
                "has_previous": flag,
                "next_offset": {**number, "nullable": True},
                "previous_offset": {**number, "nullable": True},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        described: dict[str, tuple[str, dict[str, Any]]] = {
            "limit": ("Results per page.", bounds(1, 500)),
            "offset": ("Results to skip.", bounds(0, LARGEST_OFFSET)),
            "page": (
                "Page number: the answer is items, total, page, page_size.",
                bounds(1, LARGEST_OFFSET // 100),
            ),
            "page_size": ("Results per page in that style.", bounds(1, 100)),
            "cursor": (
                "Empty for the first page: the answer is results, next_cursor, has_more.",
                {"type": "string"},
            ),
        }
        return [
            {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
            for name, (text, schema) in described.items()
        ]


def bounds(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def whole(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number from the query within its bounds, or 400 naming it."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not least <= int(text) <= most:
        raise ValidationError({name: [f"Give a whole number from {least} to {most}."]})
    return int(text)


def after(ordering: Sequence[str], values: Sequence[Any]) -> Q:
    """`(a, b) comes after (x, y)` in this ordering: a after x, or a = x and b after y.

    That a is x or after it says nothing more, but gives an index a place to start.
    """
    condition = Q()
    equal = Q()
    for name, value in zip(ordering, values, strict=True):
        field, later = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{field}__{later}": value})
        equal &= Q(**{field: value})
    first, start = ordering[0].lstrip("-"), "lte" if ordering[0].startswith("-") else "gte"
    return Q(**{f"{first}__{start}": values[0]}) & condition


def write(row: Model, ordering: Sequence[str]) -> str:
    """The row's place in its list, signed: a cursor is good for the list that gave it."""
    texts = [field.value_to_string(row) for field in columns(type(row), ordering)]
    return signing.dumps(texts, salt=salt(type(row), ordering))


def decode(cursor: str, model: type[Model], ordering: Sequence[str]) -> list[Any]:
    try:
        texts = signing.loads(cursor, salt=salt(model, ordering))
    except signing.BadSignature as error:
        raise ValidationError({"cursor": ["This is no cursor of this list."]}) from error
    return [field.to_python(text) for field, text in zip(columns(model, ordering), texts, strict=True)]


def columns(model: type[Model], ordering: Sequence[str]) -> "list[Field[Any, Any]]":
    found = (model._meta.get_field(name.lstrip("-")) for name in ordering)
    return [field for field in found if isinstance(field, Field)]


def salt(model: type[Model], ordering: Sequence[str]) -> str:
    return f"cursor {model._meta.label} {' '.join(ordering)}"
