"""Filter fields that several apps use, and the backend that turns a bad value into 400."""

from datetime import UTC, datetime, time
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView


class FilterError(exceptions.ValidationError):
    """What a filter form refuses, with the form: it knows which words it would take."""

    def __init__(self, form: forms.Form) -> None:
        super().__init__({name: [str(text) for text in texts] for name, texts in form.errors.items()})
        self.form = form


class FilterBackend(DjangoFilterBackend):
    """A bad value is 400 and names its parameter."""

    def filter_queryset(  # type: ignore[override]
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise FilterError(filterset.form)
        return filterset.qs


class MomentField(forms.CharField):
    """An aware ISO 8601 time, or a bare date: its first moment in UTC, or its last."""

    def __init__(self, *, end_of_day: bool = False, **options: Any) -> None:
        self.end_of_day = end_of_day
        super().__init__(max_length=64, **options)

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        return self.moment(text.strip().replace(" ", "+")) if text else None

    def moment(self, text: str) -> datetime:
        """In UTC, because PostgreSQL takes smaller offsets than Python."""
        try:
            day = parse_date(text)
            found = parse_datetime(text) if day is None else self.of_day(datetime.combine(day, time(), UTC))
            found = found.astimezone(UTC) if found and found.tzinfo else None
        except (ValueError, OverflowError):
            found = None
        if not text.isascii() or found is None or not 1 < found.year < 9999:
            raise ValidationError("Give an ISO 8601 time with an offset, or a date as YYYY-MM-DD.")
        return found

    def of_day(self, start: datetime) -> datetime:
        return start.replace(hour=23, minute=59, second=59, microsecond=999_999) if self.end_of_day else start


class MomentFilter(django_filters.Filter):
    field_class = MomentField


class WordFilter(django_filters.ChoiceFilter):
    """A closed vocabulary in which several words may mean one stored value."""

    def __init__(self, *, words: dict[str, Any], **options: Any) -> None:
        self.words = words
        super().__init__(choices=[(word, word) for word in words], **options)

    def filter(self, qs: Any, value: Any) -> Any:
        if not value:
            return qs
        return qs.filter(**{f"{self.field_name}__in": self.words[value]})
