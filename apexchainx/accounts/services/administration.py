"""What admins do with the accounts of others."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from apexchainx import context
from apexchainx.accounts.models import FULL, SCOPES, Role, User
from apexchainx.accounts.services.sessions import NOWHERE, Client, Tokens, begin
from apexchainx.errors import Conflict, Invalid, NotFound, Refused
from audit.events import Event
from audit.log import record

# What a user may do; a change of it takes a reason.
ACCESS = ("role", "is_active")
# How long an admin may act in another's name before asking again.
IMPERSONATION = timedelta(hours=1)


@transaction.atomic
def change_user(
    user_id: int,
    *,
    role: str | None = None,
    is_active: bool | None = None,
    full_name: str | None = None,
    reason: str = "",
) -> User:
    """Nobody changes their own access, and the last active admin stays one.

    Raises NotFound, Invalid without a reason, Refused for oneself and Conflict for the last admin. A change
    of access ends the user's sessions: the database sees to it.
    """
    held, other_admins = lock_with_admins(user_id)
    wanted = {"role": role, "is_active": is_active, "full_name": full_name}
    changes = {
        name: value for name, value in wanted.items() if value is not None and value != getattr(held, name)
    }
    if not changes:
        return held
    refuse_change(held, changes, reason, other_admins)
    access = {name: [getattr(held, name), changes[name]] for name in ACCESS if name in changes}
    for name, value in changes.items():
        setattr(held, name, value)
    held.is_superuser = held.role == Role.ADMIN
    held.save(update_fields=(*changes, "is_superuser"))
    record(Event.USER_CHANGED, f"user:{held.pk}", changed=sorted(changes), changes=access, reason=reason)
    return held


def lock_with_admins(user_id: int) -> tuple[User, list[User]]:
    """The user and all other active admins, as they stand until the transaction ends."""
    is_admin = Q(role=Role.ADMIN, is_active=True)
    people = User.objects.select_for_update(no_key=True).filter(Q(pk=user_id) | is_admin).order_by("pk")
    by_id = {person.pk: person for person in people}
    held = by_id.pop(user_id, None)
    if held is None:
        raise NotFound("There is no such user.")
    return held, list(by_id.values())


def refuse_change(held: User, changes: Mapping[str, Any], reason: str, other_admins: list[User]) -> None:
    if changes.keys().isdisjoint(ACCESS):
        return
    if not reason:
        raise Invalid("reason", "Say why.")
    if str(held.pk) == context.current().actor:
        raise Refused("Nobody changes their own role or activity. Ask another admin.")
    after = (changes.get("role", held.role), changes.get("is_active", held.is_active))
    if after != (Role.ADMIN, True):
        refuse_without_admin(held, other_admins)


def refuse_without_admin(held: User, other_admins: list[User]) -> None:
    if held.is_active and held.role == Role.ADMIN and not other_admins:
        raise Conflict("This is the last active admin. Make another one first.")


@transaction.atomic
def impersonate(user_id: int, *, by: User, reason: str, client: Client = NOWHERE) -> Tokens:
    """A session of the user's, for an hour, in which every fact also names the admin who acts.

    Raises Refused for oneself and for another admin, and Conflict for an account that is not active.
    """
    people = User.objects.select_for_update(no_key=True).filter(pk__in=(user_id, by.pk)).order_by("pk")
    by_id = {person.pk: person for person in people}
    if user_id not in by_id:
        raise NotFound("There is no such user.")
    user, admin = by_id[user_id], by_id[by.pk]
    if FULL in SCOPES[user.role] or not admin.is_active or FULL not in admin.scopes:
        raise Refused("An admin acts in the name of somebody who is no admin.")
    if not user.is_active:
        raise Conflict("This account is not active.")
    tokens = begin(user, client=client, impersonator=admin, lifetime=IMPERSONATION)
    record(Event.USER_IMPERSONATED, f"user:{user.pk}", reason=reason, session_id=tokens.session.pk)
    return tokens
