"""What a login answers tells nobody who has an account."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apexchainx.accounts.models import KnownClient, Session, User

pytestmark = pytest.mark.django_db

LOGIN, RESET = "/api/v1/auth/login", "/api/v1/auth/password/reset"
RIGHT, WRONG = "Blue-horse-7", "Red-horse-7"


def body(response: Any) -> dict[str, Any]:
    said: dict[str, Any] = response.json()
    for varying in ("timestamp", "correlation_id"):
        said.get("error", {}).pop(varying, None)
    return said


def headers(response: Any) -> dict[str, str]:
    varying = {"X-Correlation-ID", "Server-Timing"}
    return {name: value for name, value in response.items() if name not in varying}


def statements(captured: CaptureQueriesContext) -> list[list[str]]:
    """Which statement on which tables, in order."""
    return [re.findall(r'^\w+|"(?:accounts|audit)_\w+"', query["sql"]) for query in captured]


@pytest.fixture
def accounts(ada: User, make_user: Callable[..., User]) -> list[str]:
    """An active account, one that waits, one without a password, and none."""
    make_user(email="waiting@example.com", password=RIGHT, is_active=False)
    make_user(email="unset@example.com")
    return ["ada@example.com", "waiting@example.com", "unset@example.com", "nobody@example.com"]


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


def test_a_wrong_password_answers_alike_for_every_kind_of_account(
    clock: object, accounts: list[str], hashed: list[str]
) -> None:
    """The same status, body and headers, the same statements, and one hash each: so the same time."""
    for turn in range(6):
        seen = []
        for email in accounts:
            hashed.clear()
            with CaptureQueriesContext(connection) as captured:
                response = APIClient().post(LOGIN, {"email": email, "password": WRONG})
            seen.append((response.status_code, body(response), headers(response), statements(captured)))
            assert len(hashed) == (turn < 5)

        assert seen == [seen[0]] * 4
        assert seen[0][0] == (401 if turn < 5 else 429)


def test_asking_for_a_new_password_answers_alike(
    accounts: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    seen = []
    for email in accounts:
        with CaptureQueriesContext(connection) as captured, django_capture_on_commit_callbacks() as sent:
            response = APIClient().post(RESET, {"email": email})
        said = (response.status_code, body(response), headers(response))
        seen.append((*said, statements(captured), len(sent)))

    assert seen == [seen[0]] * 4
    assert seen[0][:2] == (202, {"message": "If an account has this address, mail is on its way."})


def test_a_login_remembers_the_client_and_names_it_in_the_session(ada: User) -> None:
    APIClient().post(
        LOGIN,
        {"email": "ada@example.com", "password": RIGHT},
        REMOTE_ADDR="198.51.100.7",
        HTTP_USER_AGENT="Terminal/1",
    )

    session = Session.objects.get()
    assert (session.address, session.user_agent) == ("198.51.100.7", "Terminal/1")
    assert list(KnownClient.objects.values_list("user", "address")) == [(ada.pk, "198.51.100.7")]


def test_a_failure_leaves_no_session_and_no_known_client(ada: User) -> None:
    APIClient().post(LOGIN, {"email": "ada@example.com", "password": WRONG})

    ada.refresh_from_db()
    assert (Session.objects.count(), KnownClient.objects.count(), ada.last_login) == (0, 0, None)


def test_the_right_password_of_a_waiting_account_is_no_failure(ada: User) -> None:
    User.objects.update(is_active=False)

    codes = [
        APIClient().post(LOGIN, {"email": "ada@example.com", "password": RIGHT}).json()["error"]["code"]
        for _ in range(7)
    ]

    assert codes == ["ACCOUNT_PENDING"] * 7
