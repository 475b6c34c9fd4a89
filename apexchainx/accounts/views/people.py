"""One's own account over HTTP: profile, preferences, export and erasure."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, cast

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.accounts.models import User
from apexchainx.accounts.serializers.people import (
    AccountSerializer,
    ErasureSerializer,
    ExportSerializer,
    ProfileSerializer,
)
from apexchainx.accounts.serializers.users import MessageSerializer, UserSerializer
from apexchainx.accounts.services import people
from apexchainx.accounts.views.auth import MeView
from apexchainx.api import cookies
from apexchainx.api.renderers import encode
from apexchainx.api.scopes import ANY_USER
from audit.models import AuditEvent
from audit.serializers import AuditEventSerializer


class AccountView(MeView):
    """Who the caller is, and the end of that."""

    scopes: ClassVar = {"read": ANY_USER, "write": ANY_USER}
    delete_body: ClassVar = ErasureSerializer

    @extend_schema(responses={200: MessageSerializer})
    def delete(self, request: Request) -> Response:
        """Forget the caller: what is personal is erased, the account is closed, the log stays as it is."""
        body = ErasureSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        people.erase(cast("User", request.user), password=body.validated_data["password"])
        response = Response({"message": "The account is erased."})
        cookies.take_back(response)
        return response


class ProfileView(APIView):
    """What the caller says about themselves."""

    scopes: ClassVar = {"patch": ANY_USER}

    @extend_schema(request=ProfileSerializer, responses=UserSerializer)
    def patch(self, request: Request) -> Response:
        body = ProfileSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = people.change_profile(cast("User", request.user), **body.validated_data)
        return Response(UserSerializer(user).data)


class PreferencesView(APIView):
    """An object of the client's own making, for each user one."""

    rate: ClassVar = "none"
    scopes: ClassVar = {"read": ANY_USER, "write": ANY_USER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return Response(people.preferences_of(cast("User", request.user)))

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def put(self, request: Request) -> Response:
        value = cast("dict[str, Any]", request.data)
        return Response(people.save_preferences(cast("User", request.user), value))


class ExportView(APIView):
    """All that is kept about the caller, with every fact that they stated or that was stated about them."""

    scopes: ClassVar = {"get": ANY_USER}

    @extend_schema(responses=ExportSerializer)
    def get(self, request: Request) -> StreamingHttpResponse:
        user = cast("User", request.user)
        context = {"request": request, "preferences": people.preferences_of(user)}
        account = AccountSerializer(user, context=context).data
        return StreamingHttpResponse(
            written(account, people.facts_about(user).iterator(chunk_size=500)),
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="account.json"'},
        )


def written(account: dict[str, Any], events: Iterable[AuditEvent]) -> Iterator[bytes]:
    """One JSON object, whose events are as many as there are and so are never held all at once."""
    yield encode(account)[:-1] + b',"events":['
    for number, event in enumerate(events):
        yield (b"," if number else b"") + encode(AuditEventSerializer(event).data)
    yield b"]}"
