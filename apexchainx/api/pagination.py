"""Three paging styles, chosen by the request: limit/offset, page/page_size, cursor."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api import keyset
from apexchainx.api.counting import total

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
        return self.rows_of(queryset, self.offset, self.offset + self.limit)

    def by_page(self, queryset: QuerySet[Any]) -> list[Any]:
        self.style = "page"
        start = (self.page - 1) * self.page_size
        return self.rows_of(queryset, start, start + self.page_size)

    def rows_of(self, queryset: QuerySet[Any], start: int, stop: int) -> list[Any]:
        self.total = total(queryset)
        return list(queryset[start:stop])

    def by_cursor(self, queryset: QuerySet[Any], cursor: str, limit: int) -> list[Any]:
        """The rows after the cursor's values of the ordering, so inserts shift nothing."""
        self.style = "cursor"
        rows, self.next_cursor = keyset.page(queryset, cursor, limit)
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(getattr(self, f"{self.style}_envelope")(data))

    def page_envelope(self, data: Any) -> dict[str, Any]:
        place = {"page": self.page, "page_size": self.page_size}
        return {"items": data, **self.total.told, **place}

    def cursor_envelope(self, data: Any) -> dict[str, Any]:
        return {"results": data, "next_cursor": self.next_cursor, "has_more": self.next_cursor is not None}

    def offset_envelope(self, data: Any) -> dict[str, Any]:
        following, before = self.offset + self.limit, max(self.offset - self.limit, 0)
        has_next, has_previous = following < self.total.rows, self.offset > 0
        return {
            **self.total.told,
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
                "total_exact": {
                    **flag,
                    "description": "Whether the total was counted just now; always so up to 10,000.",
                },
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
