from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apexchainx.accounts.models import Role, User
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

LOGIN, REGISTER = "/api/v1/auth/login", "/api/v1/auth/register"
RIGHT = "Blue-horse-7"


def error(response: Any) -> dict[str, Any]:
    body = response.json()["error"]
    return {key: body[key] for key in ("code", "message", "details")}


def events() -> list[tuple[str, str, str]]:
    """(event, subject, actor) of everything but passwords that the fixtures have set."""
    facts = AuditEvent.objects.exclude(event="user.changed").order_by("id")
    return list(facts.values_list("event", "subject", "actor"))


def test_registration_makes_an_engineer_who_can_log_in(anonymous: APIClient) -> None:
    response = anonymous.post(
        REGISTER, {"email": "Ada@Example.com", "password": RIGHT, "full_name": "Ada", "role": "engineer"}
    )

    user = User.objects.get()
    body = response.json()
    assert response.status_code == 201
    assert body == {
        "id": str(user.pk),
        "email": "ada@example.com",
        "username": "ada@example.com",
        "full_name": "Ada",
        "role": "engineer",
        "stellar_wallet": None,
        "is_active": True,
        "created_at": body["created_at"],
    }
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert events() == [("user.registered", f"user:{user.pk}", "anonymous")]
    assert anonymous.post(LOGIN, {"email": "ada@example.com", "password": RIGHT}).status_code == 200


@pytest.mark.parametrize(("asked", "given"), [({}, "engineer"), ({"role": "viewer"}, "viewer")])
def test_a_role_that_may_be_chosen(anonymous: APIClient, asked: dict[str, str], given: str) -> None:
    response = anonymous.post(REGISTER, {"username": "ada@example.com", "password": RIGHT, **asked})

    assert (response.status_code, response.json()["role"]) == (201, given)


@pytest.mark.parametrize("role", ["manager", "auditor", "admin"])
@pytest.mark.parametrize("caller", [None, "viewer", "engineer", "manager", "auditor"])
def test_more_takes_an_admins_token(
    anonymous: APIClient, client_as: Callable[[str], APIClient], role: str, caller: str | None
) -> None:
    client = client_as(caller) if caller else anonymous
    before = User.objects.count()

    response = client.post(REGISTER, {"email": "ada@example.com", "password": RIGHT, "role": role})

    assert (response.status_code, error(response)["code"]) == (403, "FORBIDDEN")
    assert User.objects.count() == before
    assert events() == []


@pytest.mark.parametrize("mode", ["open", "approval", "closed"])
@pytest.mark.parametrize("role", ["viewer", "manager", "auditor", "admin"])
def test_an_admin_gives_any_role_and_the_account_is_active(
    client_as: Callable[[str], APIClient], settings: Any, mode: str, role: str
) -> None:
    settings.REGISTRATION_MODE = mode
    client = client_as("admin")
    admin = User.objects.get()

    response = client.post(REGISTER, {"email": "ada@example.com", "password": RIGHT, "role": role})

    assert (response.status_code, response.json()["role"], response.json()["is_active"]) == (201, role, True)
    assert events() == [("user.registered", f"user:{response.json()['id']}", str(admin.pk))]


def test_a_token_that_is_not_valid_does_not_register_anonymously(anonymous: APIClient) -> None:
    response = anonymous.post(
        REGISTER,
        {"email": "ada@example.com", "password": RIGHT},
        headers={"Authorization": "Bearer nonsense"},
    )

    assert response.status_code == 401
    assert User.objects.count() == 0


def test_approval_makes_an_account_that_waits(anonymous: APIClient, settings: Any) -> None:
    settings.REGISTRATION_MODE = "approval"

    registered = anonymous.post(REGISTER, {"email": "ada@example.com", "password": RIGHT})
    refused = anonymous.post(LOGIN, {"email": "ada@example.com", "password": RIGHT})
    User.objects.update(is_active=True)
    welcome = anonymous.post(LOGIN, {"email": "ada@example.com", "password": RIGHT})

    assert (registered.status_code, registered.json()["is_active"]) == (201, False)
    assert (refused.status_code, error(refused)["code"]) == (403, "ACCOUNT_PENDING")
    assert welcome.status_code == 200


