"""The admin site's door is the API's: one count of failures, one second factor, one log."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from apexchainx.accounts.models import Role, User
from apexchainx.accounts.services import lockout
from apexchainx.accounts.tests.test_twofactor import shown, switched_on
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

SIGN_IN, USERS = "/admin/login/", "/admin/accounts/user/"
RIGHT, WRONG = "Blue-horse-7", "Red-horse-7"


@pytest.fixture
def root(make_user: Callable[..., User]) -> User:
    return make_user(Role.ADMIN, email="root@example.com", password=RIGHT, is_staff=True)


def sign_in(password: str = RIGHT, *, code: str = "", email: str = "root@example.com") -> Any:
    return Client().post(f"{SIGN_IN}?next=/admin/", {"username": email, "password": password, "code": code})


def errors(response: Any) -> list[str]:
    return list(response.context["form"].non_field_errors())


def test_signing_in_is_recorded(root: User) -> None:
    response = sign_in()

    assert (response.status_code, response["Location"]) == (302, "/admin/")
    fact = AuditEvent.objects.get(event="auth.login_succeeded")
    assert (fact.subject, fact.actor, fact.source) == (f"user:{root.pk}", str(root.pk), "admin")


def test_a_wrong_password_is_recorded_and_lets_nobody_in(root: User) -> None:
    client = Client()
    response = client.post(SIGN_IN, {"username": "root@example.com", "password": WRONG})

    assert errors(response) == ["The address or the password is wrong."]
    assert client.get("/admin/").status_code == 302
    fact = AuditEvent.objects.get(event="auth.login_failed")
    assert (fact.subject, fact.source) == (f"user:{root.pk}", "admin")
    assert fact.data == {"reason": "wrong_password"}


def test_failures_at_both_doors_are_counted_together(root: User) -> None:
    for _ in range(3):
        sign_in(WRONG)
    for _ in range(2):
        APIClient().post("/api/v1/auth/login", {"email": "root@example.com", "password": WRONG})

    response = sign_in()

    assert (response.status_code, errors(response)) == (200, ["Too many failed attempts. Try again later."])


def test_who_is_no_staff_learns_nothing(make_user: Callable[..., User]) -> None:
    make_user(Role.ENGINEER, email="ada@example.com", password=RIGHT)

    answers = [
        errors(sign_in(password, email=email))
        for email in ("ada@example.com", "nobody@example.com")
        for password in (RIGHT, WRONG)
    ]

    assert answers == [["The address or the password is wrong."]] * 4
    assert not AuditEvent.objects.filter(event="auth.login_succeeded").exists()


def test_the_form_asks_for_the_code(clock: time_machine.Traveller, root: User) -> None:
    secret = switched_on(root).secret
    clock.shift(30)
    page = Client().get(SIGN_IN).content.decode()

    assert 'name="code"' in page
    assert 'name="password"' in page
    assert errors(sign_in()) == ["Send the code of your second factor too."]
    assert errors(sign_in(code="000000")) == ["The code is wrong."]
    assert sign_in(code=shown(secret)).status_code == 302


def test_an_admin_without_a_second_factor_is_told_where_to_set_one_up(root: User, settings: Any) -> None:
    settings.REQUIRE_ADMIN_2FA = True

    assert errors(sign_in(WRONG)) == ["The address or the password is wrong."]
    assert errors(sign_in()) == [
        "Admins need a second factor. Log in to the API, set one up at /auth/2fa/setup, and come back."
    ]


def test_an_admin_who_is_inside_without_one_may_nothing(root: User, settings: Any) -> None:
    client = Client()
    client.force_login(root)
    assert client.get(USERS).status_code == 200

    settings.REQUIRE_ADMIN_2FA = True

    assert client.get(USERS).status_code == 403


def test_there_is_no_way_past_the_form(root: User) -> None:
    request = RequestFactory().post("/")

    assert authenticate(request, username="root@example.com", password=RIGHT) is None
    assert Client().login(username="root@example.com", password=RIGHT) is False


def test_no_device_is_shown(root: User) -> None:
    client = Client()
    client.force_login(root)

    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404
    assert "otp_totp" not in client.get("/admin/").content.decode()


# What admins do for others


@pytest.fixture
def admin(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def run(admin: Client, action: str, user: User) -> list[str]:
    response = admin.post(USERS, {"action": action, "_selected_action": [user.pk]}, follow=True)
    return [str(message) for message in response.context["messages"]]


def test_a_lock_is_shown_and_opened(clock: time_machine.Traveller, admin: Client, ada: User) -> None:
    for _ in range(5):
        sign_in(WRONG, email="ada@example.com")
    assert "2026-01-16 10:15:00+00:00" in admin.get(f"{USERS}{ada.pk}/change/").content.decode()

    assert run(admin, "unlock", ada) == ["1 users are unlocked."]

    assert lockout.locked_until(ada) is None
    fact = AuditEvent.objects.get(event="auth.account_unlocked")
    assert (fact.subject, fact.source) == (f"user:{ada.pk}", "admin")


def test_a_lost_second_factor_is_removed(admin: Client, ada: User) -> None:
    switched_on(ada)

    assert run(admin, "remove_second_factor", ada) == ["1 users log in with their password alone."]

    ada.refresh_from_db()
    assert ada.second_factor_at is None
    fact = AuditEvent.objects.get(event="auth.second_factor_disabled")
    assert (fact.subject, fact.source) == (f"user:{ada.pk}", "admin")


@pytest.mark.parametrize("action", ["unlock", "remove_second_factor"])
def test_only_an_admin_does_that(make_user: Callable[..., User], ada: User, action: str) -> None:
    manager = Client()
    manager.force_login(make_user(Role.MANAGER, is_staff=True))

    assert manager.post(USERS, {"action": action, "_selected_action": [ada.pk]}).status_code == 403
    assert not AuditEvent.objects.filter(source="admin").exists()
