from collections import OrderedDict
from datetime import datetime
from typing import Any

import django_filters
from django.conf import settings
from django.db.models import F, Q, QuerySet, Subquery
from django.db.models.expressions import OrderBy
from django.utils import timezone

from apexchainx.accounts.filters import FlagFilter
from apexchainx.api.filters import MomentFilter, WordFilter
from outages.models import FollowUp, MaintenanceWindow, Outage, Severity, Source, Word
from outages.models.evidence import MaintenanceWindowQuerySet
from wallets.models import Owner

STATES = Outage.State
OPEN = [STATES.ACTIVE, STATES.INVESTIGATING]
# Both vocabularies: open and active mean every outage that is not resolved.
WORDS = {
    "open": OPEN,
    "active": OPEN,
    "investigating": [STATES.INVESTIGATING],
    "resolved": [STATES.RESOLVED],
}

NULLABLE = {"resolved_at", "mttr_minutes"}
# So many matches a search puts in order.
MOST_RANKED = 200
# More than there will ever be.
ALL = 10**9
SEARCHED = "Words of the site, the services, the cause, the description and the notes, or part of an id."
# What a list may be sorted by, with the column that it means.
SORTS = {
    "detected_at": "detected_at",
    "created_at": "detected_at",
    "resolved_at": "resolved_at",
    "severity": "severity_rank",
    "status": "state",
    "site_name": "site_name",
    "mttr_minutes": "mttr_minutes",
    "updated_at": "updated_at",
    "id": "id",
}
# `-severity` is the gravest first.
SIGNED = [f"{sign}{name}" for name in SORTS for sign in ("", "-")]


class Party(django_filters.CharFilter):
    """An owner by key; who has none has the one of the settings."""

    def __init__(self, *, default: str, **options: Any) -> None:
        self.default = default
        super().__init__(max_length=64, **options)

    def filter(self, qs: Any, value: Any) -> Any:
        if not value:
            return qs
        column = str(self.field_name)
        owner = Q(**{column: Subquery(Owner.objects.filter(key=value).values("pk"))})
        is_default = value == getattr(settings, self.default)
        return qs.filter(owner | Q(**{f"{column}__isnull": True}) if is_default else owner)


class OutagePlaces(django_filters.FilterSet):
    """Which outages, by what they are and where and when they happened."""

    status = WordFilter(field_name="state", words=WORDS)
    severity = django_filters.ChoiceFilter(choices=Severity.choices)
    site_name = django_filters.CharFilter(method="at_site", max_length=255)
    site_id = django_filters.CharFilter(max_length=64)
    region = django_filters.CharFilter(lookup_expr="iexact", max_length=64)
    assigned_to = django_filters.CharFilter(max_length=255)
    team = Party(default="DEFAULT_TEAM")
    operator = Party(default="DEFAULT_OPERATOR")
    service = django_filters.CharFilter(method="on_service", max_length=255)
    source = django_filters.ChoiceFilter(choices=Source.choices)
    chronic = FlagFilter(method="with_reference", label="Whether it recurred at its site with its cause.")
    merged = FlagFilter(method="with_reference", label="Whether it was a duplicate.")
    start_date = MomentFilter(field_name="detected_at", lookup_expr="gte")
    end_date = MomentFilter(field_name="detected_at", lookup_expr="lte", end_of_day=True)
    start = MomentFilter(field_name="detected_at", lookup_expr="gte")
    end = MomentFilter(field_name="detected_at", lookup_expr="lte", end_of_day=True)
    date_from = MomentFilter(field_name="detected_at", lookup_expr="gte")
    date_to = MomentFilter(field_name="detected_at", lookup_expr="lte", end_of_day=True)
    resolved_from = MomentFilter(field_name="resolved_at", lookup_expr="gte")
    resolved_to = MomentFilter(field_name="resolved_at", lookup_expr="lte", end_of_day=True)

    class Meta:
        model = Outage
        fields: tuple[str, ...] = ()

    def __init__(self, data: Any = None, *args: Any, **options: Any) -> None:
        """With what is asked for only: to build all filters costs as much as to read the page."""
        self.base_filters = OrderedDict(
            (name, one)
            for name, one in self.base_filters.items()
            if data is None or name in data or one.extra["required"]
        )
        super().__init__(data, *args, **options)

    def at_site(self, outages: QuerySet[Outage], _name: str, text: str) -> QuerySet[Outage]:
        """Part of its name; the text that is searched has it too, and an index."""
        return outages.filter(search_text__contains=text.lower(), site_name__icontains=text)

    def on_service(self, outages: QuerySet[Outage], _name: str, service: str) -> QuerySet[Outage]:
        return outages.filter(affected_services__contains=[service])

    def with_reference(self, outages: QuerySet[Outage], name: str, word: str) -> QuerySet[Outage]:
        column = {"chronic": "recurrence_of", "merged": "merged_into"}[name]
        return outages.filter(**{f"{column}__isnull": word == "false"})


