"""Bearer tokens: simplejwt checks them, the token's version makes a logout count."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.tokens import Token

from apexchainx import context
from apexchainx.accounts.models import User


class BearerAuthentication(JWTAuthentication):
    """Who calls is who acts: the audit log learns it here."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:  # type: ignore[override]
        found = super().authenticate(request)
        if found is None:
            return None
        user, token = found
        if not isinstance(user, User) or token.get("ver") != user.token_version:
            raise InvalidToken("This session has ended. Log in again.")
        context.act_as(str(user.pk))
        return user, token


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
