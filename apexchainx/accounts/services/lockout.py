"""Counted attempts: each takes a place before anything is computed for it, and too many lock the account."""

from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from apexchainx.accounts.models import AttemptCounter, KnownClient, User
from apexchainx.errors import TooMany
from audit.events import Event
from audit.log import record

UNKNOWN = "user:unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A place taken in a counter; `is_last` where the counter is locked from here on."""

    key: str
    at: datetime
    is_last: bool


def at_the_door(email: str, *, address: str) -> Attempt:
    """Somebody tries to log in. Raises TooMany where the account is locked, whether or not there is one."""
    return take(door_key(email, address))


def inside(user: User) -> Attempt:
    """Somebody with the user's session shows a password or a code. Raises TooMany after too many failures."""
    return take(digest("inside", str(user.pk)))


@transaction.atomic
def take(key: str) -> Attempt:
    """A place in the counter. It counts as a failure until `give_back` or `succeeded` say otherwise."""
    now = timezone.now()
    AttemptCounter.objects.bulk_create(
        [AttemptCounter(key=key, touched_at=now)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["touched_at"],
    )
    counter = AttemptCounter.objects.get(key=key)  # The upsert holds the row's lock.
    refuse(counter, now)
    is_last = counter.take_place(now)
    counter.save(update_fields=("tried_at", "locked_until"))
    return Attempt(key, now, is_last)


@transaction.atomic
def give_back(attempt: Attempt) -> Attempt:
    """Neither a failure nor a success: the others count on. Answers the attempt as one that locks nothing."""
    counter = AttemptCounter.objects.select_for_update().get(key=attempt.key)
    if attempt.at in counter.tried_at:  # Otherwise it has started anew meanwhile.
        counter.tried_at.remove(attempt.at)
        counter.locked_until = None if attempt.is_last else counter.locked_until
        counter.save(update_fields=("tried_at", "locked_until"))
    return replace(attempt, is_last=False)


def succeeded(attempt: Attempt) -> None:
    """The counter starts anew."""
    empty([attempt.key])


def record_failure(attempt: Attempt, event: Event, user: User | None, *, reason: str) -> None:
    """The failure as a fact and, where it was one too many, the lock."""
    subject = f"user:{user.pk}" if user else UNKNOWN
    with transaction.atomic():
        record(event, subject, reason=reason)
        if attempt.is_last:
            record(Event.ACCOUNT_LOCKED, subject)


def remember_client(user: User, *, address: str, at: datetime) -> None:
    """The address is the user's own from now on."""
    if address:
        KnownClient.objects.bulk_create(
            [KnownClient(user=user, address=address, last_login_at=at)],
            update_conflicts=True,
            unique_fields=["user", "address"],
            update_fields=["last_login_at"],
        )


@transaction.atomic
def unlock(user: User) -> None:
    """The account is open again, for every client."""
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    forgive(held)
    record(Event.ACCOUNT_UNLOCKED, f"user:{held.pk}")


def forgive(user: User) -> None:
    """Every counter of the user starts anew."""
    empty(keys_of(user))


def refuse_locked(user: User, *, address: str) -> None:
    """Raises TooMany where a login of the user from this address would be refused. Takes no place."""
    now = timezone.now()
    counter = AttemptCounter.objects.filter(key=door_key(user.email, address)).first()
    if counter is not None:
        refuse(counter, now)


def locked_until(user: User) -> datetime | None:
    """Until when somebody who comes from an unknown address cannot log in as this user."""
    locked = AttemptCounter.objects.filter(key=digest("account", user.email), locked_until__gt=timezone.now())
    return locked.values_list("locked_until", flat=True).first()


def empty(keys: list[str]) -> None:
    AttemptCounter.objects.filter(key__in=keys).update(tried_at=[], locked_until=None)


def keys_of(user: User) -> list[str]:
    addresses = user.known_clients.values_list("address", flat=True)
    own = [digest("client", f"{user.email} {address}") for address in addresses]
    return [digest("account", user.email), digest("inside", str(user.pk)), *own]


def door_key(email: str, address: str) -> str:
    """A client that the user has used counts for itself: nobody elsewhere locks it out."""
    clients = KnownClient.objects.recent(timezone.now())
    if clients.filter(user__email=email, address=address).exists():
        return digest("client", f"{email} {address}")
    return digest("account", email)


def digest(kind: str, name: str) -> str:
    return salted_hmac(f"apexchainx.attempts.{kind}", name, algorithm="sha256").hexdigest()


def refuse(counter: AttemptCounter, now: datetime) -> None:
    if counter.locked_until is not None and counter.locked_until > now:
        seconds = ceil((counter.locked_until - now).total_seconds())
        raise TooMany(
            "Too many failed attempts. Try again later.", code="ACCOUNT_LOCKED", retry_after=seconds
        )
