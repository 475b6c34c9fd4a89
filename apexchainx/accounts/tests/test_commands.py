import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from apexchainx.accounts.models import User
from apexchainx.accounts.services import lockout
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "Blue-horse-7")


def createsuperuser(address: str) -> str:
    out = io.StringIO()
    call_command("createsuperuser", interactive=False, email=address, stdout=out)
    return out.getvalue()


def test_the_first_admin(anonymous: APIClient) -> None:
    said = createsuperuser("Root@Example.com")

    user = User.objects.get()
    assert "Superuser created successfully." in said
    assert (user.email, user.role) == ("root@example.com", "admin")
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, True, True)
    response = anonymous.post("/api/v1/auth/login", {"email": "root@example.com", "password": "Blue-horse-7"})
    assert (response.status_code, response.json()["user"]["role"]) == (200, "admin")


def test_it_is_recorded_as_the_commands_work() -> None:
    createsuperuser("root@example.com")

    user = User.objects.get()
    created = AuditEvent.objects.get(event="user.created")
    assert (created.subject, created.actor, created.source) == (f"user:{user.pk}", "system", "command")
    assert created.data == {"role": "admin"}
    assert "Blue-horse-7" not in str(list(AuditEvent.objects.values()))


def test_an_address_is_taken_once(make_user: Callable[..., User], facts: Callable[..., Any]) -> None:
    make_user(email="root@example.com")

    with pytest.raises(CommandError, match="already taken"):
        createsuperuser("ROOT@example.com")
    assert User.objects.get().role == "engineer"
    assert facts() == []


# createadmin


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_createadmin(anonymous: APIClient) -> None:
    said = run("createadmin", "Root@Example.com", "--full-name", "Ada Obi")

    user = User.objects.get()
    assert said == "root@example.com is an admin.\n"
    assert (user.email, user.full_name, user.role) == ("root@example.com", "Ada Obi", "admin")
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, True, True)
    created = AuditEvent.objects.get(event="user.created")
    assert (created.subject, created.actor, created.source) == (f"user:{user.pk}", "system", "command")
    response = anonymous.post("/api/v1/auth/login", {"email": "root@example.com", "password": "Blue-horse-7"})
    assert response.status_code == 200


def test_createadmin_asks_for_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _: "Blue-horse-8")

    run("createadmin", "root@example.com")

    assert User.objects.get().check_password("Blue-horse-8")


def test_createadmin_can_only_look(facts: Callable[..., Any]) -> None:
    said = run("createadmin", "root@example.com", "--dry-run")

    assert said == "root@example.com can become an admin. Nothing was written.\n"
    assert (User.objects.count(), facts()) == (0, [])


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
@pytest.mark.parametrize(
    ("address", "password", "message"),
    [
        ("root", "Blue-horse-7", "root is no e-mail address."),
        ("ADA@example.com", "Blue-horse-7", "There is an account with the address ada@example.com already."),
        ("root@example.com", "weak", "The password needs at least 8 characters, an upper case letter"),
        ("root@example.com", "", "Set DJANGO_SUPERUSER_PASSWORD, or run this in a terminal"),
    ],
)
def test_createadmin_says_what_is_wrong(
    make_user: Callable[..., User],
    monkeypatch: pytest.MonkeyPatch,
    facts: Callable[..., Any],
    options: list[str],
    address: str,
    password: str,
    message: str,
) -> None:
    make_user(email="ada@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError) as refusal:
        run("createadmin", address, *options)

    assert str(refusal.value).startswith(message)
    assert (User.objects.count(), facts()) == (1, [])


def test_createadmin_refuses_two_passwords_that_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["Blue-horse-7", "Blue-horse-8"])
    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))

    with pytest.raises(CommandError, match="The two passwords differ"):
        run("createadmin", "root@example.com")
    assert User.objects.count() == 0


# unlock


@pytest.fixture
def locked(ada: User, clock: object) -> User:
    for _ in range(5):
        APIClient().post("/api/v1/auth/login", {"email": ada.email, "password": "Blue-horse-8"})
    assert lockout.locked_until(ada) is not None
    return ada


def test_unlock(locked: User) -> None:
    assert run("unlock", "ADA@example.com") == "ada@example.com may log in again.\n"

    assert lockout.locked_until(locked) is None
    fact = AuditEvent.objects.get(event="auth.account_unlocked")
    assert (fact.subject, fact.actor, fact.source) == (f"user:{locked.pk}", "system", "command")


def test_unlock_can_only_look(locked: User) -> None:
    said = run("unlock", "ada@example.com", "--dry-run")

    assert said == "ada@example.com is locked until 2026-01-16 10:15:00 UTC.\n"
    assert lockout.locked_until(locked) is not None
    assert not AuditEvent.objects.filter(event="auth.account_unlocked").exists()


def test_unlocking_nobody(facts: Callable[..., Any]) -> None:
    with pytest.raises(CommandError, match=r"No account has the address bob@example\.com\."):
        run("unlock", "bob@example.com")
    assert facts() == []
