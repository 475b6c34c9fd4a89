"""The door: in, and who is in."""

from typing import ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.accounts.models import User
from apexchainx.accounts.serializers.auth import LoginSerializer, RegisterSerializer
from apexchainx.accounts.serializers.sessions import TokensSerializer
from apexchainx.accounts.serializers.users import MessageSerializer, UserSerializer
from apexchainx.accounts.services.lockout import unlock
from apexchainx.accounts.services.login import login
from apexchainx.accounts.services.users import register
from apexchainx.accounts.views.sessions import answer, client_of
from apexchainx.api.idempotency import idempotent
from apexchainx.api.scopes import ANY_USER, PUBLIC


class LoginView(APIView):
    """Exchange an address and a password, and the code of a second factor where there is one, for tokens."""

    rate: ClassVar = "auth"
    scopes: ClassVar = {"post": PUBLIC}
    authentication_classes = ()

    @extend_schema(request=LoginSerializer, responses=TokensSerializer)
    def post(self, request: Request) -> Response:
        body = LoginSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return answer(login(**body.validated_data, client=client_of(request)))


class RegisterView(APIView):
    """Make an account."""

    rate: ClassVar = "auth"
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

    needs_second_factor = False
    rate: ClassVar = "none"
    scopes: ClassVar = {"get": ANY_USER}

    @extend_schema(responses=UserSerializer)
    def get(self, request: Request) -> Response:
        return Response(UserSerializer(cast("User", request.user)).data)


class UnlockView(APIView):
    """Open an account again that failed attempts have locked."""

    scopes: ClassVar = {"post": "admin:full"}

    @extend_schema(request=None, responses=MessageSerializer)
    @idempotent
    def post(self, _request: Request, user_id: str) -> Response:
        unlock(get_object_or_404(User, pk=user_id))
        return Response({"message": "The account is unlocked."})
