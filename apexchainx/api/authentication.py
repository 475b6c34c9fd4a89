"""Who calls: by bearer token, or by the cookies of a browser's session."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from apexchainx.accounts.models import Session, User
from apexchainx.accounts.services import sessions
from apexchainx.api import cookies


class BearerAuthentication(TokenAuthentication):
    """`Authorization: Bearer` with an access token of a live session."""

    keyword = "Bearer"

    def authenticate_credentials(self, key: str) -> tuple[User, Session]:
        session = self.find(key)
        if session is None:
            raise AuthenticationFailed("The token is not valid, or its session has ended. Log in again.")
        return enter(session)

    def find(self, token: str) -> Session | None:
        return sessions.of_access_token(token)


class CookieAuthentication(BaseAuthentication):
    """The access cookie or, when that is over, the refresh cookie; without a live session it is nobody.

    An Authorization header goes first: whoever sends one does not mean the cookies.
    """

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        if "Authorization" in request.headers:
            return None
        access, renewal = tokens_of(request)
        by_access = sessions.of_access_token(access)
        session = by_access or sessions.of_refresh_token(renewal)
        if session is None:
            return None
        if not cookies.shows_its_origin(request):
            raise PermissionDenied(cookies.SHOW_ORIGIN)
        if by_access is None:
            request.META[cookies.RENEWED] = sessions.renew(session)
        return enter(session)


class AnyBearerAuthentication(BearerAuthentication):
    """For whoever asks how a session stands: it may be over."""

    def find(self, token: str) -> Session | None:
        return sessions.of_any_token(token, "")


class AnyCookieAuthentication(CookieAuthentication):
    """The same by cookie, for what only reads. Asking is no use: it renews nothing."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        if "Authorization" in request.headers:
            return None
        session = sessions.of_any_token(*tokens_of(request))
        return enter(session) if session else None


def tokens_of(request: Request) -> tuple[str, str]:
    return request.COOKIES.get(cookies.ACCESS, ""), request.COOKIES.get(cookies.REFRESH, "")


def enter(session: Session) -> tuple[User, Session]:
    """Who calls is who acts: the audit log learns it here."""
    sessions.act_as_holder(session)
    return session.user, session


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class CookieScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = CookieAuthentication
    name = "cookie"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": cookies.ACCESS,
            "description": (
                "Set by login and refresh. What changes state also sends X-CSRF-Token with the value of the "
                "cookie apex_csrf, or comes with an Origin that is ours or allowed."
            ),
        }
