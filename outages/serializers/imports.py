"""Outages that are brought in: one row of them, and what became of them all."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from apexchainx.api.exceptions import UNNAMED, flatten
from apexchainx.api.fields import AwareDateTimeField, MinutesField, MoneyField, TextField, pair
from apexchainx.errors import Invalid
from outages.models import ImportRun, Severity, Source
from outages.serializers.outage import NewOutageSerializer
from outages.serializers.transfers import ALIASES, SERVICE, Row
from outages.services.importing import Line, Mistake
from outages.services.reporting import Report

LONGEST_MESSAGE = 200
# Both vocabularies.
STATUSES = ("open", "active", "investigating", "resolved")
DEFAULTS = {"team": settings.DEFAULT_TEAM, "operator": settings.DEFAULT_OPERATOR}


class ImportRowSerializer(NewOutageSerializer):
    """As a new outage; one that is over says when it ended or how many minutes counted, or both."""

    status = serializers.ChoiceField(choices=STATUSES, required=False)
    resolved_at = AwareDateTimeField(required=False)
    mttr_minutes = MinutesField(required=False)
    resolution_notes = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True)
    root_cause = TextField(max_length=settings.MAX_DESCRIPTION_LENGTH, required=False, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise ValidationError("Give an object.")
        return super().to_internal_value(canonical(data))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        status = attrs.pop("status", None)
        is_over = "resolved_at" in attrs or "mttr_minutes" in attrs
        if status == "resolved" and not is_over:
            raise ValidationError({"resolved_at": "A resolved outage says resolved_at or mttr_minutes."})
        if status not in {None, "resolved"} and is_over:
            raise ValidationError({"status": f"An outage that has ended is resolved, not {status}."})
        return super().validate(attrs)


class BulkRowSerializer(ImportRowSerializer):
    """`severity` is medium where it is not given."""

    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.MEDIUM)


def canonical(data: Mapping[str, Any]) -> dict[str, Any]:
    """A row under our own names. Null states nothing; a service without a site is the site as well."""
    stated = {name: value for name, value in data.items() if value is not None}
    for alias, name in ALIASES.items():
        stated = pair(stated, name, alias)
    if SERVICE in stated:
        stated = {"site_name": stated[SERVICE], "affected_services": [stated[SERVICE]], **stated}
    if "state" in stated:
        stated.setdefault("status", stated["state"])
    if {"latitude", "longitude"} & stated.keys():
        stated["location"] = {name: stated[name] for name in ("latitude", "longitude") if name in stated}
    for field, default in DEFAULTS.items():
        if stated.get(field) == default:
            del stated[field]
    return stated


def judge(
    rows: Iterable[Row], judge_of_one: serializers.Serializer[Any], *, most: int | None = None
) -> tuple[list[Line], list[Mistake]]:
    """The rows that are well formed, and the mistakes of the others. Raises Invalid for none or too many."""
    lines, mistakes = list[Line](), list[Mistake]()
    for row in rows:
        if most is not None and row.index >= most:
            message = f"One request imports at most {most} outages; manage.py import_outages takes more."
            raise Invalid("outages", message, limit=most)
        found = line(row, judge_of_one)
        if isinstance(found, Line):
            lines.append(found)
        else:
            mistakes.extend(found)
    if not lines and not mistakes:
        raise Invalid("outages", "There is no outage to import.")
    return lines, mistakes


def line(row: Row, judge_of_one: serializers.Serializer[Any]) -> Line | list[Mistake]:
    if row.problem:
        return [Mistake(row.index, row.row, "", row.problem)]
    try:
        stated = judge_of_one.run_validation(row.data)
    except ValidationError as error:
        return list(mistakes_of(row, error))
    return Line(row.index, row.row, Report(**stated, source=Source.IMPORT))


def mistakes_of(row: Row, error: ValidationError) -> Iterator[Mistake]:
    for path, sentences in flatten(error.detail):
        field = "" if path == UNNAMED else path
        yield Mistake(row.index, row.row, field, sentences[0][:LONGEST_MESSAGE])


# What is asked


class ImportSerializer(serializers.Serializer[Any]):
    outages = ImportRowSerializer(many=True)


class BulkSerializer(serializers.Serializer[Any]):
    outages = BulkRowSerializer(many=True)


class FileSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="A .csv with our column names, or a .json list.")


# What is answered


class ImportedSerializer(serializers.Serializer[Any]):
    """`outages` are their ids. With `dry_run` nothing was written, and these are what would be."""

    dry_run = serializers.BooleanField()
    imported = serializers.IntegerField()
    open = serializers.IntegerField()
    resolved = serializers.IntegerField()
    met = serializers.IntegerField(help_text="Resolved within their thresholds.")
    violated = serializers.IntegerField()
    net_amount = MoneyField(help_text="Rewards less penalties; every payment is held for a person.")
    outages = serializers.ListField(child=serializers.CharField())


class MistakeSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField()
    field = serializers.CharField()
    message = serializers.CharField()


class BulkedSerializer(serializers.Serializer[Any]):
    imported = serializers.IntegerField()
    skipped = serializers.IntegerField(help_text="These were here already.")
    errors = MistakeSerializer(many=True)  # type: ignore[assignment]


class ImportRunSerializer(serializers.ModelSerializer[ImportRun]):
    id = serializers.CharField()
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]

    class Meta:
        model = ImportRun
        fields = ("id", "filename", "imported", "skipped", "error_count", "errors", "created_at")
        read_only_fields = fields

    @extend_schema_field(MistakeSerializer(many=True))
    def get_errors(self, run: ImportRun) -> Any:
        return run.errors
