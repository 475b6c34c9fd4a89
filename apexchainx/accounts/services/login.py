"""The way in: an address and a password."""

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import update_last_login
from django.db import transaction

from apexchainx import context
from apexchainx.accounts.models import User
from apexchainx.accounts.passwords import normalised
from apexchainx.accounts.services.sessions import Session, begin
from apexchainx.errors import Refused, Unauthenticated
from audit.events import Event
from audit.log import record

# Checked where an address has no account, so that both answers cost the same.
NOBODY = make_password(None)


def login(*, email: str, password: str) -> Session:
    """Tokens for the right password. A wrong one and an unknown address answer alike."""
    user = User.objects.filter(email=User.normalize_username(email)).first()
    right = check_password(normalised(password), user.password if user else NOBODY)
    if user is None or not right or not user.is_active:
        reason = "account_pending" if right else "wrong_password"
        with transaction.atomic():
            record(Event.LOGIN_FAILED, f"user:{user.pk}" if user else "user:unknown", reason=reason)
        if right:
            raise Refused("This account waits for an admin to activate it.", code="ACCOUNT_PENDING")
        raise Unauthenticated("The address or the password is wrong.")
    context.act_as(str(user.pk))
    with transaction.atomic():
        update_last_login(User, user)
        record(Event.LOGIN_SUCCEEDED, f"user:{user.pk}")
    return begin(user)
