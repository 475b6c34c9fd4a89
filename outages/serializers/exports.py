"""Outages as files: every row in the words of the API, made and streamed by PostgreSQL.

It stands among the serializers because it is one: it knows the names that clients read, and reads results and
payments, which the domain of outages may not.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import (
    Case,
    CharField,
    F,
    FilteredRelation,
    Func,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone
from rest_framework import serializers

from apexchainx.api.fields import MoneyField
from outages.models import Outage, Severity
from outages.serializers.outage import PUBLIC_STATES
from outages.serializers.transfers import FORMULA
from payments.models import Payment
from sla.models import ClockSource, SLAResult

FORMATS = ("csv", "json")
CHUNK = 64 * 1024
# A client that reads slowly is waited for so long, and then cut off.
TIMEOUT = "15min"
# In a text of JSON these two never stand, so what COPY writes of it is the text itself.
JSON_ROWS = r"FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02'"


class Moment(Func):
    """As the API writes times: in UTC, with fractions of a second where there are any."""

    template = (
        "replace(to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), "
        "'.000000Z', 'Z')"
    )
    output_field = TextField()


class Plain(Func):
    """A number without trailing zeros."""

    function = "trim_scale"


class PaymentReference(Func):
    """PAY001, as `apexchainx.references` numbers."""

    template = "'PAY' || lpad(%(expressions)s::text, greatest(3, length(%(expressions)s::text)), '0')"
    output_field = TextField()


class Label(Func):
    """critical-v1, as a policy's own label."""

    template, arg_joiner, output_field = "%(expressions)s", " || '-v' || ", TextField()


class Joined(Func):
    template = "array_to_string(%(expressions)s, ';')"
    output_field = TextField()


class Guarded(Func):
    """A text that no spreadsheet takes for a formula; `transfers.text` undoes it."""

    template = f"regexp_replace(%(expressions)s, E'^(\\'*{FORMULA})', E'\\'\\\\1')"
    output_field = TextField()


TEXTS = {
    "site_name": F("site_name"),
    "site_id": F("site_id"),
    "region": F("region"),
    "description": F("description"),
    "root_cause": F("root_cause"),
    "resolution_notes": F("resolution_notes"),
    "assigned_to": NullIf(F("assigned_to"), Value("")),
    "created_by": F("created_by"),
    "correlation_id": F("correlation_id"),
}
"""Free text, in which anything may stand."""


def columns(form: str) -> dict[str, Any]:
    """Name and expression of every column; a list of services is a list in JSON, and text in CSV."""
    is_csv = form == "csv"
    texts = {name: Guarded(text) if is_csv else text for name, text in TEXTS.items()}
    services = Guarded(Joined(F("affected_services"))) if is_csv else F("affected_services")
    resolved = When(state=Outage.State.RESOLVED, then=Value("resolved"))
    return {
        "id": F("reference"),
        "site_name": texts["site_name"],
        "site_id": texts["site_id"],
        "region": texts["region"],
        "severity": F("severity"),
        "status": Case(resolved, default=Value("open"), output_field=CharField()),
        "state": F("state"),
        "detected_at": Moment(F("detected_at")),
        "resolved_at": Moment(F("resolved_at")),
        "mttr_minutes": F("mttr_minutes"),
        "description": texts["description"],
        "root_cause": texts["root_cause"],
        "resolution_notes": texts["resolution_notes"],
        "affected_services": services,
        "affected_subscribers": F("affected_subscribers"),
        "latitude": Plain(F("latitude")),
        "longitude": Plain(F("longitude")),
        "assigned_to": texts["assigned_to"],
        "created_by": texts["created_by"],
        "team": Coalesce(F("team__key"), Value(settings.DEFAULT_TEAM)),
        "operator": Coalesce(F("operator__key"), Value(settings.DEFAULT_OPERATOR)),
        "correlation_id": texts["correlation_id"],
        "sla_status": F("latest__status"),
        "sla_amount": Plain(F("latest__amount")),
        "sla_rating": F("latest__rating"),
        "policy_version": Label(F("latest__policy__severity"), F("latest__policy__version")),
        "clock_source": F("latest__clock_source"),
        "payment_id": PaymentReference(F("latest__payment__id")),
        "payment_state": F("latest__payment__state"),
        "transaction_hash": F("latest__payment__transaction_hash"),
    }


class ExportedSerializer(serializers.Serializer[Any]):
    """One row; a CSV has the same columns. Empty cells and nulls are the same."""

    id = serializers.CharField()
    site_name = serializers.CharField()
    site_id = serializers.CharField()
    region = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    status = serializers.ChoiceField(choices=PUBLIC_STATES)
    state = serializers.ChoiceField(choices=Outage.State.choices)
    detected_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    mttr_minutes = serializers.IntegerField(allow_null=True)
    description = serializers.CharField()
    root_cause = serializers.CharField()
    resolution_notes = serializers.CharField()
    affected_services = serializers.ListField(
        child=serializers.CharField(), help_text="In CSV separated by semicolons."
    )
    affected_subscribers = serializers.IntegerField(allow_null=True)
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    assigned_to = serializers.CharField(allow_null=True)
    created_by = serializers.CharField()
    team = serializers.CharField()
    operator = serializers.CharField()
    correlation_id = serializers.CharField()
    sla_status = serializers.ChoiceField(choices=SLAResult.Status.choices, allow_null=True)
    sla_amount = MoneyField(allow_null=True)
    sla_rating = serializers.ChoiceField(choices=SLAResult.Rating.choices, allow_null=True)
    policy_version = serializers.CharField(allow_null=True)
    clock_source = serializers.ChoiceField(choices=ClockSource.choices, allow_null=True)
    payment_id = serializers.CharField(allow_null=True)
    payment_state = serializers.ChoiceField(choices=Payment.State.choices, allow_null=True)
    transaction_hash = serializers.CharField(allow_null=True)


def filename(form: str) -> str:
    return f"outages-{timezone.now():%Y-%m-%d}.{form}"


def copied(chosen: QuerySet[Outage], form: str) -> Iterator[bytes]:
    """The file in pieces of about 64 KiB, whatever its length; the transaction ends with the last of them."""
    names, query = selected(chosen, form)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [TIMEOUT])
        if form == "csv":
            with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as rows:
                yield from in_chunks(rows, start=",".join(names).encode() + b"\n")
            return
        named = ", ".join(f'"{name}"' for name in names)
        statement = f"COPY (SELECT row_to_json(o) FROM ({query}) o({named})) TO STDOUT ({JSON_ROWS})"  # noqa: S608
        with cursor.copy(statement) as rows:
            yield from in_chunks(rows, start=b"[", between=b",", end=b"]\n")


def selected(chosen: QuerySet[Outage], form: str) -> tuple[list[str], str]:
    """The names of the columns and the statement that reads them, whole: COPY takes no parameters."""
    latest = FilteredRelation("sla_results", condition=Q(sla_results__is_latest=True))
    told = {f"told_{name}": expression for name, expression in columns(form).items()}
    query = chosen.annotate(latest=latest).annotate(**told).values_list(*told).query
    statement: str = connection.ops.compose_sql(*query.sql_with_params())  # type: ignore[attr-defined]
    return list(columns(form)), statement


def in_chunks(
    rows: Iterable[bytes | memoryview], *, start: bytes, between: bytes = b"", end: bytes = b""
) -> Iterator[bytes]:
    held, separator = bytearray(start), b""
    for row in rows:
        held += separator
        held += row
        separator = between
        if len(held) >= CHUNK:
            yield bytes(held)
            held.clear()
    held += end
    yield bytes(held)
