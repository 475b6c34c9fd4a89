"""One's own account (profile, preferences, export, erasure), and the accounts of others for admins."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from rest_framework.test import APIClient

from apexchainx import context
from apexchainx.accounts.models import BackupCode, Preferences, Role, Session, User
from apexchainx.accounts.services.administration import change_user
from apexchainx.accounts.services.keys import create_key
from apexchainx.accounts.services.login import login
from apexchainx.accounts.services.sessions import Client, begin
from apexchainx.errors import Conflict
from apexchainx.stellar import keys
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

RIGHT = "Blue-horse-7"
ME, PROFILE = "/api/v1/auth/me", "/api/v1/auth/me/profile"
PREFERENCES, EXPORT, USERS = "/api/v1/user/preferences", "/api/v1/auth/me/export", "/api/v1/users"
WALLET = "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"


def with_password(user: User) -> User:
    """Past the log, which a test here wants to begin empty."""
    user.password = make_password(RIGHT)
    user.save(update_fields=["password"])
    return user


@pytest.fixture
def root(make_user: Callable[..., User]) -> User:
    return with_password(make_user(Role.ADMIN, email="root@example.com"))


@pytest.fixture
def admin(root: User, client_of: Callable[[User], APIClient]) -> APIClient:
    return client_of(root)


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return with_password(make_user(Role.ENGINEER, email="ada@example.com", full_name="Ada"))


@pytest.fixture
def own(ada: User, client_of: Callable[[User], APIClient]) -> APIClient:
    return client_of(ada)


def field_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["details"]["field"]


# Profile


def test_a_profile_is_changed_where_something_is_given(own: APIClient, ada: User) -> None:
    assert own.patch(PROFILE, {"full_name": "Ada L.", "stellar_wallet": WALLET}).status_code == 200
    body = own.patch(PROFILE, {"full_name": "Ada Lovelace", "role": "admin", "email": "x@y.zz"}).json()

    assert body == own.get(ME).json()
    assert (body["full_name"], body["stellar_wallet"]) == ("Ada Lovelace", WALLET)
    assert (body["role"], body["email"]) == ("engineer", "ada@example.com")
    facts = AuditEvent.objects.filter(event="user.changed", subject=f"user:{ada.pk}").order_by("id")
    assert [fact.data for fact in facts] == [
        {"changed": ["full_name", "stellar_wallet"]},
        {"changed": ["full_name"]},
    ]


@pytest.mark.parametrize("nothing", ["", None])
def test_a_wallet_is_taken_off(own: APIClient, nothing: str | None) -> None:
    own.patch(PROFILE, {"stellar_wallet": WALLET})

    assert own.patch(PROFILE, {"stellar_wallet": nothing}).json()["stellar_wallet"] is None


def test_an_identical_profile_states_nothing(own: APIClient) -> None:
    assert own.patch(PROFILE, {"full_name": "Ada"}).status_code == own.patch(PROFILE).status_code == 200
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("wallet", [WALLET[:-1] + "A", "G" * 56, "x", 7, WALLET + "A"])
def test_what_is_no_address_is_refused(own: APIClient, ada: User, wallet: Any) -> None:
    response = own.patch(PROFILE, {"full_name": "Eve", "stellar_wallet": wallet})

    assert field_of(response) == (400, "stellar_wallet")
    ada.refresh_from_db()
    assert (ada.full_name, ada.stellar_wallet) == ("Ada", "")
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("field", ["full_name", "stellar_wallet"])
def test_a_secret_key_is_refused_and_repeated_nowhere(
    own: APIClient, ada: User, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    secret = keys.generate().secret

    response = own.patch(PROFILE, {field: secret})

    assert field_of(response) == (400, field)
    assert secret not in response.content.decode()
    assert secret not in caplog.text
    assert secret not in str(User.objects.filter(pk=ada.pk).values().get())
    assert not AuditEvent.objects.exists()


# Preferences


def test_preferences_are_replaced_as_a_whole(own: APIClient, ada: User) -> None:
    assert own.get(PREFERENCES).json() == {}
    assert own.put(PREFERENCES, {"theme": "dark", "columns": [1, 2.5]}).status_code == 200
    assert own.put(PREFERENCES, {"theme": "light"}).json() == {"theme": "light"}

    assert own.get(PREFERENCES).json() == {"theme": "light"}
    assert Preferences.objects.get().user == ada
    own.put(PREFERENCES, {"theme": "light"})
    assert AuditEvent.objects.filter(event="user.preferences_changed").count() == 2


def test_everybody_has_their_own(own: APIClient, admin: APIClient) -> None:
    own.put(PREFERENCES, {"theme": "dark"})

    assert admin.get(PREFERENCES).json() == {}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 9223372036854775807, "b": -9223372036854775807}',
        '{"a": 0.1, "b": 1e-30, "c": 1e15, "d": -0.5, "e": 2.0}',
        '{"a": {"b": [null, true, {"c": "\\u00e9\\ud83d\\ude80"}]}}',
    ],
)
def test_they_come_back_as_they_went_in(own: APIClient, text: str) -> None:
    own.put(PREFERENCES, text, content_type="application/json")

    assert own.get(PREFERENCES).json() == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 9223372036854775808}',
        '{"a": [{"b": -9223372036854775808}]}',
        '{"a": 1e38}',
        json.dumps({"a": "x" * 64 * 1024}),
        "[]",
        "null",
        '{"a": NaN}',
    ],
)
def test_what_cannot_be_kept_is_400_and_leaves_what_was(own: APIClient, text: str) -> None:
    own.put(PREFERENCES, {"theme": "dark"})

    assert own.put(PREFERENCES, text, content_type="application/json").status_code == 400
    assert own.get(PREFERENCES).json() == {"theme": "dark"}
    assert AuditEvent.objects.filter(event="user.preferences_changed").count() == 1


@pytest.mark.parametrize(("length", "status"), [(64 * 1024 - 9, 200), (64 * 1024 - 8, 400)])
def test_they_are_as_large_as_64_kib(own: APIClient, length: int, status: int) -> None:
    assert own.put(PREFERENCES, {"a": "x" * length}).status_code == status


# Export


def exported(client: APIClient) -> dict[str, Any]:
    response = client.get(EXPORT)
    assert response["Content-Disposition"] == 'attachment; filename="account.json"'
    body: dict[str, Any] = json.loads(response.getvalue())
    return body


def test_an_export_holds_all_that_is_kept_about_the_caller(admin: APIClient, root: User, ada: User) -> None:
    admin.put(PREFERENCES, {"theme": "dark"})
    with context.acting_as(str(root.pk), source="api"):
        key = create_key(name="ci", maker=root).key
    with context.acting_as("system"):
        create_key(name="other")
        change_user(root.pk, full_name="Root")
        change_user(ada.pk, full_name="Somebody else")

    body = exported(admin)

    assert list(body) == ["profile", "preferences", "sessions", "api_keys", "events"]
    assert (body["profile"]["email"], body["profile"]["full_name"]) == ("root@example.com", "Root")
    assert body["preferences"] == {"theme": "dark"}
    assert [row["current"] for row in body["sessions"]] == [True]
    assert [row["id"] for row in body["api_keys"]] == [str(key.pk)]
    assert [(fact["event_type"], fact["subject"]) for fact in body["events"]] == [
        ("user.preferences_changed", f"user:{root.pk}"),
        ("api_key.created", f"api_key:{key.pk}"),
        ("user.changed", f"user:{root.pk}"),
    ]


def test_an_export_holds_no_secret(admin: APIClient, root: User) -> None:
    new = create_key(maker=root)
    tokens = begin(root)

    text = json.dumps(exported(admin))

    session = Session.objects.get(pk=tokens.session.pk)
    for secret in (root.password, new.raw, new.key.digest, tokens.refresh_token, session.refresh_digest):
        assert secret not in text


def test_an_empty_export_is_json_too(own: APIClient) -> None:
    assert (exported(own)["events"], exported(own)["api_keys"]) == ([], [])


# Erasure


def test_an_erased_person_is_forgotten_and_the_log_is_not(own: APIClient, ada: User) -> None:
    with context.acting_as("anonymous"):
        tokens = login(email="ada@example.com", password=RIGHT, client=Client("192.0.2.7", "Browser"))
    own.patch(PROFILE, {"stellar_wallet": WALLET})
    own.put(PREFERENCES, {"theme": "dark"})
    BackupCode.objects.create(user=ada, digest="x")
    before = list(AuditEvent.objects.order_by("id").values())

    response = own.delete(ME, {"password": RIGHT})

    assert (response.status_code, response.json()) == (200, {"message": "The account is erased."})
    assert own.get(ME).status_code == 401
    kept = User.objects.get(pk=ada.pk)
    assert (kept.full_name, kept.stellar_wallet, kept.role) == ("", "", Role.VIEWER)
    assert (kept.is_active, kept.is_staff, kept.last_login) == (False, False, None)
    assert kept.email.endswith("@erased.invalid")
    assert not kept.has_usable_password()
    session = Session.objects.get(pk=tokens.session.pk)
    assert (session.ended_reason, session.address, session.user_agent) == ("deactivated", "", "")
    assert not Preferences.objects.exists()
    assert not kept.known_clients.exists()
    assert not kept.backup_codes.exists()
    after = list(AuditEvent.objects.order_by("id").values())
    assert after[: len(before)] == before
    assert (after[-1]["event"], after[-1]["subject"], after[-1]["data"]) == (
        "user.erased",
        f"user:{ada.pk}",
        {},
    )


def test_the_log_names_nobody_but_by_id(anonymous: APIClient, client_of: Callable[[User], APIClient]) -> None:
    account = {"email": "eve@example.com", "password": RIGHT, "full_name": "Eve Moriarty"}
    anonymous.post("/api/v1/auth/register", account)
    eve = client_of(User.objects.get(email="eve@example.com"))
    eve.patch(PROFILE, {"full_name": "Eve Adler", "stellar_wallet": WALLET})
    eve.delete(ME, {"password": RIGHT})

    log = str(list(AuditEvent.objects.values()))
    assert AuditEvent.objects.count() == 3
    for personal in ("eve@example.com", "Moriarty", "Adler", WALLET):
        assert personal not in log
        assert personal not in str(list(User.objects.values()))


def test_the_address_is_free_again(own: APIClient, anonymous: APIClient) -> None:
    own.delete(ME, {"password": RIGHT})

    again = anonymous.post("/api/v1/auth/register", {"email": "ada@example.com", "password": RIGHT})
    assert again.status_code == 201


@pytest.mark.parametrize("body", [{}, {"password": "Wrong-horse-7"}, {"password": ""}, {"password": 7}])
def test_without_the_password_nobody_is_erased(own: APIClient, ada: User, body: dict[str, Any]) -> None:
    assert field_of(own.delete(ME, body)) == (400, "password")
    ada.refresh_from_db()
    assert (ada.is_active, ada.email) == (True, "ada@example.com")
    assert not AuditEvent.objects.filter(event="user.erased").exists()


def test_the_password_is_not_guessed_here_either(own: APIClient, ada: User) -> None:
    for _ in range(5):
        own.delete(ME, {"password": "Wrong-horse-7"})

    assert own.delete(ME, {"password": RIGHT}).status_code == 429
    ada.refresh_from_db()
    assert ada.is_active


def test_the_last_active_admin_stays(admin: APIClient, root: User, make_user: Callable[..., User]) -> None:
    other = make_user(Role.ADMIN, email="other@example.com", is_active=False)

    assert admin.delete(ME, {"password": RIGHT}).status_code == 409
    root.refresh_from_db()
    assert (root.is_active, root.email) == (True, "root@example.com")
    User.objects.filter(pk=other.pk).update(is_active=True)
    assert admin.delete(ME, {"password": RIGHT}).status_code == 200


# The accounts of others


def test_admins_list_and_find_users(admin: APIClient, ada: User, make_user: Callable[..., User]) -> None:
    make_user(Role.VIEWER, email="100%@example.com", is_active=False)

    def found(**query: str) -> list[str]:
        return [row["email"] for row in admin.get(USERS, query).json()["results"]]

    assert found() == ["root@example.com", "ada@example.com", "100%@example.com"]
    assert found(role="engineer") == ["ada@example.com"]
    assert found(is_active="false") == ["100%@example.com"]
    assert found(is_active="true") == ["root@example.com", "ada@example.com"]
    assert found(search="ADA") == ["ada@example.com"]
    assert found(search="%") == ["100%@example.com"]
    assert admin.get(f"{USERS}/{ada.pk}").json()["full_name"] == "Ada"


@pytest.mark.parametrize("query", [{"role": "king"}, {"is_active": "maybe"}, {"search": "x" * 255}])
def test_a_filter_that_is_none_is_400(admin: APIClient, query: dict[str, str]) -> None:
    assert field_of(admin.get(USERS, query)) == (400, next(iter(query)))


def test_a_user_as_admins_see_one_and_nobody_else(admin: APIClient, own: APIClient, ada: User) -> None:
    body = admin.get(f"{USERS}/{ada.pk}").json()

    assert {*body} == {
        *("id", "email", "username", "full_name", "role", "stellar_wallet"),
        *("is_active", "created_at", "is_staff", "last_login"),
    }
    assert own.get(USERS).status_code == own.get(f"{USERS}/{ada.pk}").status_code == 403
    assert admin.get(f"{USERS}/999999").status_code == admin.get(f"{USERS}/x").status_code == 404


@pytest.mark.parametrize("rows", [2, 50])
def test_the_list_costs_the_same_for_few_and_for_many(
    admin: APIClient, make_user: Callable[..., User], django_assert_num_queries: Any, rows: int
) -> None:
    for number in range(rows):
        make_user(email=f"{number}@example.com")

    with django_assert_num_queries(3):
        assert admin.get(USERS).json()["total"] == rows + 1


def test_a_role_is_changed_for_a_reason_and_ends_the_sessions(
    admin: APIClient, own: APIClient, ada: User, root: User
) -> None:
    response = admin.patch(f"{USERS}/{ada.pk}", {"role": "manager", "reason": "Promoted."})

    assert (response.status_code, response.json()["role"]) == (200, "manager")
    assert own.get(ME).status_code == 401
    fact = AuditEvent.objects.get(event="user.changed")
    assert (fact.subject, fact.actor) == (f"user:{ada.pk}", str(root.pk))
    assert fact.data == {
        "changed": ["role"],
        "changes": {"role": ["engineer", "manager"]},
        "reason": "Promoted.",
    }


def test_a_user_is_deactivated_and_activated(admin: APIClient, ada: User) -> None:
    path = f"{USERS}/{ada.pk}"

    assert admin.patch(path, {"is_active": False, "reason": "Left."}).json()["is_active"] is False
    assert admin.patch(path, {"is_active": True, "reason": "Came back."}).json()["is_active"] is True
    assert AuditEvent.objects.filter(event="user.changed").count() == 2


def test_a_name_takes_no_reason_and_is_not_repeated_in_the_log(admin: APIClient, ada: User) -> None:
    assert admin.patch(f"{USERS}/{ada.pk}", {"full_name": "Augusta"}).json()["full_name"] == "Augusta"
    assert "Augusta" not in str(AuditEvent.objects.get().data)


@pytest.mark.parametrize("change", [{"role": "manager"}, {"is_active": False}])
def test_access_is_not_changed_without_a_reason(
    admin: APIClient, own: APIClient, ada: User, change: dict[str, Any]
) -> None:
    assert field_of(admin.patch(f"{USERS}/{ada.pk}", change)) == (400, "reason")
    assert own.get(ME).status_code == 200
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("body", [{}, {"role": "engineer"}, {"full_name": "Ada"}, {"email": "x@example.com"}])
def test_what_changes_nothing_states_nothing(
    admin: APIClient, own: APIClient, ada: User, body: dict[str, Any]
) -> None:
    assert admin.patch(f"{USERS}/{ada.pk}", body).status_code == 200
    assert own.get(ME).status_code == 200
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("change", [{"role": "manager"}, {"is_active": False}])
def test_nobody_changes_their_own_access(
    admin: APIClient, root: User, make_user: Callable[..., User], change: dict[str, Any]
) -> None:
    make_user(Role.ADMIN, email="other@example.com")

    response = admin.patch(f"{USERS}/{root.pk}", {**change, "reason": "Tired."})

    assert response.status_code == 403
    root.refresh_from_db()
    assert (root.role, root.is_active) == (Role.ADMIN, True)


@pytest.mark.parametrize("change", [{"role": "manager"}, {"is_active": False}])
def test_the_last_active_admin_is_not_taken_away(root: User, change: dict[str, Any]) -> None:
    with context.acting_as("system"), pytest.raises(Conflict):
        change_user(root.pk, **change, reason="Cleaning up.")
    root.refresh_from_db()
    assert (root.role, root.is_active) == (Role.ADMIN, True)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_demote_each_other_one_stays(make_user: Callable[..., User]) -> None:
    first, second = (make_user(Role.ADMIN, email=f"{name}@example.com") for name in ("first", "second"))
    ready, outcomes = threading.Barrier(2), []

    def demote(whom: User, by: User) -> None:
        ready.wait()
        try:
            with context.acting_as(str(by.pk)):
                change_user(whom.pk, role=Role.VIEWER, reason="Mutiny.")
            outcomes.append("changed")
        except Conflict:
            outcomes.append("refused")
        finally:
            connection.close()

    pairs = ((first, second), (second, first))
    threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["changed", "refused"]
    assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1
    assert AuditEvent.objects.filter(event="user.changed").count() == 1
