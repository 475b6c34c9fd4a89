"""The way in: an address, a password and, where the account has one, a second factor."""

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import update_last_login
from django.db import transaction
from django.utils import timezone

from apexchainx import context
from apexchainx.accounts.models import User
from apexchainx.accounts.passwords import normalised
from apexchainx.accounts.services import lockout, twofactor
from apexchainx.accounts.services.lockout import Attempt
from apexchainx.accounts.services.sessions import NOWHERE, Client, Tokens, begin
from apexchainx.errors import DomainError, Refused, Unauthenticated
from audit.events import Event
from audit.log import record

# Checked where an address has no account, so that both answers cost the same.
NOBODY = make_password(None)
WRONG = "The address or the password is wrong."
SET_UP_SECOND_FACTOR = (
    "Admins need a second factor. Log in to the API, set one up at /auth/2fa/setup, and come back."
)


def login(*, email: str, password: str, code: str = "", client: Client = NOWHERE) -> Tokens:
    """Tokens for the right password and, where the account has a second factor, the right code."""
    user = authenticate(email=email, password=password, code=code, address=client.address)
    return begin(user, client=client)


def authenticate(
    *, email: str, password: str, code: str = "", address: str = "", is_for_staff: bool = False
) -> User:
    """The user who proves to be one. A wrong password and an unknown address answer alike.

    Raises TooMany, before anything is computed, where the account is locked; then Unauthenticated or Refused.
    """
    email = User.normalize_username(email)
    attempt = lockout.at_the_door(email, address=address)
    user = User.objects.filter(email=email).first()
    is_right = check_password(normalised(password), user.password if user else NOBODY)
    if user is None or not is_right:
        raise failed(attempt, user, "wrong_password", Unauthenticated(WRONG))
    if is_for_staff and not user.is_staff:
        raise failed(attempt, user, "not_staff", Unauthenticated(WRONG))
    obstacle = obstacle_of(user, code, is_for_staff=is_for_staff)
    if obstacle:
        raise failed(lockout.give_back(attempt), user, obstacle.code.lower(), obstacle)
    if user.second_factor_at and not twofactor.accept(user, code):
        raise failed(attempt, user, "wrong_code", Unauthenticated("The code is wrong.", code="WRONG_CODE"))
    admit(attempt, user, address=address)
    return user


def obstacle_of(user: User, code: str, *, is_for_staff: bool) -> DomainError | None:
    """What stands between the right password and the house; only who knows the password learns it."""
    if not user.is_active:
        return Refused("This account waits for an admin to activate it.", code="ACCOUNT_PENDING")
    if is_for_staff and user.lacks_second_factor:
        return Refused(SET_UP_SECOND_FACTOR, code="TWO_FACTOR_SETUP_REQUIRED")
    if user.second_factor_at and not code:
        return Unauthenticated("Send the code of your second factor too.", code="TWO_FACTOR_REQUIRED")
    return None


def failed(attempt: Attempt, user: User | None, reason: str, refusal: DomainError) -> DomainError:
    """The refusal to raise, now that the log has it."""
    lockout.record_failure(attempt, Event.LOGIN_FAILED, user, reason=reason)
    return refusal


def admit(attempt: Attempt, user: User, *, address: str) -> None:
    context.act_as(str(user.pk))
    with transaction.atomic():
        update_last_login(User, user)
        lockout.succeeded(attempt)
        lockout.remember_client(user, address=address, at=timezone.now())
        record(Event.LOGIN_SUCCEEDED, f"user:{user.pk}")
