"""Sessions over HTTP."""

from typing import ClassVar, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.accounts.models import User
from apexchainx.accounts.serializers.sessions import RefreshSerializer, SessionSerializer
from apexchainx.accounts.serializers.users import MessageSerializer, UserSerializer
from apexchainx.accounts.services import sessions
from apexchainx.api.scopes import ANY_USER, PUBLIC


def answer(session: sessions.Session) -> Response:
    return Response(
        {
            "access_token": session.access_token,
            "refresh_token": session.refresh_token,
            "token_type": "bearer",
            "expires_in": settings.ACCESS_TOKEN_SECONDS,
            "user": UserSerializer(session.user).data,
        }
    )


class RefreshView(APIView):
    """Exchange a refresh token for new tokens."""

    scopes: ClassVar = {"post": PUBLIC}
    authentication_classes = ()

    @extend_schema(request=RefreshSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        body = RefreshSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answer(sessions.refresh(body.validated_data["refresh_token"]))


class LogoutView(APIView):
    """End the caller's session: its tokens are refused from now on."""

    scopes: ClassVar = {"post": ANY_USER}

    @extend_schema(request=None, responses=MessageSerializer)
    def post(self, request: Request) -> Response:
        sessions.logout(cast("User", request.user))
        return Response({"message": "Logged out."})
