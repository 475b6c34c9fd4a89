"""Outages by the page: listed, searched, violated."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.core import signing
from django.db.models import Count, Exists, OuterRef, QuerySet, Window
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.counting import Total
from apexchainx.api.documents import Documents, DocumentsPagination
from outages.filters import MOST_RANKED, OutagePlaces, SearchFilter
from outages.models import Outage
from outages.serializers.documents import outage_documents
from outages.serializers.outage import OutageSerializer
from sla.models import SLAResult

PLACE = "place in a search"


class RankedPagination(DocumentsPagination):
    """A bounded list in the order of its relevance; the places in it are numbers."""

    def rows_of(self, queryset: QuerySet[Any], start: int, stop: int) -> list[Any]:
        rows = list(queryset.annotate(rows=Window(Count("*"))).values_list("pk", "rows")[start:stop])
        count = rows[0][1] if rows else queryset.count() if start else 0
        self.total = Total(count, is_exact=count < MOST_RANKED)
        return [key for key, _ in rows]

    def by_cursor(self, queryset: QuerySet[Any], cursor: str, limit: int) -> list[Any]:
        self.style = "cursor"
        start = self.placed(cursor) if cursor else 0
        keys = list(queryset.values_list("pk", flat=True)[start : start + limit + 1])
        self.next_cursor = signing.dumps(start + limit, salt=PLACE) if len(keys) > limit else None
        return keys[:limit]

    def placed(self, cursor: str) -> int:
        try:
            return int(signing.loads(cursor, salt=PLACE))
        except signing.BadSignature as error:
            raise ValidationError({"cursor": ["This is no cursor of this list."]}) from error


class OutageLists(Documents):
    """The lists that `OutageViewSet` answers."""

    def documents(self, keys: Sequence[int]) -> list[orjson.Fragment]:
        return outage_documents(keys)

    @extend_schema(responses=OutageSerializer(many=True))
    def list(self, _request: Request) -> Response:
        """Outages, the newest first, or as `sort` has it: `-severity`, or `severity` with `sort_order=desc`.

        Where there is nothing to sort by, an outage stands last.
        """
        return self.page_of(Outage.objects.all())

    @extend_schema(responses=OutageSerializer(many=True))
    @action(detail=False, filterset_class=SearchFilter, pagination_class=RankedPagination)
    def search(self, _request: Request) -> Response:
        """Outages by words, the most relevant first: `q=rectifier lagos`, combined with every filter.

        All words must match: by their stem, the last one also as the beginning of a word; a small error in
        typing is put right, and part of an id is found. The newest 200 matches are put in order, by where the
        words stand (the site, then services and cause, then the rest) and by age. `total` counts those; where
        it is 200, `total_exact` is false: there may be more, and a filter or another word finds them.
        """
        return self.page_of(Outage.objects.all())

    @extend_schema(responses=OutageSerializer(many=True))
    @action(detail=False, filterset_class=OutagePlaces)
    def violations(self, _request: Request) -> Response:
        """Outages whose latest result is a violation, the newest first."""
        return self.page_of(Outage.objects.filter(violated()))


def violated() -> Exists:
    """Whether the latest result of an outage is a violation."""
    latest = SLAResult.objects.filter(outage=OuterRef("pk"), is_latest=True)
    return Exists(latest.filter(status=SLAResult.Status.VIOLATED))
