"""What people do with their own account: profile, preferences, and the end of it."""

import json
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Q, QuerySet

from apexchainx.accounts.models import Preferences, Role, User
from apexchainx.accounts.passwords import normalised
from apexchainx.accounts.services import lockout, twofactor
from apexchainx.accounts.services.administration import lock_with_admins, refuse_without_admin
from apexchainx.errors import Conflict, Invalid
from apexchainx.stellar.keys import is_address, looks_like_secret
from audit.events import Event
from audit.log import record
from audit.models import AuditEvent

MOST_PREFERENCES = 64 * 1024
LARGEST_NUMBER = 2**63 - 1
ERASED_FIELDS = (
    *("email", "full_name", "stellar_wallet", "password", "last_login", "second_factor_at"),
    *("role", "is_active", "is_staff", "is_superuser"),
)


@transaction.atomic
def change_profile(user: User, *, full_name: str | None = None, stellar_wallet: str | None = None) -> User:
    """Raises Invalid where the wallet is no address, and where anything looks like a secret key."""
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    given = {"full_name": full_name, "stellar_wallet": stellar_wallet}
    changes = {name: text for name, text in given.items() if text not in {None, getattr(held, name)}}
    refuse_profile(changes)
    if not changes:
        return held
    for name, text in changes.items():
        setattr(held, name, text)
    held.save(update_fields=tuple(changes))
    record(Event.USER_CHANGED, f"user:{held.pk}", changed=sorted(changes))
    return held


def refuse_profile(changes: Mapping[str, str | None]) -> None:
    for name, text in changes.items():
        if looks_like_secret(text or ""):
            raise Invalid(name, "This looks like a secret key. Keep it to yourself; it was not stored.")
    wallet = changes.get("stellar_wallet")
    if wallet and not is_address(wallet):
        raise Invalid("stellar_wallet", "This is not an address of the ledger.")


@transaction.atomic
def save_preferences(user: User, value: Mapping[str, Any]) -> dict[str, Any]:
    """An object instead of the one before. Raises Invalid where it, or a number in it, is too large."""
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    kept: dict[str, Any] = storable(value)
    if len(json.dumps(kept, ensure_ascii=False).encode()) > MOST_PREFERENCES:
        raise Invalid("preferences", f"At most {MOST_PREFERENCES} bytes are kept.")
    if preferences_of(held) == kept:
        return kept
    Preferences.objects.update_or_create(user=held, defaults={"value": kept})
    record(Event.PREFERENCES_CHANGED, f"user:{held.pk}")
    return kept


def preferences_of(user: User) -> dict[str, Any]:
    found = Preferences.objects.filter(user=user).first()
    return found.value if found else {}


def facts_about(user: User) -> QuerySet[AuditEvent]:
    """What the user stated, and what was stated about them, in the order it was recorded."""
    return AuditEvent.objects.filter(Q(actor=str(user.pk)) | Q(subject=f"user:{user.pk}")).order_by("id")


def storable(value: Any) -> Any:
    """JSON whose numbers come back as they went in: integers of 64 bits, fractions as browsers count."""
    if isinstance(value, Mapping):
        return {name: storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, (int, Decimal)) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise Invalid("preferences", f"Numbers go up to {LARGEST_NUMBER}.")
    return float(value) if isinstance(value, Decimal) else value


def erase(user: User, *, password: str) -> None:
    """The person is forgotten; the row and the log stay, which name them by id.

    Raises Invalid for a wrong password, TooMany after too many, and Conflict for the last active admin.
    """
    attempt = lockout.inside(user)
    if not check_password(normalised(password), user.password):
        lockout.record_failure(attempt, Event.PROOF_FAILED, user, reason="wrong_password")
        raise Invalid("password", "The password is wrong.")
    lockout.succeeded(attempt)
    forget(user)


@transaction.atomic
def forget(user: User) -> None:
    """The database ends the sessions, as it does for everybody who is deactivated."""
    held, other_admins = lock_with_admins(user.pk)
    if held.password != user.password:
        raise Conflict("The password has changed meanwhile.")
    refuse_without_admin(held, other_admins)
    held.email = f"{uuid.uuid4()}@erased.invalid"
    held.full_name = held.stellar_wallet = ""
    held.password, held.last_login, held.second_factor_at = make_password(None), None, None
    held.role, held.is_active, held.is_staff, held.is_superuser = Role.VIEWER, False, False, False
    held.save(update_fields=ERASED_FIELDS)
    held.sessions.update(address="", user_agent="")
    held.known_clients.all().delete()
    twofactor.clear(held)
    Preferences.objects.filter(user=held).delete()
    record(Event.USER_ERASED, f"user:{held.pk}")
