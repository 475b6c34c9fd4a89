"""New passwords over HTTP."""

from typing import ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.accounts.models import User
from apexchainx.accounts.serializers.auth import (
    PasswordChangeSerializer,
    PasswordResetConfirmSerializer,
    PasswordResetSerializer,
)
from apexchainx.accounts.serializers.sessions import TokensSerializer
from apexchainx.accounts.serializers.users import MessageSerializer
from apexchainx.accounts.services import passwords
from apexchainx.accounts.views.sessions import answer, client_of
from apexchainx.api.scopes import ANY_USER, PUBLIC


class PasswordChangeView(APIView):
    """Choose a new password. Every session ends; the answer holds the tokens of a new one."""

    rate: ClassVar = "auth"
    scopes: ClassVar = {"post": ANY_USER}

    @extend_schema(request=PasswordChangeSerializer, responses=TokensSerializer)
    def post(self, request: Request) -> Response:
        body = PasswordChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        tokens = passwords.change(
            cast("User", request.user),
            current=body.validated_data["current_password"],
            new=body.validated_data["new_password"],
            client=client_of(request),
        )
        return answer(tokens)


class PasswordResetView(APIView):
    """Ask for mail with a token for a new password. The answer is the same for every address."""

    rate: ClassVar = "auth"
    scopes: ClassVar = {"post": PUBLIC}
    authentication_classes = ()

    @extend_schema(request=PasswordResetSerializer, responses={202: MessageSerializer})
    def post(self, request: Request) -> Response:
        body = PasswordResetSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        passwords.ask_for_reset(body.validated_data["email"])
        message = "If an account has this address, mail is on its way."
        return Response({"message": message}, status=202)


class PasswordResetConfirmView(APIView):
    """Choose a new password with the token from the mail. Every session ends; log in again."""

    rate: ClassVar = "auth"
    scopes: ClassVar = {"post": PUBLIC}
    authentication_classes = ()

    @extend_schema(request=PasswordResetConfirmSerializer, responses=MessageSerializer)
    def post(self, request: Request) -> Response:
        body = PasswordResetConfirmSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        passwords.reset(body.validated_data["token"], new=body.validated_data["new_password"])
        return Response({"message": "The password has changed. Log in with the new one."})
