"""API keys over HTTP."""

from typing import ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.accounts.models import ApiKey, ApiKeyQuerySet, User
from apexchainx.accounts.serializers.keys import (
    CreatedKeySerializer,
    KeysSerializer,
    NewKeySerializer,
)
from apexchainx.accounts.serializers.users import MessageSerializer
from apexchainx.accounts.services import keys
from apexchainx.accounts.services.keys import Service
from apexchainx.api.idempotency import idempotent


class ApiKeyViewSet(viewsets.GenericViewSet[ApiKey]):
    """The keys that the caller has made; another's are not found. A key makes no keys."""

    queryset = ApiKey.objects.all()
    pagination_class = None
    scopes: ClassVar = {"read": "admin:full", "write": "admin:full"}
    people_only: ClassVar = {"create"}

    def get_queryset(self) -> ApiKeyQuerySet:
        caller = cast("User | Service", self.request.user)
        return ApiKey.objects.made_by(caller.maker_id if isinstance(caller, Service) else caller.pk)

    @extend_schema(responses=KeysSerializer)
    def list(self, _request: Request) -> Response:
        return Response(KeysSerializer({"keys": self.get_queryset().select_related("created_by")}).data)

    @extend_schema(request=NewKeySerializer, responses={201: CreatedKeySerializer})
    @idempotent(shown_once="raw_key")
    def create(self, request: Request) -> Response:
        body = NewKeySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        new = keys.create_key(**body.validated_data, maker=cast("User", request.user))
        return Response(
            {
                "id": new.key.pk,
                "name": new.key.name,
                "raw_key": new.raw,
                "message": "Store this key securely. It will not be shown again.",
            },
            status=201,
        )

    @extend_schema(responses={200: MessageSerializer})
    def destroy(self, _request: Request, key_id: str) -> Response:
        keys.revoke(key_id, among=self.get_queryset())
        return Response({"message": "API key revoked successfully"})
