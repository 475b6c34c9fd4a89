"""The door: in, and who is in."""

from typing import ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.accounts.models import User
from apexchainx.accounts.serializers.auth import LoginSerializer, RegisterSerializer
from apexchainx.accounts.serializers.sessions import SessionSerializer
from apexchainx.accounts.serializers.users import UserSerializer
from apexchainx.accounts.services.login import login
from apexchainx.accounts.services.users import register
from apexchainx.accounts.views.sessions import answer
from apexchainx.api.scopes import ANY_USER, PUBLIC


class LoginView(APIView):
    """Exchange an address and a password for tokens."""

    scopes: ClassVar = {"post": PUBLIC}
    authentication_classes = ()

    @extend_schema(request=LoginSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        body = LoginSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answer(login(email=body.validated_data["email"], password=body.validated_data["password"]))


class RegisterView(APIView):
    """Make an account."""

    scopes: ClassVar = {"post": PUBLIC}

    @extend_schema(request=RegisterSerializer, responses={201: UserSerializer})
    def post(self, request: Request) -> Response:
        body = RegisterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        by = request.user if isinstance(request.user, User) else None
        user = register(**body.validated_data, by=by)
        return Response(UserSerializer(user).data, status=201)


class MeView(APIView):
    """Who the caller is."""

    scopes: ClassVar = {"get": ANY_USER}

    @extend_schema(responses=UserSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(cast("User", request.user)).data)
