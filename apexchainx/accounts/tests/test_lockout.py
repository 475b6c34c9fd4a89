"""Too many failures lock an account before anything is computed, and nobody else out of it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from apexchainx.accounts.models import AttemptCounter, KnownClient, User
from apexchainx.accounts.services import forgetting, lockout
from apexchainx.accounts.services.login import login
from apexchainx.errors import TooMany, Unauthenticated
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

LOGIN = "/api/v1/auth/login"
RIGHT, WRONG = "Blue-horse-7", "Red-horse-7"
HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"


def attempt(password: str, *, email: str = "ada@example.com", address: str = ELSEWHERE) -> Any:
    return APIClient().post(LOGIN, {"email": email, "password": password}, REMOTE_ADDR=address)


def statuses(passwords: list[str], **where: str) -> list[int]:
    return [attempt(password, **where).status_code for password in passwords]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password of which a hash was computed."""
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        seen.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return seen


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
def test_after_five_failures_it_is_429_also_with_the_right_password(
    clock: time_machine.Traveller, ada: User, hashed: list[str], facts: Callable[..., Any], email: str
) -> None:
    assert statuses([WRONG] * 5, email=email) == [401] * 5
    hashed.clear()
    clock.shift(60)
    before = AuditEvent.objects.count()

    refused = attempt(RIGHT, email=email)

    error = refused.json()["error"]
    assert refused.status_code == 429
    assert refused["Retry-After"] == "840"
    assert (error["code"], error["message"], error["details"]) == (
        "ACCOUNT_LOCKED",
        "Too many failed attempts. Try again later.",
        {},
    )
    assert hashed == []
    assert AuditEvent.objects.count() == before
    subject = f"user:{ada.pk}" if email == ada.email else "user:unknown"
    assert facts(event="auth.account_locked") == [("auth.account_locked", subject)]


def test_the_lock_ends_in_time(clock: time_machine.Traveller, ada: User) -> None:
    statuses([WRONG] * 5)

    clock.shift(899)
    assert statuses([RIGHT]) == [429]
    clock.shift(1)
    assert statuses([WRONG] * 4 + [RIGHT]) == [401] * 4 + [200]


def test_a_refused_attempt_does_not_lengthen_the_lock(clock: time_machine.Traveller, ada: User) -> None:
    statuses([WRONG] * 5)
    clock.shift(800)

    assert attempt(WRONG)["Retry-After"] == "100"


def test_only_failures_within_the_window_count(clock: time_machine.Traveller, ada: User) -> None:
    for _ in range(12):
        assert statuses([WRONG]) == [401]
        clock.shift(75)

    assert statuses([WRONG, WRONG, RIGHT]) == [401, 401, 429]


def test_a_login_resets_the_count(ada: User) -> None:
    assert statuses([WRONG] * 4 + [RIGHT] + [WRONG] * 5 + [RIGHT]) == [401] * 4 + [200] + [401] * 5 + [429]


def test_nobody_locks_a_user_out_of_a_client_that_is_theirs(ada: User) -> None:
    assert statuses([RIGHT], address=HOME) == [200]

    assert statuses([WRONG] * 5 + [RIGHT], address=ELSEWHERE) == [401] * 5 + [429]

    assert statuses([RIGHT], address=HOME) == [200]
    assert statuses([RIGHT], address=ELSEWHERE) == [429]
    assert statuses([WRONG] * 5 + [RIGHT], address=HOME) == [401] * 5 + [429]


def test_one_users_client_is_no_other_users(ada: User, make_user: Callable[..., User]) -> None:
    make_user(email="bob@example.com", password=RIGHT)
    statuses([RIGHT], address=HOME)
    statuses([WRONG] * 5, email="bob@example.com")

    assert statuses([RIGHT], email="bob@example.com", address=HOME) == [429]


def test_a_client_is_known_for_a_month(clock: time_machine.Traveller, ada: User) -> None:
    statuses([RIGHT], address=HOME)
    day = 86_400
    clock.shift(30 * day - 1)
    statuses([WRONG] * 5)
    assert statuses([RIGHT], address=HOME) == [200]

    clock.shift(30 * day)
    statuses([WRONG] * 5)
    assert statuses([RIGHT], address=HOME) == [429]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
