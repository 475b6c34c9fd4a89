"""Mail about accounts, and the tokens that it carries."""

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import send_mail
from django.utils.http import base36_to_int, int_to_base36

from apexchainx.accounts.models import User

RESET = """Somebody, perhaps you, has asked for a new password for {address}.

To choose one, open this address within {minutes} minutes; it works once:

{url}/reset-password?token={token}

A program sends the token to POST {prefix}/auth/password/reset/confirm:

{token}

If it was not you, do nothing: your password stays as it is.
"""
# Its tokens are signed over the password's hash, so that a new password makes them void.
GENERATOR = PasswordResetTokenGenerator()


def send_reset(user_id: int) -> None:
    """The mail with a fresh token; to nobody where no active user has this id."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    text = RESET.format(
        address=user.email,
        minutes=settings.PASSWORD_RESET_TIMEOUT // 60,
        url=settings.APP_BASE_URL,
        prefix=settings.API_V1_PREFIX,
        token=reset_token(user),
    )
    send_mail("A new password for ApexChainX", text, None, [user.email])


def reset_token(user: User) -> str:
    return f"{int_to_base36(user.pk)}.{GENERATOR.make_token(user)}"


def is_for(user: User, token: str) -> bool:
    """Whether the token is the user's, in time, and from before the last change of password."""
    return GENERATOR.check_token(user, token.partition(".")[2])


def holder_of(token: str) -> User | None:
    """The active user whose token this is."""
    try:
        user = User.objects.filter(pk=base36_to_int(token.partition(".")[0]), is_active=True).first()
    except ValueError:
        return None
    return user if user and is_for(user, token) else None