@pytest.mark.parametrize("caller", [None, "manager"])
def test_closed_means_closed(
    anonymous: APIClient, client_as: Callable[[str], APIClient], settings: Any, caller: str | None
) -> None:
    settings.REGISTRATION_MODE = "closed"
    client = client_as(caller) if caller else anonymous
    before = User.objects.count()

    response = client.post(REGISTER, {"email": "ada@example.com", "password": RIGHT})

    assert (response.status_code, error(response)["code"]) == (403, "FORBIDDEN")
    assert User.objects.count() == before


@pytest.mark.parametrize("address", ["ada@example.com", "ADA@EXAMPLE.COM"])
def test_an_address_is_taken_once(anonymous: APIClient, ada: User, address: str) -> None:
    response = anonymous.post(REGISTER, {"email": address, "password": RIGHT, "full_name": "Another"})

    assert (response.status_code, error(response)["code"]) == (409, "CONFLICT")
    assert list(User.objects.values_list("full_name", flat=True)) == ["Ada"]
    assert events() == []


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("Blue-7h", "at least 8 characters"),
        ("blue-horse-7", "an upper case letter"),
        ("BLUE-HORSE-7", "a lower case letter"),
        ("Blue-horse-x", "a digit"),
        ("Bluehorse77", "a special character"),
        ("Zqx", "at least 8 characters, a digit, a special character"),
    ],
)
def test_a_weak_password_is_400_and_says_what_it_lacks(
    anonymous: APIClient, password: str, missing: str
) -> None:
    response = anonymous.post(REGISTER, {"email": "ada@example.com", "password": password})

    details = error(response)["details"]
    assert response.status_code == 400
    assert details["field"] == "password"
    assert details["fields"] == {"password": [f"The password needs {missing}."]}
    assert password not in response.content.decode()
    assert User.objects.count() == 0


def test_a_password_that_everybody_uses_is_refused(anonymous: APIClient) -> None:
    response = anonymous.post(REGISTER, {"email": "ada@example.com", "password": "P@ssw0rd"})

    assert (response.status_code, error(response)["details"]["field"]) == (400, "password")
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    ("password", "status"),
    [
        ("Aa1-" + "x" * 124, 201),
        ("Aa1-" + "x" * 125, 400),
        ("Aa1-" + "e\u0301" * 124, 201),  # 252 characters as typed, 128 in the normal form
        ("Aa1-" + "\ufdfa" * 8, 400),  # 12 as typed, 148 in the normal form
        ("Пароль-7", 201),
    ],
)
def test_length_is_that_of_the_normal_form(anonymous: APIClient, password: str, status: int) -> None:
    response = anonymous.post(REGISTER, {"email": "ada@example.com", "password": password})

    assert response.status_code == status
    assert User.objects.count() == (status == 201)


def test_nothing_but_the_documented_fields_is_taken(anonymous: APIClient) -> None:
    response = anonymous.post(
        REGISTER,
        {
            "email": "ada@example.com",
            "password": RIGHT,
            "id": 77,
            "is_staff": True,
            "is_superuser": True,
            "is_active": False,
            "sessions": [1],
            "stellar_wallet": "G",
            "groups": [1],
        },
    )

    user = User.objects.get()
    assert response.status_code == 201
    assert (user.is_staff, user.is_superuser, user.is_active) == (False, False, True)
    assert (user.pk == 77, user.stellar_wallet) == (False, "")


def test_a_role_that_is_none_is_answered_with_those_there_are(anonymous: APIClient) -> None:
    response = anonymous.post(REGISTER, {"email": "a@example.com", "password": RIGHT, "role": "root"})

    assert error(response)["details"]["allowed_values"] == Role.values
    assert User.objects.count() == 0


def test_no_password_is_kept_or_answered_or_recorded(anonymous: APIClient) -> None:
    registered = anonymous.post(REGISTER, {"email": "ada@example.com", "password": RIGHT})
    logged_in = anonymous.post(LOGIN, {"email": "ada@example.com", "password": RIGHT})

    recorded = str(list(AuditEvent.objects.values()))
    kept = str(list(User.objects.values()))
    for secret in (RIGHT, logged_in.json()["access_token"], logged_in.json()["refresh_token"]):
        assert secret not in recorded + kept
    assert RIGHT not in registered.content.decode() + logged_in.content.decode()
    assert (
        User.objects.get().password not in registered.content.decode() + logged_in.content.decode() + recorded
    )
