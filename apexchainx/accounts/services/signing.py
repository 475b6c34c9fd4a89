"""Tokens that only we can make: each names the key that signed it, and keys are replaced."""

import base64
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

import jwt
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

from apexchainx.accounts.models import SigningKey
from apexchainx.errors import Unavailable
from audit.events import Event
from audit.log import record

ALGORITHM = "HS256"
# Seconds after which the keys are read again: before one signs, and before one checks.
FRESH_TO_SIGN = 5
FRESH_TO_CHECK = 60


class Kind(StrEnum):
    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: whose it is, which session's, and which of the session's refresh tokens."""

    user_id: str
    session_id: uuid.UUID
    generation: int

    @classmethod
    def read(cls, payload: Mapping[str, Any], kind: Kind) -> Self | None:
        if payload.get("token_type") != kind or not isinstance(payload.get("exp"), int):
            return None
        try:
            return cls(str(int(payload["sub"])), uuid.UUID(payload["sid"]), int(payload["gen"]))
        except (KeyError, ValueError, TypeError, AttributeError):
            return None


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys as they were read at `read_at`, by their kid; the newest signs."""

    backends: Mapping[str, TokenBackend]
    newest: str
    read_at: float

    def is_fresh(self, seconds: float) -> bool:
        return time.monotonic() - self.read_at < seconds


class Held:
    """The keyring of this process: a copy, read again after some seconds."""

    keyring: Keyring | None = None


def sign(claims: Claims, kind: Kind, *, until: datetime) -> str:
    """A token for these claims, signed with the newest key."""
    ring = keyring(FRESH_TO_SIGN)
    payload = {
        "token_type": kind,
        "iss": settings.TOKEN_ISSUER,
        "aud": settings.TOKEN_AUDIENCE,
        "sub": claims.user_id,
        "sid": str(claims.session_id),
        "gen": claims.generation,
        "iat": int(timezone.now().timestamp()),
        "exp": int(until.timestamp()),
        "jti": uuid.uuid4().hex,
    }
    key = ring.backends[ring.newest].prepared_signing_key
    return jwt.encode(payload, key, ALGORITHM, headers={"kid": ring.newest})


def check(token: str, kind: Kind) -> Claims | None:
    """What the token says, or None where it is not ours, over, or of another kind."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.InvalidTokenError, ValueError):
        return None
    backend = backend_of(kid)
    if backend is None:
        return None
    try:
        payload = backend.decode(token)  # type: ignore[arg-type]
    except (TokenBackendError, ValueError):
        return None
    return Claims.read(payload, kind)


def backend_of(kid: Any) -> TokenBackend | None:
    """The key of this name. One that we have not heard of may be new: the keys are read once more."""
    if not isinstance(kid, str):
        return None
    return keyring(FRESH_TO_CHECK).backends.get(kid) or keyring(0).backends.get(kid)


def keyring(seconds: float) -> Keyring:
    """The keys, as they stood at most so many seconds ago. Where there is none, one is made."""
    if Held.keyring is None or not Held.keyring.is_fresh(seconds):
        Held.keyring = read_keys() or first_key()
    return Held.keyring


def read_keys() -> Keyring | None:
    """The keys that are still believed and that SECRET_KEY opens, if one of them signs."""
    read_at, safe = time.monotonic(), vault()
    newest, backends = "", {}
    for key in SigningKey.objects.exclude(retired_at__lt=timezone.now() - longest_life()):
        secret = opened(key, safe)
        if secret is None:
            continue
        backends[key.kid] = TokenBackend(
            ALGORITHM, secret, audience=settings.TOKEN_AUDIENCE, issuer=settings.TOKEN_ISSUER
        )
        newest = key.kid if key.retired_at is None else newest
    return Keyring(backends, newest, read_at) if newest else None


def first_key() -> Keyring:
    """Somebody has to be the first; of several at once, the database lets one.

    A key that was sealed under another SECRET_KEY signs no more.
    """
    safe = vault()
    signing = SigningKey.objects.filter(retired_at__isnull=True)
    sealed = [key.pk for key in signing if opened(key, safe) is None]
    SigningKey.objects.filter(pk__in=sealed).update(retired_at=timezone.now())
    SigningKey.objects.bulk_create([new_key()], ignore_conflicts=True)
    ring = read_keys()
    if ring is None:
        raise Unavailable("There is no key to sign tokens with.")
    return ring


@transaction.atomic
def rotate() -> SigningKey:
    """A new key signs from now on. Tokens of the old ones are good until they expire."""
    now = timezone.now()
    SigningKey.objects.filter(retired_at__isnull=True).update(retired_at=now)
    forgotten = SigningKey.objects.filter(retired_at__lt=now - longest_life())
    kids = list(forgotten.values_list("kid", flat=True))
    forgotten.delete()
    key = new_key()
    key.save(force_insert=True)
    record(Event.SIGNING_KEY_ROTATED, f"signing_key:{key.kid}", forgotten=kids)
    transaction.on_commit(forget)
    return key


def forget() -> None:
    """The next token reads the keys again."""
    Held.keyring = None


def opened(key: SigningKey, safe: Fernet) -> str | None:
    try:
        return safe.decrypt(bytes(key.encrypted_secret)).decode()
    except InvalidToken:
        return None


def new_key() -> SigningKey:
    secret = secrets.token_urlsafe(48)
    return SigningKey(kid=secrets.token_hex(8), encrypted_secret=vault().encrypt(secret.encode()))


def longest_life() -> timedelta:
    """No token lives longer; so long a retired key is believed."""
    return timedelta(days=settings.SESSION_ABSOLUTE_DAYS)


def vault() -> Fernet:
    derivation = HKDF(SHA256(), length=32, salt=None, info=b"apexchainx signing keys")
    return Fernet(base64.urlsafe_b64encode(derivation.derive(settings.SECRET_KEY.encode())))
