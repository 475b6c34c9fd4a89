"""Outages brought in and given out, many at a time."""

from typing import Any, ClassVar

import django_filters
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponseBase, QueryDict, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.api.idempotency import idempotent
from apexchainx.api.parsers import FileParser, StrictJSONParser
from apexchainx.api.renderers import JSONRenderer
from apexchainx.errors import Invalid
from outages.filters import OutageFilter
from outages.models import ImportRun, Outage
from outages.serializers.exports import FORMATS, ExportedSerializer, copied, filename
from outages.serializers.imports import (
    BulkedSerializer,
    BulkRowSerializer,
    BulkSerializer,
    FileSerializer,
    ImportedSerializer,
    ImportRowSerializer,
    ImportRunSerializer,
    ImportSerializer,
    judge,
)
from outages.serializers.transfers import Upload, from_body, from_file
from outages.services.importing import RowsRefused, refused
from payments.services import imports

PARSERS = (StrictJSONParser, FileParser)
DRY_RUN = OpenApiParameter("dry_run", bool, description="Say what would happen, and write nothing.")
RUNS_SHOWN = 50
YES, NO = {"true", "1"}, {"false", "0", ""}


def uploaded(request: Request) -> Upload:
    """The rows of the body. Raises Invalid where it holds none."""
    if isinstance(request.data, dict) and not isinstance(request.data, QueryDict):
        return from_body(request.data)
    if list(request.FILES) != ["file"]:
        raise Invalid("file", "Send one file, in the field named file.")
    return from_file(request.FILES["file"])


class ImportView(APIView):
    """Outages that were noted elsewhere, up to a thousand at once."""

    parser_classes = PARSERS
    scopes: ClassVar = {"write": "outages:write"}

    @extend_schema(
        parameters=[DRY_RUN],
        request={"application/json": ImportSerializer, "multipart/form-data": FileSerializer},
        responses={201: ImportedSerializer, 200: ImportedSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """All rows or none: where one is wrong it is 422, and the details name each by index and field."""
        is_dry, upload = flag(request, "dry_run"), uploaded(request)
        rows = judge(upload.rows, ImportRowSerializer(), most=settings.MAX_BULK_OUTAGES_COUNT)
        plan = imports.examine(*rows)
        outages = [] if is_dry else imports.import_list(upload.origin, plan)
        ids = [outage.reference for outage in outages]
        return Response({**summary(plan), "dry_run": is_dry, "outages": ids}, status=200 if is_dry else 201)


def summary(plan: imports.Plan) -> dict[str, Any]:
    met = sum(verdict.is_met for verdict in plan.verdicts)
    return {
        "imported": len(plan.lines),
        "open": len(plan.lines) - len(plan.verdicts),
        "resolved": len(plan.verdicts),
        "met": met,
        "violated": len(plan.verdicts) - met,
        "net_amount": plan.net_amount,
    }


def flag(request: Request, name: str) -> bool:
    word = request.query_params.get(name, "").lower()
    if word not in YES | NO:
        raise Invalid(name, "Say true or false.", allowed_values=["true", "false"])
    return word in YES


class BulkView(APIView):
    """As an import, for a page: what is here already is skipped, and every attempt stays in the history."""

    parser_classes = PARSERS
    scopes: ClassVar = {"write": "outages:write"}

    @extend_schema(
        request={"multipart/form-data": FileSerializer, "application/json": BulkSerializer},
        responses=BulkedSerializer,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """All rows or none. A `service_id` without a site is the site as well; `severity` is medium."""
        self.upload = uploaded(request)
        rows = judge(self.upload.rows, BulkRowSerializer(), most=settings.MAX_BULK_OUTAGES_COUNT)
        plan = imports.examine(*rows, skips_known=True)
        imports.import_list(self.upload.origin, plan)
        return Response({"imported": len(plan.lines), "skipped": plan.skipped, "errors": []})

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal is history too: it is noted here, when whatever the request had written is undone."""
        if isinstance(exc, RowsRefused):
            refused(self.upload.origin, exc)
        return super().handle_exception(exc)


class BulkHistoryView(APIView):
    """The newest imports, also those that were refused."""

    scopes: ClassVar = {"read": "outages:read"}

    @extend_schema(responses=ImportRunSerializer(many=True))
    def get(self, _request: Request) -> Response:
        return Response(ImportRunSerializer(ImportRun.objects.all()[:RUNS_SHOWN], many=True).data)


class ExportFilter(OutageFilter):
    """The list's filters, and the form of the file."""

    format = django_filters.ChoiceFilter(choices=[(form, form) for form in FORMATS], method="as_it_is")

    def as_it_is(self, outages: QuerySet[Outage], _name: str, _form: str) -> QuerySet[Outage]:
        return outages


class ExportView(GenericAPIView[Outage]):
    """Outages as a file, with result and payment, filtered as the list is."""

    queryset = Outage.objects.all()
    filterset_class = ExportFilter
    pagination_class = None
    scopes: ClassVar = {"read": "outages:read"}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[JSONRenderer, str]:
        """`format` says what is answered; a refusal is JSON, whatever is accepted."""
        return JSONRenderer(), JSONRenderer.media_type

    @extend_schema(
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/json"): ExportedSerializer(many=True),
        }
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Newest first. In CSV no text begins as a formula; JSON is one array."""
        chosen = self.filter_queryset(self.get_queryset())
        form = request.query_params.get("format") or "csv"
        # A HEAD is answered without asking the database.
        content = () if request.method == "HEAD" else copied(chosen, form)
        headers = {"Content-Disposition": f'attachment; filename="{filename(form)}"'}
        kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
        return StreamingHttpResponse(content, content_type=kind, headers=headers)
