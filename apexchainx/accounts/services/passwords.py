"""A new password: by whoever knows the old one, or by whoever reads the account's mail."""

from functools import partial

from django.contrib.auth.hashers import check_password
from django.db import transaction

from apexchainx import context
from apexchainx.accounts import mail, tasks
from apexchainx.accounts.models import User
from apexchainx.accounts.passwords import normalised, refuse_weak
from apexchainx.accounts.services import lockout
from apexchainx.accounts.services.sessions import NOWHERE, Client, Tokens, begin
from apexchainx.errors import Conflict, Invalid
from audit.events import Event
from audit.log import record

NO_TOKEN = "The token is not valid, was used, or is too old. Ask for a new one."  # noqa: S105


def change(user: User, *, current: str, new: str, client: Client = NOWHERE) -> Tokens:
    """A new password instead of the current one. Every session ends; the answer is a new one.

    Raises Invalid for a wrong or a weak password, and TooMany after too many wrong ones.
    """
    attempt = lockout.inside(user)
    if not check_password(normalised(current), user.password):
        lockout.record_failure(attempt, Event.PROOF_FAILED, user, reason="wrong_password")
        raise Invalid("current_password", "The current password is wrong.")
    lockout.succeeded(attempt)
    seen = user.password
    hash_new(user, new)
    with transaction.atomic():
        held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if held.password != seen:
            raise Conflict("The password has changed meanwhile.")
        user.save(update_fields=("password",))
        return begin(user, client=client)


@transaction.atomic
def ask_for_reset(email: str) -> None:
    """Mail with a token for the address, if an account has it. Nothing here takes longer if one has."""
    user = User.objects.filter(email=User.normalize_username(email)).first()
    record(Event.PASSWORD_RESET_ASKED, f"user:{user.pk}" if user else lockout.UNKNOWN)
    send = partial(tasks.send_password_reset.delay, user.pk if user else 0)
    transaction.on_commit(send, robust=True)


def reset(token: str, *, new: str) -> None:
    """A new password for whoever holds a token from our mail. Every session ends, and a lock does too."""
    user = mail.holder_of(token)
    if user is None:
        raise Invalid("token", NO_TOKEN)
    context.act_as(str(user.pk))
    hash_new(user, new)
    with transaction.atomic():
        held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not mail.is_for(held, token):
            raise Invalid("token", NO_TOKEN)
        user.save(update_fields=("password",))
        lockout.forgive(user)
        record(Event.PASSWORD_RESET, f"user:{user.pk}")


def hash_new(user: User, password: str) -> None:
    """Raises Invalid for a weak one. Saving is the caller's: a hash takes too long for a transaction."""
    refuse_weak(password, user, field="new_password")
    user.set_password(password)
