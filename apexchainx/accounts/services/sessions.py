"""Sessions: begun by a login, kept alive by refreshing, ended at once."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from apexchainx import context
from apexchainx.accounts.models import User
from apexchainx.errors import Unauthenticated
from audit.events import Event
from audit.log import record


@dataclass(frozen=True, slots=True)
class Session:
    access_token: str
    refresh_token: str
    user: User


def refresh(token: str) -> Session:
    """New tokens for a refresh token that is valid and whose session has not ended."""
    try:
        claims = RefreshToken(token)  # type: ignore[arg-type]
    except TokenError as error:
        raise Unauthenticated("The refresh token is not valid. Log in again.") from error
    user = User.objects.filter(pk=claims.get("sub"), is_active=True, token_version=claims.get("ver")).first()
    if user is None:
        raise Unauthenticated("This session has ended. Log in again.")
    context.act_as(str(user.pk))
    with transaction.atomic():
        record(Event.TOKEN_REFRESHED, f"user:{user.pk}")
    return begin(user)


@transaction.atomic
def logout(user: User) -> None:
    """Every token of the user is refused from now on."""
    User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)
    record(Event.LOGGED_OUT, f"user:{user.pk}")


def begin(user: User) -> Session:
    token = RefreshToken.for_user(user)
    token["ver"] = user.token_version
    return Session(str(token.access_token), str(token), user)
