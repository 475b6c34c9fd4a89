"""Service levels over HTTP."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.api.idempotency import idempotent
from apexchainx.errors import NotFound
from sla import services
from sla.models import ContractInvocation, PolicyVersion, SLAResult
from sla.serializers import (
    CalculateSerializer,
    CalculationSerializer,
    ConfigsSerializer,
    ContractInvocationSerializer,
    StatusOfOutageSerializer,
    TermsSerializer,
    VerdictSerializer,
    previewed,
)


class ConfigsView(APIView):
    """The terms in force now, by severity."""

    scopes: ClassVar = {"read": "sla:read"}

    @extend_schema(responses=ConfigsSerializer)
    def get(self, _request: Request) -> Response:
        policies = PolicyVersion.objects.in_force(timezone.now())
        return Response({policy.severity: TermsSerializer(policy).data for policy in policies})


class StatusView(APIView):
    """The latest result of an outage; 404 until it is resolved."""

    scopes: ClassVar = {"read": "sla:read"}

    @extend_schema(responses=StatusOfOutageSerializer)
    def get(self, _request: Request, outage_id: str) -> Response:
        result = (
            SLAResult.objects.select_related("outage", "policy", "payment", "invocation")
            .filter(outage__reference=outage_id, is_latest=True)
            .first()
        )
        if result is None:
            raise NotFound(f"Outage {outage_id} has no SLA result: it does not exist or is not resolved yet.")
        return Response(StatusOfOutageSerializer(result).data)


QUERY = [
    OpenApiParameter("outage_id", {"type": "string", "minLength": 1, "maxLength": 64}),
    OpenApiParameter("mttr_minutes", int, required=True),
    OpenApiParameter("severity", str, enum=["critical", "high", "medium", "low"]),
]


class CalculateView(APIView):
    """What minutes would earn or cost, or the result of a resolved outage."""

    scopes: ClassVar = {"read": "sla:read", "write": "sla:write"}

    @extend_schema(request=CalculateSerializer, responses=CalculationSerializer)
    @idempotent
    def post(self, request: Request) -> Response:
        asked = read(request.data)
        if "mttr_minutes" in asked:
            return preview(asked)
        if "outage_id" not in asked:
            raise ValidationError({"outage_id": ["Name an outage, or give mttr_minutes and a severity."]})
        result = services.result_of(asked["outage_id"])
        return answer(
            result.outage.reference,
            VerdictSerializer(seen(result)).data,
            is_preview=False,
            asked=result.asked,
        )

    @extend_schema(parameters=QUERY, responses=CalculationSerializer)
    def get(self, request: Request) -> Response:
        return preview(required_minutes(read(request.query_params.dict())))


class PreviewView(APIView):
    """What minutes would earn or cost; writes nothing."""

    scopes: ClassVar = {"write": "sla:read"}

    @extend_schema(request=CalculateSerializer, responses=CalculationSerializer)
    def post(self, request: Request) -> Response:
        return preview(required_minutes(read(request.data)))


def read(data: Any) -> dict[str, Any]:
    body = CalculateSerializer(data=data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def required_minutes(asked: dict[str, Any]) -> dict[str, Any]:
    if "mttr_minutes" not in asked:
        raise ValidationError({"mttr_minutes": ["This field is required."]})
    return asked


def preview(asked: dict[str, Any]) -> Response:
    found = services.preview(
        minutes=asked["mttr_minutes"],
        outage_reference=asked.get("outage_id", ""),
        severity=asked.get("severity", ""),
    )
    body = VerdictSerializer(previewed(found.verdict, found.policy, minutes=found.minutes)).data
    return answer(found.outage.reference if found.outage else None, body, is_preview=True)


def seen(result: SLAResult) -> dict[str, Any]:
    return dict(StatusOfOutageSerializer(result).data)


def answer(
    outage_id: str | None, result: Any, *, is_preview: bool, asked: ContractInvocation | None = None
) -> Response:
    """A preview asks nobody: it is our own arithmetic, whoever is in charge."""
    invocation = ContractInvocationSerializer(asked).data if asked else None
    said = {"outage_id": outage_id, "preview": is_preview, "sla_result": result}
    return Response({**said, "contract_invocation": invocation})
