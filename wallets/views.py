"""Owners and wallets over HTTP."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apexchainx.api.idempotency import idempotent
from wallets import services
from wallets.filters import WalletFilter
from wallets.models import Owner, Wallet
from wallets.serializers import (
    BalanceSerializer,
    FreshnessSerializer,
    NewOwnerSerializer,
    OwnerSerializer,
    RegistrationSerializer,
    WalletSerializer,
)


class OwnerViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Owner]):
    """Those whom outages and payments name."""

    queryset = Owner.objects.all()
    serializer_class = OwnerSerializer
    scopes: ClassVar = {"read": "wallets:read", "create": "payments:approve"}

    @extend_schema(request=NewOwnerSerializer, responses={201: OwnerSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        body = NewOwnerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        owner = services.create_owner(**body.validated_data)
        return Response(OwnerSerializer(owner).data, status=201)


class WalletViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Wallet]):
    """One address for each owner, and what the ledger says of it."""

    queryset = Wallet.objects.select_related("owner")
    serializer_class = WalletSerializer
    filterset_class = WalletFilter
    lookup_field = "owner__key"
    lookup_url_kwarg = "owner"
    scopes: ClassVar = {"read": "wallets:read", "write": "wallets:write", "approve": "payments:approve"}

    @extend_schema(request=RegistrationSerializer, responses={201: WalletSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        body = RegistrationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wallet = services.register(body.validated_data["entity_id"], address=body.validated_data["address"])
        return Response(WalletSerializer(wallet).data, status=201)

    @extend_schema(parameters=[FreshnessSerializer], responses=WalletSerializer)
    def retrieve(self, request: Request, owner: str) -> Response:
        seen = services.wallet_of(owner, refresh=wants_refresh(request))
        return Response({**WalletSerializer(seen.wallet).data, "cache_status": seen.cache_status})

    @extend_schema(parameters=[FreshnessSerializer], responses=BalanceSerializer)
    @action(detail=False, url_path="(?P<address>[^/]+)/balance")
    def balance(self, request: Request, address: str) -> Response:
        return Response(BalanceSerializer(services.balance(address, refresh=wants_refresh(request))).data)

    @extend_schema(request=None, responses=WalletSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def approve(self, _request: Request, owner: str) -> Response:
        """Let money go to this wallet; whoever registered it cannot."""
        return Response(WalletSerializer(services.approve(owner)).data)


def wants_refresh(request: Request) -> bool:
    query = FreshnessSerializer(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    return bool(query.validated_data["refresh"])
