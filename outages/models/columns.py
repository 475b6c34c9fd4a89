"""What the database computes of an outage: its number, the key of its cause, what it is searched by."""

from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Func


class NextReference(Func):
    """OUT001, OUT002, ...: the database numbers, and skips what a client has taken."""

    function = "outages_next_reference"
    output_field = models.CharField()


class CauseKey(Func):
    """A root cause without case and punctuation, so that two ways of writing it are one cause."""

    template = r"left(btrim(regexp_replace(lower(%(expressions)s), '[^[:alnum:]]+', ' ', 'g')), 200)"
    output_field = models.CharField(max_length=200)


class SearchField(models.GeneratedField):
    """Something to search by, which nobody reads: no INSERT answers it."""

    db_returning = False  # type: ignore[assignment]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"db_persist": True, **options})


class Searched(Func):
    """What can be found of an outage: its site, its services and causes, and the rest, in this order."""

    def __init__(self, *fields: Any, **options: Any) -> None:
        super().__init__(*(fields or SEARCHED), **options)


class SearchText(Searched):
    function = "outages_search_text"
    output_field = models.TextField()


class SearchVector(Searched):
    function = "outages_search_vector"
    output_field = SearchVectorField()


SEARCHED = (
    *("site_name", "site_id", "reference"),
    *("affected_services", "root_cause"),
    *("description", "resolution_notes"),
)


class Relevance(Func):
    """How well a vector answers a query, less for what is old."""

    function = "outages_relevance"
    output_field = models.FloatField()
