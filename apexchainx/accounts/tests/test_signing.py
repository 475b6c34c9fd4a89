"""The keys that sign tokens: made when needed, rotated, kept sealed, and read again from time to time."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier
from typing import Any

import jwt
import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from apexchainx.accounts.models import SigningKey, User
from apexchainx.accounts.services import signing
from apexchainx.accounts.services.sessions import begin
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _read_anew() -> Any:
    """This process holds no keys before the test, and none that the test has made after it."""
    signing.forget()
    yield
    signing.forget()


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(email="ada@example.com")


def me(token: str) -> int:
    return int(APIClient().get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code)


def kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_the_first_key_is_made_when_it_is_needed(ada: User) -> None:
    SigningKey.objects.all().delete()

    token = begin(ada).access_token

    key = SigningKey.objects.get()
    assert (kid(token), key.retired_at) == (key.kid, None)
    assert me(token) == 200


@pytest.mark.django_db(transaction=True)
def test_of_several_that_are_first_one_makes_the_key(ada: User) -> None:
    SigningKey.objects.all().delete()
    at_once = Barrier(5)

    def first(_: int) -> str:
        at_once.wait()
        try:
            return (signing.read_keys() or signing.first_key()).newest
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(first, range(5))) == {SigningKey.objects.get().kid}


def test_after_a_rotation_the_new_key_signs_and_the_old_tokens_are_good(ada: User) -> None:
    old = begin(ada)

    key = signing.rotate()
    signing.forget()

    new = begin(ada)
    assert kid(new.access_token) == kid(new.refresh_token) == key.kid != kid(old.access_token)
    assert me(old.access_token) == me(new.access_token) == 200
    refreshed = APIClient().post("/api/v1/auth/refresh", {"refresh_token": old.refresh_token})
    assert (refreshed.status_code, kid(refreshed.json()["refresh_token"])) == (200, key.kid)
    fact = AuditEvent.objects.get(event="auth.signing_key_rotated")
    assert (fact.subject, fact.data) == (f"signing_key:{key.kid}", {"forgotten": []})


def test_another_process_learns_of_a_new_key_by_its_first_token(
    ada: User, django_assert_num_queries: Any
) -> None:
    begin(ada)
    before = signing.Held.keyring
    signing.rotate()
    signing.forget()
    token = begin(ada).access_token
    signing.Held.keyring = before

    with django_assert_num_queries(2):
        assert me(token) == 200
    with django_assert_num_queries(1):
        assert me(token) == 200


def test_a_key_that_nobody_has_is_looked_for_once(ada: User, django_assert_num_queries: Any) -> None:
    token = begin(ada).access_token
    claims = jwt.decode(token, options={"verify_signature": False})

    with django_assert_num_queries(1):
        assert me(jwt.encode(claims, "k" * 32, "HS256", headers={"kid": "nobody"})) == 401


def test_a_key_that_was_taken_away_is_believed_for_a_minute(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begin(ada).access_token
    SigningKey.objects.all().delete()
    now = time.monotonic()

    monkeypatch.setattr(time, "monotonic", lambda: now + 59)
    assert me(token) == 200
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert me(token) == 401


def test_a_retired_key_is_believed_as_long_as_a_session_may_last(ada: User, clock: Any) -> None:
    tokens = begin(ada)
    signing.rotate()
    SigningKey.objects.filter(retired_at__isnull=False).update(
        retired_at=timezone.now() - timedelta(days=30) + timedelta(seconds=2)
    )
    signing.forget()

    clock.shift(1)
    assert me(tokens.access_token) == 200
    clock.shift(2)
    signing.forget()
    assert me(tokens.access_token) == 401
    signing.rotate()
    forgotten = AuditEvent.objects.filter(event="auth.signing_key_rotated").latest("id").data["forgotten"]
    assert forgotten == [kid(tokens.access_token)]
    assert SigningKey.objects.count() == 2


def test_a_secret_is_sealed(ada: User) -> None:
    ring = signing.keyring(60)
    secret = str(ring.backends[ring.newest].signing_key)

    assert secret not in str(SigningKey.objects.values().get())
    assert secret not in repr(ring)
    assert len(secret) >= 32


def test_under_another_secret_key_a_new_key_signs(ada: User, settings: Any) -> None:
    token = begin(ada).access_token
    settings.SECRET_KEY = "another-secret-key-of-this-installation"  # noqa: S105
    signing.forget()

    new = begin(ada).access_token

    assert (me(token), me(new)) == (401, 200)
    assert [key.retired_at is None for key in SigningKey.objects.all()] == [False, True]


def test_one_key_signs_at_a_time() -> None:
    with pytest.raises(IntegrityError, match="accounts_one_key_signs"), transaction.atomic():
        signing.new_key().save()


# The command


def test_rotating_by_command() -> None:
    old, out = signing.keyring(60).newest, StringIO()

    call_command("rotate_signing_key", stdout=out)

    new = SigningKey.objects.get(retired_at__isnull=True)
    assert out.getvalue() == f"{new.kid} signs from now on.\n"
    assert new.kid != old
    fact = AuditEvent.objects.get()
    assert (fact.event, fact.actor, fact.source) == ("auth.signing_key_rotated", "system", "command")


def test_a_dry_run_changes_nothing() -> None:
    old, out = signing.keyring(60).newest, StringIO()

    call_command("rotate_signing_key", "--dry-run", stdout=out)

    assert out.getvalue() == f"{old} signs and would be retired.\n"
    assert list(SigningKey.objects.values_list("kid", "retired_at")) == [(old, None)]
    assert not AuditEvent.objects.exists()
