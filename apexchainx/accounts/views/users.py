"""The accounts of others, for admins."""

from typing import ClassVar, cast

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.accounts.filters import UserFilter
from apexchainx.accounts.models import User
from apexchainx.accounts.serializers.people import (
    ImpersonationSerializer,
    ImpersonationTokenSerializer,
    PersonSerializer,
    UserChangeSerializer,
)
from apexchainx.accounts.serializers.users import UserSerializer
from apexchainx.accounts.services import administration
from apexchainx.accounts.views.sessions import client_of
from apexchainx.api.idempotency import idempotent


class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[User]):
    """Everybody who has an account. Nobody is deleted: the log names people by id."""

    queryset = User.objects.all()
    serializer_class = PersonSerializer
    filterset_class = UserFilter
    lookup_url_kwarg = "user_id"
    lookup_value_regex = "[^/]+"
    scopes: ClassVar = {"read": "admin:full", "write": "admin:full"}
    people_only: ClassVar = {"impersonate"}

    @extend_schema(request=UserChangeSerializer, responses=PersonSerializer)
    def partial_update(self, request: Request, **_: str) -> Response:
        user = self.get_object()
        body = UserChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = administration.change_user(user.pk, **body.validated_data)
        return Response(PersonSerializer(changed).data)

    @extend_schema(request=ImpersonationSerializer, responses=ImpersonationTokenSerializer)
    @idempotent(shown_once="access_token")
    def impersonate(self, request: Request, **_: str) -> Response:
        """A token to act in the user's name for an hour; it is not renewed, and facts name the admin too."""
        user = self.get_object()
        body = ImpersonationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        admin = cast("User", request.user)
        tokens = administration.impersonate(
            user.pk, by=admin, reason=body.validated_data["reason"], client=client_of(request)
        )
        return Response(
            {
                "access_token": tokens.access_token,
                "token_type": "bearer",
                "expires_in": min(settings.ACCESS_TOKEN_SECONDS, administration.IMPERSONATION.seconds),
                "user": UserSerializer(tokens.user).data,
                "impersonator_id": str(admin.pk),
            }
        )
