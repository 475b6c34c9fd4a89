"""Authentication over HTTP."""

from typing import ClassVar, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.accounts import services
from apexchainx.accounts.models import User
from apexchainx.accounts.serializers import (
    LoginSerializer,
    MessageSerializer,
    RefreshSerializer,
    RegisterSerializer,
    SessionSerializer,
    UserSerializer,
)
from apexchainx.api.scopes import ANY_USER, PUBLIC


def answer(session: services.Session) -> Response:
    return Response(
        {
            "access_token": session.access_token,
            "refresh_token": session.refresh_token,
            "token_type": "bearer",
            "expires_in": settings.ACCESS_TOKEN_SECONDS,
            "user": UserSerializer(session.user).data,
        }
    )


class LoginView(APIView):
    """Exchange an address and a password for tokens."""

    scopes: ClassVar = {"post": PUBLIC}
    authentication_classes = ()

    @extend_schema(request=LoginSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        body = LoginSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answer(
            services.login(email=body.validated_data["email"], password=body.validated_data["password"])
        )


class RegisterView(APIView):
    """Make an account."""

    scopes: ClassVar = {"post": PUBLIC}

    @extend_schema(request=RegisterSerializer, responses={201: UserSerializer})
    def post(self, request: Request) -> Response:
        body = RegisterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        by = request.user if isinstance(request.user, User) else None
        user = services.register(**body.validated_data, by=by)
        return Response(UserSerializer(user).data, status=201)


class RefreshView(APIView):
    """Exchange a refresh token for new tokens."""

    scopes: ClassVar = {"post": PUBLIC}
    authentication_classes = ()

    @extend_schema(request=RefreshSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        body = RefreshSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answer(services.refresh(body.validated_data["refresh_token"]))


class LogoutView(APIView):
    """End the caller's session: its tokens are refused from now on."""

    scopes: ClassVar = {"post": ANY_USER}

    @extend_schema(request=None, responses=MessageSerializer)
    def post(self, request: Request) -> Response:
        services.logout(cast("User", request.user))
        return Response({"message": "Logged out."})


class MeView(APIView):
    """Who the caller is."""

    scopes: ClassVar = {"get": ANY_USER}

    @extend_schema(responses=UserSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(cast("User", request.user)).data)
