"""Alarms of monitoring systems over HTTP."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import ClassVar

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.api.idempotency import idempotent
from outages.serializers.intake import (
    AlarmSerializer,
    AlarmsSerializer,
    AlertmanagerSerializer,
    IntakeSerializer,
)
from payments.services.intake import Alarm, take_in

ONE_OR_MANY = PolymorphicProxySerializer(
    component_name="GenericIntake",
    serializers=[AlarmSerializer, AlarmsSerializer],
    resource_type_field_name=None,
)


def answered(alarms: Sequence[Alarm]) -> Response:
    return Response({"received": len(alarms), **asdict(take_in(alarms))})


class AlertmanagerView(APIView):
    """The webhook receiver for Prometheus Alertmanager, version 4."""

    scopes: ClassVar = {"write": "outages:write"}

    @extend_schema(request=AlertmanagerSerializer, responses=IntakeSerializer)
    @idempotent
    def post(self, request: Request) -> Response:
        """Alerts become outages, repeats are noted, and recoveries end them: all of a payload, or nothing."""
        body = AlertmanagerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answered(body.validated_data["alerts"])


class GenericView(APIView):
    """For every other monitoring system."""

    scopes: ClassVar = {"write": "outages:write"}

    @extend_schema(request=ONE_OR_MANY, responses=IntakeSerializer)
    @idempotent
    def post(self, request: Request) -> Response:
        """One alarm, or a list of them under `alerts`: all of a payload, or nothing."""
        if "alerts" in request.data:
            body = AlarmsSerializer(data=request.data)
            body.is_valid(raise_exception=True)
            return answered(body.validated_data["alerts"])
        alarm = AlarmSerializer(data=request.data)
        alarm.is_valid(raise_exception=True)
        return answered([alarm.validated_data])
