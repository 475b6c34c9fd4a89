"""Programs call with a key."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.request import Request

from apexchainx import context
from apexchainx.accounts.services.keys import Service, service_of

HEADER = "X-Api-Key"


class ApiKeyAuthentication(BaseAuthentication):
    """`X-Api-Key`; whoever sends one means neither a token nor the cookies."""

    def authenticate(self, request: Request) -> tuple[Service, None] | None:
        if HEADER not in request.headers:
            return None
        if "Authorization" in request.headers:
            raise ParseError(f"Send Authorization or {HEADER}, not both.")
        service = service_of(request.headers[HEADER])
        if service is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        context.act_as(service.pk)
        return service, None

    def authenticate_header(self, request: Request) -> str:
        return HEADER


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": HEADER}