def test_a_hundred_at_once_cost_five_hashes(
    make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch, hashed: list[str], email: str
) -> None:
    make_user(email="ada@example.com", password=RIGHT)
    counted = MD5PasswordHasher.encode

    def slow(self: MD5PasswordHasher, password: str, salt: str) -> str:
        time.sleep(0.1)
        return str(counted(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", slow)
    hashed.clear()

    def guess(number: int) -> type[Exception]:
        try:
            login(email=email, password=f"Guess-{number}")
        except (TooMany, Unauthenticated) as refusal:
            return type(refusal)
        finally:
            connection.close()
        raise AssertionError("a guess was right")

    with ThreadPoolExecutor(25) as pool:
        refusals = list(pool.map(guess, range(100)))

    assert len(hashed) == 5
    assert (refusals.count(Unauthenticated), refusals.count(TooMany)) == (5, 95)
    assert AuditEvent.objects.filter(event="auth.login_failed").count() == 5
    assert AuditEvent.objects.filter(event="auth.account_locked").count() == 1


def test_counters_hold_no_address(ada: User) -> None:
    statuses([WRONG], email="stranger@example.com")
    statuses([WRONG], email="ada@example.com")

    kept = str(list(AttemptCounter.objects.values()))
    assert AttemptCounter.objects.count() == 2
    assert not any(word in kept for word in ("stranger", "ada", "example", ELSEWHERE))


def test_no_piece_of_a_password_is_kept_or_logged(
    ada: User, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    statuses(["Canary-4711-x", RIGHT, *["Canary-4711-x"] * 6])

    said = caplog.text + "".join(capfd.readouterr()) + str(list(AuditEvent.objects.values()))
    assert AuditEvent.objects.filter(event="auth.account_locked").count() == 1
    assert not any(piece in said for piece in ("Canary", "4711", RIGHT, "horse"))


# Who lets people in again


def locked_out(ada: User) -> None:
    """Ada's own client and everybody else's are locked."""
    statuses([RIGHT], address=HOME)
    statuses([WRONG] * 5, address=HOME)
    statuses([WRONG] * 5, address=ELSEWHERE)
    assert statuses([RIGHT], address=HOME) == statuses([RIGHT]) == [429]


def test_an_admin_unlocks(client_as: Callable[[str], APIClient], ada: User) -> None:
    locked_out(ada)
    admin = client_as("admin")

    response = admin.post(f"/api/v1/users/{ada.pk}/unlock")

    assert (response.status_code, response.json()) == (200, {"message": "The account is unlocked."})
    assert statuses([RIGHT], address=HOME) == statuses([RIGHT]) == [200]
    fact = AuditEvent.objects.get(event="auth.account_unlocked")
    actor = User.objects.get(role="admin")
    assert (fact.subject, fact.actor, fact.source) == (f"user:{ada.pk}", str(actor.pk), "api")


def test_only_an_admin_unlocks(client_as: Callable[[str], APIClient], ada: User) -> None:
    locked_out(ada)

    assert client_as("manager").post(f"/api/v1/users/{ada.pk}/unlock").status_code == 403
    assert statuses([RIGHT]) == [429]
    assert not AuditEvent.objects.filter(event="auth.account_unlocked").exists()


@pytest.mark.parametrize("user_id", ["0", "x", "9" * 30])
def test_unlocking_nobody_is_404(client_as: Callable[[str], APIClient], user_id: str) -> None:
    assert client_as("admin").post(f"/api/v1/users/{user_id}/unlock").status_code == 404


def test_a_lock_is_known_without_an_attempt(clock: time_machine.Traveller, ada: User) -> None:
    statuses([RIGHT], address=HOME)
    statuses([WRONG] * 5)
    before = list(AttemptCounter.objects.order_by("pk").values())

    with pytest.raises(TooMany) as refusal:
        lockout.refuse_locked(ada, address=ELSEWHERE)
    lockout.refuse_locked(ada, address=HOME)

    assert (refusal.value.code, refusal.value.retry_after) == ("ACCOUNT_LOCKED", 900)
    assert list(AttemptCounter.objects.order_by("pk").values()) == before


def test_what_counts_no_more_is_forgotten(clock: time_machine.Traveller, ada: User) -> None:
    statuses([RIGHT], address=HOME)
    statuses([WRONG])
    forgetting.forget(timezone.now())
    assert (AttemptCounter.objects.count(), KnownClient.objects.count()) == (1, 1)

    clock.shift(901)
    forgetting.forget(timezone.now())
    assert (AttemptCounter.objects.count(), KnownClient.objects.count()) == (0, 1)

    clock.shift(30 * 86_400)
    forgetting.forget(timezone.now())
    assert KnownClient.objects.count() == 0
