"""New accounts."""

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from apexchainx.accounts.models import Role, User
from apexchainx.accounts.passwords import normalised, refuse_weak
from apexchainx.errors import Conflict, Refused
from audit.events import Event
from audit.log import record

SELF_ASSIGNABLE = (Role.VIEWER, Role.ENGINEER)


def create_user(user: User, *, password: str, event: Event = Event.USER_CREATED) -> User:
    """A new account; the hash is computed before the transaction begins.

    Raises Invalid for a weak password and Conflict for an address that is taken.
    """
    user.email = User.normalize_username(user.email)
    refuse_weak(password, user)
    user.password = make_password(normalised(password))
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            record(event, f"user:{user.pk}", role=user.role)
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
