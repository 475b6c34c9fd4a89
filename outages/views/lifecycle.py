"""What may happen to an outage, over HTTP."""

from functools import partial
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.etags import IF_MATCH, expected_version, versioned
from apexchainx.api.idempotency import idempotent
from outages.models import Outage, RootCauseAnalysis
from outages.serializers.detail import OutageDetailSerializer
from outages.serializers.lifecycle import (
    AssignmentSerializer,
    CommentSerializer,
    MergerSerializer,
    PauseSerializer,
    ResumptionSerializer,
)
from outages.services import lifecycle, merging, pausing
from sla.models import SLAResult

verb = partial(action, detail=True, methods=["post"], filterset_class=None, pagination_class=None)
answers_whole = partial(extend_schema, parameters=[IF_MATCH], responses=OutageDetailSerializer)


def told() -> QuerySet[Outage]:
    """Outages with what their documents need."""
    asked = SLAResult.objects.filter(is_latest=True).select_related("invocation")
    latest = asked.select_related("policy__calendar", "payment__outage")
    prefetch = Prefetch("sla_results", queryset=latest, to_attr="latest_results")
    related = ("team", "operator", "merged_into", "recurrence_of")
    return Outage.objects.select_related(*related).prefetch_related(prefetch)


def whole() -> QuerySet[Outage]:
    """Outages with what the document of one needs."""
    newest = RootCauseAnalysis.objects.published().prefetch_related("outage__follow_ups")[:1]
    analyses = Prefetch("analyses", queryset=newest, to_attr="published_analyses")
    return told().prefetch_related("facts", "duplicates", analyses)


def detail_of(reference: str) -> Response:
    outage = get_object_or_404(whole(), reference=reference)
    return versioned(Response(OutageDetailSerializer(outage).data), outage.version)


def stated(body: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the body says, and the version that the caller has seen."""
    found = body(data=request.data)
    found.is_valid(raise_exception=True)
    return {**found.validated_data, "version": expected_version(request)}


class OutageLifecycle(viewsets.GenericViewSet[Outage]):
    """The verbs of `OutageViewSet`; each answers the whole outage."""

    @answers_whole(request=None)
    @verb()
    @idempotent
    def acknowledge(self, request: Request, outage_id: str) -> Response:
        """Say that somebody has seen the outage; once."""
        lifecycle.acknowledge(outage_id, version=expected_version(request))
        return detail_of(outage_id)

    @answers_whole(request=None)
    @verb()
    @idempotent
    def investigate(self, request: Request, outage_id: str) -> Response:
        """Say that somebody works on the outage."""
        lifecycle.investigate(outage_id, version=expected_version(request))
        return detail_of(outage_id)

    @answers_whole(request=AssignmentSerializer)
    @verb()
    @idempotent
    def assign(self, request: Request, outage_id: str) -> Response:
        """Give the outage to somebody; a resolved one too."""
        lifecycle.assign(outage_id, **stated(AssignmentSerializer, request))
        return detail_of(outage_id)

    @answers_whole(request=PauseSerializer)
    @verb()
    @idempotent
    def pause(self, request: Request, outage_id: str) -> Response:
        """Stop the clock, from now or from a time that lies back; then both times are kept."""
        pausing.pause(outage_id, **stated(PauseSerializer, request))
        return detail_of(outage_id)

    @answers_whole(request=ResumptionSerializer)
    @verb()
    @idempotent
    def resume(self, request: Request, outage_id: str) -> Response:
        """Let the clock run again."""
        pausing.resume(outage_id, **stated(ResumptionSerializer, request))
        return detail_of(outage_id)

    @answers_whole(request=CommentSerializer)
    @verb()
    @idempotent
    def comment(self, request: Request, outage_id: str) -> Response:
        """Add a sentence to the timeline."""
        lifecycle.comment(outage_id, **stated(CommentSerializer, request))
        return detail_of(outage_id)

    @answers_whole(request=MergerSerializer)
    @verb()
    @idempotent
    def merge(self, request: Request, outage_id: str) -> Response:
        """End a duplicate: no result and no payment come of it. This cannot be undone."""
        merging.merge(outage_id, **stated(MergerSerializer, request))
        return detail_of(outage_id)
