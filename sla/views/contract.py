"""The SLA contract over HTTP: how it stands, and orders to it, which the signer carries to the network."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apexchainx.api.idempotency import idempotent
from apexchainx.jobs.serializers import JobSerializer
from payments.services import governance
from sla.serializers.contract import (
    ConfirmationSerializer,
    ContractSerializer,
    NewAdminSerializer,
    NewOperatorSerializer,
)
from sla.services import contract


class ContractView(APIView):
    """How the contract stands: its health, its roles, and its terms beside our policies in force."""

    scopes: ClassVar = {"read": "admin:full"}

    @extend_schema(responses=ContractSerializer)
    def get(self, _request: Request) -> Response:
        governance.refuse_unconfigured()
        return Response(ContractSerializer(contract.report()).data)


class OrderView(APIView):
    """The answer is the job; once it has succeeded its result holds the hash of the transaction."""

    scopes: ClassVar = {"write": "admin:full"}


def ordered(function: str, address: str = "") -> Response:
    return Response(JobSerializer(governance.order(function, address)).data, status=202)


def stated(body: type[Any], request: Request) -> dict[str, Any]:
    found = body(data=request.data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


class ProposeAdminView(OrderView):
    @extend_schema(request=NewAdminSerializer, responses={202: JobSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Propose another admin of the contract, who becomes it by accepting."""
        return ordered("propose_admin", stated(NewAdminSerializer, request)["new_admin"])


class AcceptAdminView(OrderView):
    @extend_schema(request=None, responses={202: JobSerializer})
    @idempotent
    def post(self, _request: Request) -> Response:
        """Accept the role of admin, by the key that the signer has for it."""
        return ordered("accept_admin")


class CancelAdminProposalView(OrderView):
    @extend_schema(request=None, responses={202: JobSerializer})
    @idempotent
    def post(self, _request: Request) -> Response:
        """Take back the proposal of another admin."""
        return ordered("cancel_admin_proposal")


class RenounceAdminView(OrderView):
    @extend_schema(request=ConfirmationSerializer, responses={202: JobSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Give the role of admin up. After this anybody may initialise the contract anew."""
        stated(ConfirmationSerializer, request)
        return ordered("renounce_admin")


class ProposeOperatorView(OrderView):
    @extend_schema(request=NewOperatorSerializer, responses={202: JobSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Propose another operator of the contract, who becomes it by accepting."""
        return ordered("propose_operator", stated(NewOperatorSerializer, request)["new_operator"])


class AcceptOperatorView(OrderView):
    @extend_schema(request=None, responses={202: JobSerializer})
    @idempotent
    def post(self, _request: Request) -> Response:
        """Accept the role of operator, by the key that the signer has for it."""
        return ordered("accept_operator")
