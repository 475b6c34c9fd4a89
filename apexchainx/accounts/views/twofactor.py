"""The second factor over HTTP."""

from typing import ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.accounts.models import User
from apexchainx.accounts.serializers.twofactor import (
    BackupCodesSerializer,
    CodeSerializer,
    OptionalCodeSerializer,
    SetupSerializer,
    SuccessSerializer,
)
from apexchainx.accounts.services import twofactor
from apexchainx.api.scopes import ANY_USER


class SetupView(APIView):
    """Begin with a second factor: the secret for a device, as text and as a picture, and backup codes."""

    scopes: ClassVar = {"post": ANY_USER}
    needs_second_factor = False

    @extend_schema(request=None, responses=SetupSerializer)
    def post(self, request: Request) -> Response:
        setup = twofactor.start(cast("User", request.user))
        return Response(
            {"secret": setup.secret, "qrCodeUrl": setup.qr_code_url, "backupCodes": setup.backup_codes}
        )


class VerifyView(APIView):
    """Confirm the device with a code that it shows: from now on a login takes one."""

    scopes: ClassVar = {"post": ANY_USER}
    needs_second_factor = False

    @extend_schema(request=CodeSerializer, responses=SuccessSerializer)
    def post(self, request: Request) -> Response:
        body = CodeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        twofactor.confirm(cast("User", request.user), **body.validated_data)
        return Response({"success": True})


class DisableView(APIView):
    """Do without a second factor again."""

    scopes: ClassVar = {"post": ANY_USER}

    @extend_schema(request=CodeSerializer, responses=SuccessSerializer)
    def post(self, request: Request) -> Response:
        body = CodeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        twofactor.disable(cast("User", request.user), **body.validated_data)
        return Response({"success": True})


class BackupCodesView(APIView):
    """New backup codes; the old ones are void."""

    scopes: ClassVar = {"post": ANY_USER}

    @extend_schema(request=OptionalCodeSerializer, responses=BackupCodesSerializer)
    def post(self, request: Request) -> Response:
        body = OptionalCodeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        codes = twofactor.renew_codes(cast("User", request.user), **body.validated_data)
        return Response({"backupCodes": codes})
