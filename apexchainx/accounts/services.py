"""Entering and leaving."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import update_last_login
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from apexchainx import context
from apexchainx.accounts.models import Role, User
from apexchainx.accounts.passwords import normalised
from apexchainx.errors import Conflict, Invalid, Refused, Unauthenticated
from audit.events import Event
from audit.log import record

# Checked where an address has no account, so that both answers cost the same.
NOBODY = make_password(None)
SELF_ASSIGNABLE = (Role.VIEWER, Role.ENGINEER)


@dataclass(frozen=True, slots=True)
class Session:
    access_token: str
    refresh_token: str
    user: User


def create_user(user: User, *, password: str, event: Event = Event.USER_CREATED) -> User:
    """A new account; the hash is computed before the transaction begins.

    Raises Invalid for a weak password and Conflict for an address that is taken.
    """
    user.email = User.normalize_username(user.email)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid("password", " ".join(error.messages)) from error
    user.password = make_password(normalised(password))
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            record(event, f"user:{user.pk}", email=user.email, role=user.role)
    except IntegrityError as error:
        raise Conflict("An account with this address exists.") from error
    return user


def register(
    *, email: str, password: str, full_name: str = "", role: str = "", by: User | None = None
) -> User:
    """Somebody signs up, as the registration mode allows. More than engineer takes an admin's token."""
    role = role or Role.ENGINEER
    is_admin = by is not None and "admin:full" in by.scopes
    if role not in SELF_ASSIGNABLE and not is_admin:
        raise Refused(f"Only an admin gives the role {role}.")
    if settings.REGISTRATION_MODE == "closed" and not is_admin:
        raise Refused("Registration is closed here. Ask an admin for an account.")
    is_active = is_admin or settings.REGISTRATION_MODE == "open"
    user = User(email=email, full_name=full_name, role=role, is_active=is_active)
    return create_user(user, password=password, event=Event.USER_REGISTERED)


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
    return session(user)


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
    return session(user)


@transaction.atomic
def logout(user: User) -> None:
    """Every token of the user is refused from now on."""
    User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)
    record(Event.LOGGED_OUT, f"user:{user.pk}")


def session(user: User) -> Session:
    token = RefreshToken.for_user(user)
    token["ver"] = user.token_version
    return Session(str(token.access_token), str(token), user)