class OutageFilter(OutagePlaces):
    """A list: which outages, and in which order."""

    search = django_filters.CharFilter(method="by_words", max_length=200, label=SEARCHED)
    sort = WordFilter(words=dict.fromkeys(SIGNED), method="keep")
    sort_field = WordFilter(words=dict.fromkeys(SORTS), method="keep")
    sort_order = WordFilter(words=dict.fromkeys(("asc", "desc")), method="keep")

    def by_words(self, outages: QuerySet[Outage], _name: str, text: str) -> QuerySet[Outage]:
        sought = Word.objects.sought(text)
        if sought.is_common:
            return outages.filter(sought.condition)
        # A list of its own, so that an index of words finds it whatever the order of the page.
        return outages.filter(pk__in=Outage.objects.filter(sought.condition).values("pk")[:ALL])

    def keep(self, outages: QuerySet[Outage], _name: str, _word: str) -> QuerySet[Outage]:
        return outages

    def filter_queryset(self, queryset: QuerySet[Outage]) -> QuerySet[Outage]:
        found = super().filter_queryset(queryset)
        asked = self.form.cleaned_data
        name = asked.get("sort") or asked.get("sort_field")
        if not name:
            return found
        descending = name.startswith("-") or asked.get("sort_order") == "desc"
        return found.order_by(*ordering(SORTS[name.lstrip("-")], descending=descending))


def ordering(column: str, *, descending: bool) -> list[OrderBy]:
    """What has no value stands last, and what is equal goes by number."""
    columns = dict.fromkeys((column, "id"))
    return [
        OrderBy(F(name), descending=descending, nulls_last=(descending and name in NULLABLE) or None)
        for name in columns
    ]


class SearchFilter(OutagePlaces):
    """A search: what for, and among which outages."""

    q = django_filters.CharFilter(method="by_words", max_length=200, required=True, label=SEARCHED)

    def by_words(self, outages: QuerySet[Outage], _name: str, text: str) -> QuerySet[Outage]:
        self.sought = Word.objects.sought(text)
        return outages

    def filter_queryset(self, queryset: QuerySet[Outage]) -> QuerySet[Outage]:
        found: Any = super().filter_queryset(queryset)
        ranked: QuerySet[Outage] = found.most_relevant(self.sought, of=MOST_RANKED)
        return ranked


class FollowUpFilter(django_filters.FilterSet):
    owner = django_filters.CharFilter(lookup_expr="iexact", max_length=255)
    done = FlagFilter(method="by_done")
    overdue = FlagFilter(method="by_overdue")

    class Meta:
        model = FollowUp
        fields: tuple[str, ...] = ()

    def by_done(self, items: QuerySet[FollowUp], _name: str, word: str) -> QuerySet[FollowUp]:
        return items.filter(done_at__isnull=word == "false")

    def by_overdue(self, items: QuerySet[FollowUp], _name: str, word: str) -> QuerySet[FollowUp]:
        overdue = FollowUp.objects.overdue(timezone.now().date())
        return items.filter(pk__in=overdue) if word == "true" else items.exclude(pk__in=overdue)


class MaintenanceFilter(django_filters.FilterSet):
    site_name = django_filters.CharFilter(lookup_expr="iexact", max_length=255)
    region = django_filters.CharFilter(lookup_expr="iexact", max_length=64)
    service = django_filters.CharFilter(lookup_expr="iexact", max_length=255)
    status = django_filters.ChoiceFilter(choices=MaintenanceWindow.Status.choices, method="by_status")
    at = MomentFilter(field_name="starts_at", method="by_moment")
    # Whatever overlaps the span; `from` is a word of Python's own.
    vars()["from"] = MomentFilter(field_name="ends_at", lookup_expr="gt")
    to = MomentFilter(field_name="starts_at", lookup_expr="lte", end_of_day=True)

    class Meta:
        model = MaintenanceWindow
        fields: tuple[str, ...] = ()

    def by_status(
        self, windows: MaintenanceWindowQuerySet, _name: str, word: str
    ) -> MaintenanceWindowQuerySet:
        return windows.with_status(word)

    def by_moment(
        self, windows: MaintenanceWindowQuerySet, _name: str, at: datetime
    ) -> MaintenanceWindowQuerySet:
        return windows.filter(starts_at__lte=at, ends_at__gt=at)
