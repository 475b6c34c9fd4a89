"""Lists whose rows the database writes: a page of keys by the ORM, their documents by one statement."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection
from django.db.models import QuerySet
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api import keyset
from apexchainx.api.counting import sliced
from apexchainx.api.pagination import StyledPagination


class DocumentsPagination(StyledPagination):
    """Pages of keys; a page and the total of its list come by one statement."""

    def rows_of(self, queryset: QuerySet[Any], start: int, stop: int) -> list[Any]:
        keys, self.total = sliced(queryset, start, stop)
        return keys

    def by_cursor(self, queryset: QuerySet[Any], cursor: str, limit: int) -> list[Any]:
        names = dict.fromkeys(("pk", *keyset.columns(queryset)))
        rows = super().by_cursor(queryset.values_list(*names, named=True), cursor, limit)
        return [row.pk for row in rows]


class Documents(viewsets.GenericViewSet[Any]):
    """A list without serializers: its view says how the `documents` of keys are written, in their order."""

    pagination_class = DocumentsPagination

    def documents(self, keys: Sequence[int]) -> list[orjson.Fragment]:
        raise NotImplementedError

    def list(self, _request: Request) -> Response:
        return self.page_of(self.get_queryset())

    def page_of(self, queryset: QuerySet[Any]) -> Response:
        """The request's page of those rows that it asks for."""
        keys = self.paginate_queryset(self.filter_queryset(queryset)) or ()
        return self.get_paginated_response(self.documents(keys))


def fetched(statement: str, **parameters: Any) -> list[Any]:
    """The rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Any] = cursor.fetchall()
        return rows
