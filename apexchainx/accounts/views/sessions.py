"""Sessions over HTTP."""

from typing import ClassVar, cast

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.accounts.models import Session, User
from apexchainx.accounts.serializers.sessions import (
    EndedSerializer,
    RefreshSerializer,
    SessionSerializer,
    TokensSerializer,
)
from apexchainx.accounts.serializers.users import MessageSerializer, UserSerializer
from apexchainx.accounts.services import sessions
from apexchainx.accounts.services.sessions import Client, Tokens
from apexchainx.api import cookies
from apexchainx.api.client import address_of
from apexchainx.api.idempotency import idempotent
from apexchainx.api.scopes import ANY_USER, PUBLIC


def answer(tokens: Tokens, *, csrf: str = "") -> Response:
    """The tokens in the body, for programs, and as cookies, for browsers; `csrf` is the value to keep."""
    response = Response(
        {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "token_type": "bearer",
            "expires_in": settings.ACCESS_TOKEN_SECONDS,
            "user": UserSerializer(tokens.user).data,
        }
    )
    cookies.give(response, tokens, csrf=csrf)
    return response


def client_of(request: Request) -> Client:
    """Where the request comes from, for the list of sessions."""
    return Client(address_of(request), request.headers.get("User-Agent", "").replace("\x00", ""))


class RefreshView(APIView):
    """Exchange a refresh token for new tokens. It is good once: sent again, it ends its session."""

    rate: ClassVar = "auth"
    scopes: ClassVar = {"post": PUBLIC}
    authentication_classes = ()

    @extend_schema(request=RefreshSerializer, responses=TokensSerializer)
    def post(self, request: Request) -> Response:
        cookie = request.COOKIES.get(cookies.REFRESH, "")
        body = RefreshSerializer(data=request.data, context={"cookie": cookie})
        body.is_valid(raise_exception=True)
        token = body.validated_data.get("refresh_token")
        if token is None and not cookies.shows_its_origin(request):
            raise PermissionDenied(cookies.SHOW_ORIGIN)
        tokens = sessions.refresh(token or cookie, client=client_of(request))
        return answer(tokens, csrf=request.COOKIES.get(cookies.CSRF, ""))


class LogoutView(APIView):
    """End the caller's session: its tokens are refused from now on."""

    needs_second_factor = False
    impersonators_too: ClassVar = {"post"}
    scopes: ClassVar = {"post": ANY_USER}

    @extend_schema(request=None, responses=MessageSerializer)
    def post(self, request: Request) -> Response:
        if isinstance(request.auth, Session):
            sessions.logout(request.auth)
        response = Response({"message": "Logged out."})
        cookies.take_back(response)
        return response


class LogoutEverywhereView(APIView):
    """End every session of the caller, this one too."""

    needs_second_factor = False
    scopes: ClassVar = {"post": ANY_USER}

    @extend_schema(request=None, responses=EndedSerializer)
    def post(self, request: Request) -> Response:
        count = sessions.logout_everywhere(cast("User", request.user))
        response = Response({"message": "Logged out everywhere.", "sessions_invalidated": count})
        cookies.take_back(response)
        return response


class SessionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Session]):
    """The caller's own sessions, newest first; another's is not found."""

    serializer_class = SessionSerializer
    queryset = Session.objects.all()
    lookup_url_kwarg = "session_id"
    lookup_value_regex = "[^/]+"
    scopes: ClassVar = {"read": ANY_USER, "write": ANY_USER}

    def get_queryset(self) -> QuerySet[Session]:
        return cast("User", self.request.user).sessions.live(timezone.now())

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, session_id: str) -> Response:
        sessions.remove(cast("User", request.user), session_id)
        return Response(status=204)


class UserSessionsViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Session]):
    """The sessions of any user, for admins."""

    serializer_class = SessionSerializer
    queryset = Session.objects.all()
    scopes: ClassVar = {"read": "admin:full", "write": "admin:full"}

    def get_queryset(self) -> QuerySet[Session]:
        return self.of_user().sessions.live(timezone.now())

    def of_user(self) -> User:
        return get_object_or_404(User, pk=self.kwargs["user_id"])

    @extend_schema(request=None, responses=EndedSerializer)
    @idempotent
    def logout(self, _request: Request, **_: str) -> Response:
        count = sessions.end_sessions_of(self.of_user())
        return Response({"message": "The user is logged out.", "sessions_invalidated": count})
