"""API keys: made and shown once, recognised, revoked."""

import hashlib
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apexchainx.accounts.models import EVERY_SCOPE, FULL, PREFIX_LENGTH, ApiKey, ApiKeyQuerySet, User
from apexchainx.errors import Conflict, Invalid, NotFound, Refused
from audit.events import Event
from audit.log import record

FORM = re.compile(r"ak_[A-Za-z0-9_-]{43}")
# Who holds these without being an admin may use them, but puts no program in their place.
GIVEN_BY_ADMINS = frozenset({"payments:approve", "disputes:rule", "policy:write"})
# Within this of the last use, a use is not written down.
SAME_USE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Service:
    """A program that calls with a key: to views and permissions what a user is, but no person."""

    key_id: uuid.UUID
    scopes: frozenset[str]
    maker_id: int | None
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def pk(self) -> str:
        """What the audit log calls it."""
        return f"service:{self.key_id}"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key, and the one moment at which it can be read."""

    key: ApiKey
    raw: str = field(repr=False)


def service_of(raw: str) -> Service | None:
    """Who calls with this key, or nobody where it is unknown, revoked or expired: one query."""
    if not FORM.fullmatch(raw):
        return None
    now = timezone.now()
    key = ApiKey.objects.live(now).select_related("created_by").filter(digest=digest(raw)).first()
    if key is None:
        return None
    if key.last_used_at is None or key.last_used_at <= now - SAME_USE:
        touch(key, now)
    return Service(key.pk, key.effective_scopes, key.created_by_id)


def touch(key: ApiKey, now: datetime) -> None:
    """The key is in use. Of several that say so at once, one writes it."""
    before = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - SAME_USE)
    ApiKey.objects.filter(before, pk=key.pk).update(last_used_at=now)


@transaction.atomic
def create_key(
    *,
    name: str = "",
    scopes: Iterable[str] = (),
    expires_at: datetime | None = None,
    maker: User | None = None,
) -> NewKey:
    """A new key. Without a maker it is made on the command line, where everything may be given.

    Raises Invalid for a scope that does not exist and for an end in the past, and Refused for a scope that is
    not the maker's to give.
    """
    maker = maker and User.objects.select_for_update(no_key=True).get(pk=maker.pk)
    wanted = frozenset(scopes)
    check(wanted, expires_at)
    if maker:
        refuse_to_give(wanted, maker)
    raw = f"ak_{secrets.token_urlsafe(32)}"
    key = ApiKey(
        name=name,
        prefix=raw[:PREFIX_LENGTH],
        digest=digest(raw),
        scopes=sorted(wanted),
        expires_at=expires_at,
        created_by=maker,
    )
    key.save(force_insert=True)
    record(Event.API_KEY_CREATED, key.subject, name=name, scopes=key.scopes, expires_at=expires_at)
    return NewKey(key, raw)


def check(scopes: frozenset[str], expires_at: datetime | None) -> None:
    unknown = sorted(scopes - EVERY_SCOPE)
    if unknown:
        raise Invalid("scopes", f"There is no scope {unknown[0]}.", allowed_values=sorted(EVERY_SCOPE))
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("expires_at", "A key ends in the future.")


def refuse_to_give(scopes: frozenset[str], maker: User) -> None:
    missing = sorted(scopes - maker.scopes)
    if missing:
        raise Refused(f"You do not hold {missing[0]}, so you cannot give it.")
    reserved = sorted(scopes & GIVEN_BY_ADMINS)
    if reserved and FULL not in maker.scopes:
        raise Refused(f"Only an admin gives {reserved[0]} to a key.")


@transaction.atomic
def revoke(key_id: str | uuid.UUID, *, among: ApiKeyQuerySet) -> ApiKey:
    """The key is refused from now on.

    Raises NotFound for one that is not among these, and Conflict where it is revoked already.
    """
    known = identified(key_id)
    key = among.select_for_update(of=("self",)).filter(pk=known).first() if known else None
    if key is None:
        raise NotFound("There is no such key.")
    if key.revoked_at is not None:
        raise Conflict("This key is revoked already.")
    key.revoked_at = timezone.now()
    key.save(update_fields=("revoked_at",))
    record(Event.API_KEY_REVOKED, key.subject, name=key.name)
    return key


def digest(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()


def identified(text: str | uuid.UUID) -> uuid.UUID | None:
    try:
        return text if isinstance(text, uuid.UUID) else uuid.UUID(text)
    except ValueError:
        return None
