from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from rest_framework.test import APIClient

from apexchainx.accounts.models import User
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

LOGIN, REGISTER = "/api/v1/auth/login", "/api/v1/auth/register"
RIGHT = "Blue-horse-7"
WRONG = {
    "code": "UNAUTHORIZED",
    "message": "The address or the password is wrong.",
    "details": {},
}


def error(response: Any) -> dict[str, Any]:
    body = response.json()["error"]
    return {key: body[key] for key in ("code", "message", "details")}


def events() -> list[tuple[str, str, str]]:
    """(event, subject, actor) of everything but passwords that the fixtures have set."""
    facts = AuditEvent.objects.exclude(event="user.changed").order_by("id")
    return list(facts.values_list("event", "subject", "actor"))


# Logging in


def test_login_answers_tokens_and_who_it_is(anonymous: APIClient, ada: User) -> None:
    response = anonymous.post(LOGIN, {"email": "ada@example.com", "password": RIGHT})

    body = response.json()
    assert response.status_code == 200
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert body["user"] == {
        "id": str(ada.pk),
        "email": "ada@example.com",
        "username": "ada@example.com",
        "full_name": "Ada",
        "role": "engineer",
        "stellar_wallet": None,
        "is_active": True,
        "created_at": body["user"]["created_at"],
    }
    assert body["user"]["created_at"].endswith("Z")
    assert events() == [("auth.login_succeeded", f"user:{ada.pk}", str(ada.pk))]
    ada.refresh_from_db()
    assert ada.last_login is not None


@pytest.mark.parametrize(
    "named",
    [
        {"email": "ADA@Example.COM"},
        {"username": "ada@example.com"},
        {"username": " Ada@example.com "},
        {"email": "ada@example.com", "username": "ADA@EXAMPLE.COM"},
    ],
)
def test_the_address_goes_by_two_names_and_without_case(
    anonymous: APIClient, ada: User, named: dict[str, str]
) -> None:
    response = anonymous.post(LOGIN, {**named, "password": RIGHT})

    assert (response.status_code, response.json()["user"]["email"]) == (200, "ada@example.com")


def test_two_addresses_that_differ_are_refused(anonymous: APIClient, ada: User) -> None:
    response = anonymous.post(
        LOGIN, {"email": "ada@example.com", "username": "bob@example.com", "password": RIGHT}
    )

    assert (response.status_code, error(response)["details"]["field"]) == (400, "email")
    assert events() == []


def test_a_wrong_password_and_an_unknown_address_answer_alike(anonymous: APIClient, ada: User) -> None:
    wrong = anonymous.post(LOGIN, {"email": "ada@example.com", "password": "Red-horse-7"})
    unknown = anonymous.post(LOGIN, {"email": "bob@example.com", "password": RIGHT})

    assert error(wrong) == error(unknown) == WRONG
    assert wrong.status_code == unknown.status_code == 401
    assert wrong["WWW-Authenticate"] == unknown["WWW-Authenticate"] == 'Bearer realm="api"'
    assert events() == [
        ("auth.login_failed", f"user:{ada.pk}", "anonymous"),
        ("auth.login_failed", "user:unknown", "anonymous"),
    ]
    assert "bob" not in str(list(AuditEvent.objects.values()))


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each hash that was computed, whether a transaction was open."""
    seen: list[bool] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        seen.append(connection.in_atomic_block)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return seen


def test_an_unknown_address_costs_as_many_hashes(anonymous: APIClient, ada: User, hashed: list[bool]) -> None:
    hashed.clear()
    anonymous.post(LOGIN, {"email": "ada@example.com", "password": "Red-horse-7"})
    known = len(hashed)
    anonymous.post(LOGIN, {"email": "bob@example.com", "password": "Red-horse-7"})

    assert (known, len(hashed)) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_waits_for_a_hash(anonymous: APIClient, hashed: list[bool]) -> None:
    anonymous.post(REGISTER, {"email": "ada@example.com", "password": RIGHT})
    anonymous.post(LOGIN, {"email": "ada@example.com", "password": RIGHT})
    anonymous.post(LOGIN, {"email": "bob@example.com", "password": RIGHT})

    assert hashed == [False, False, False]


def test_a_pending_account_learns_so_only_with_the_right_password(anonymous: APIClient, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)

    right = anonymous.post(LOGIN, {"email": "ada@example.com", "password": RIGHT})
    wrong = anonymous.post(LOGIN, {"email": "ada@example.com", "password": "Red-horse-7"})

    assert (right.status_code, error(right)["code"]) == (403, "ACCOUNT_PENDING")
    assert "access_token" not in right.json()
    assert (wrong.status_code, error(wrong)) == (401, WRONG)
    reasons = (
        AuditEvent.objects.filter(event="auth.login_failed").order_by("id").values_list("data", flat=True)
    )
    assert list(reasons) == [{"reason": "account_pending"}, {"reason": "wrong_password"}]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\uff22\uff4c\uff55\uff45-horse-7", RIGHT),
        ("Cafe\u0301-horse-7", "Caf\u00e9-horse-7"),
        ("Blue-\ufb01sh-77", "Blue-fish-77"),
    ],
)
def test_a_password_is_the_same_from_every_keyboard(
    anonymous: APIClient, make_user: Callable[..., User], typed: str, kept: str
) -> None:
    make_user(email="kept@example.com", password=kept)
    make_user(email="typed@example.com", password=typed)

    assert anonymous.post(LOGIN, {"email": "kept@example.com", "password": typed}).status_code == 200
    assert anonymous.post(LOGIN, {"email": "typed@example.com", "password": kept}).status_code == 200


@pytest.mark.parametrize("password", [RIGHT.lower(), f" {RIGHT}", f"{RIGHT} ", RIGHT + "x", "x" * 128])
def test_nearly_right_is_wrong(anonymous: APIClient, ada: User, password: str) -> None:
    assert anonymous.post(LOGIN, {"email": "ada@example.com", "password": password}).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": RIGHT}, "email"),
        ({"email": "ada@example.com"}, "password"),
        ({"email": "ada", "password": RIGHT}, "email"),
        ({"email": "", "password": RIGHT}, "email"),
        ({"email": None, "password": RIGHT}, "email"),
        ({"email": ["ada@example.com"], "password": RIGHT}, "email"),
        ({"email": "a" * 243 + "@example.com", "password": RIGHT}, "email"),
        ({"email": "ada@example.com", "password": ""}, "password"),
        ({"email": "ada@example.com", "password": 12345678}, "password"),
        ({"email": "ada@example.com", "password": "x" * 129}, "password"),
    ],
)
def test_what_cannot_be_a_login_is_400_and_no_attempt(
    anonymous: APIClient, ada: User, body: dict[str, Any], field: str
) -> None:
    response = anonymous.post(LOGIN, body)

    assert (response.status_code, error(response)["details"]["field"]) == (400, field)
    assert events() == []


# Who am I


def test_me(client_of: Callable[[User], APIClient], ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(
        stellar_wallet="GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"
    )

    body = client_of(ada).get("/api/v1/auth/me").json()

    assert (body["id"], body["email"], body["role"]) == (str(ada.pk), "ada@example.com", "engineer")
    assert body["stellar_wallet"] == "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"


def test_me_takes_one_question(
    client_of: Callable[[User], APIClient], ada: User, django_assert_num_queries: Any
) -> None:
    client = client_of(ada)

    with django_assert_num_queries(1):
        client.get("/api/v1/auth/me")
