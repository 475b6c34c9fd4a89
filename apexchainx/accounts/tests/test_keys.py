"""API keys: made by admins, shown once, good for their scopes until revoked, expired or orphaned."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apexchainx.accounts.models import EVERY_SCOPE, ApiKey, Role, User
from apexchainx.accounts.services.keys import create_key
from apexchainx.errors import Refused
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

KEYS, OUTAGES, AUDIT = "/api/v1/api-keys", "/api/v1/outages", "/api/v1/audit"
SOON = "2099-01-01T00:00:00Z"


@pytest.fixture
def root(make_user: Callable[..., User]) -> User:
    return make_user(Role.ADMIN, email="root@example.com")


@pytest.fixture
def admin(root: User, client_of: Callable[[User], APIClient]) -> APIClient:
    return client_of(root)


def with_key(raw: str, **headers: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=raw, **headers)
    return client


def assert_refused(response: Any) -> None:
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


# Making


def test_a_key_is_answered_as_documented_and_kept_as_a_digest(admin: APIClient, root: User) -> None:
    response = admin.post(
        KEYS, {"name": "ci", "scopes": ["sla:read", "outages:read", "sla:read"], "expires_at": SOON}
    )

    body = response.json()
    assert response.status_code == 201
    assert set(body) == {"id", "name", "raw_key", "message"}
    assert (body["name"], body["message"]) == ("ci", "Store this key securely. It will not be shown again.")
    assert len(body["raw_key"]) == 46
    key = ApiKey.objects.get()
    assert (str(key.pk), key.prefix, key.created_by) == (body["id"], body["raw_key"][:8], root)
    assert key.digest == hashlib.sha256(body["raw_key"].encode()).hexdigest()
    assert body["raw_key"] not in str(ApiKey.objects.values().get())


def test_it_is_recorded_without_the_key(admin: APIClient, root: User) -> None:
    body = admin.post(KEYS, {"name": "ci", "scopes": ["sla:read"]}).json()

    fact = AuditEvent.objects.get(event="api_key.created")
    assert (fact.subject, fact.actor) == (f"api_key:{body['id']}", str(root.pk))
    assert fact.data == {"name": "ci", "scopes": ["sla:read"], "expires_at": None}
    assert body["raw_key"][8:] not in str(list(AuditEvent.objects.values()))


def test_without_a_body_it_is_a_key_for_nothing(admin: APIClient) -> None:
    raw = admin.post(KEYS).json()["raw_key"]

    assert ApiKey.objects.get().scopes == []
    assert with_key(raw).get(OUTAGES).status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": ["outages:delete"]}, "scopes.0"),
        ({"scopes": ["*"]}, "scopes.0"),
        ({"scopes": "sla:read"}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"name": "x" * 256}, "name"),
        ({"name": 7}, "name"),
    ],
)
def test_what_makes_no_key(admin: APIClient, body: dict[str, Any], field: str) -> None:
    response = admin.post(KEYS, body)

    assert (response.status_code, response.json()["error"]["details"]["field"]) == (400, field)
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.filter(event="api_key.created").exists()


def test_an_unknown_scope_is_answered_with_the_known_ones(admin: APIClient) -> None:
    details = admin.post(KEYS, {"scopes": ["outages:delete"]}).json()["error"]["details"]

    assert details["allowed_values"] == sorted(EVERY_SCOPE)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ENGINEER, Role.MANAGER, Role.AUDITOR])
def test_only_admins_make_keys(client_as: Callable[[str], APIClient], role: str) -> None:
    client = client_as(role)

    assert client.post(KEYS, {}).status_code == client.get(KEYS).status_code == 403
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "scope", ["payments:approve", "disputes:rule", "policy:write", "audit:read", "admin:full"]
)
def test_nobody_gives_what_is_not_theirs_to_give(make_user: Callable[..., User], scope: str) -> None:
    """A manager holds the first three, but only an admin gives them to a program."""
    with pytest.raises(Refused):
        create_key(scopes=["outages:read", scope], maker=make_user(Role.MANAGER))
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.exists()


# Calling


def test_a_key_opens_its_scopes_and_no_others(root: User) -> None:
    client = with_key(create_key(scopes=["outages:read"], maker=root).raw)

    assert client.get(OUTAGES).status_code == 200
    response = client.get(AUDIT)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")


def test_full_access_is_every_scope_but_no_person(root: User) -> None:
    client = with_key(create_key(scopes=["admin:full"], maker=root).raw)

    assert client.get(AUDIT).status_code == client.get(KEYS).status_code == 200
    before = ApiKey.objects.count()
    assert client.post(KEYS, {}).status_code == 403
    assert client.get("/api/v1/auth/me").status_code == 403
    assert ApiKey.objects.count() == before


def test_the_log_names_the_key(root: User) -> None:
    new = create_key(scopes=["outages:write"], maker=root)

    response = with_key(new.raw).post(OUTAGES, {"site_name": "Alpha", "severity": "low"})

    assert response.status_code == 201, response.content
    assert AuditEvent.objects.get(event="outage.created").actor == f"service:{new.key.pk}"


@pytest.mark.parametrize("raw", ["", "x", "ak_", "ak_" + "A" * 43, "ak_" + "A" * 4000, "ak_\xe9"])
def test_what_is_no_key_of_ours_is_401(raw: str) -> None:
    assert_refused(with_key(raw).get(OUTAGES))


def test_a_revoked_key_is_refused_at_once(admin: APIClient, root: User) -> None:
    new = create_key(scopes=["outages:read"], maker=root)
    assert with_key(new.raw).get(OUTAGES).status_code == 200

    response = admin.delete(f"{KEYS}/{new.key.pk}")

    assert (response.status_code, response.json()) == (200, {"message": "API key revoked successfully"})
    assert_refused(with_key(new.raw).get(OUTAGES))
    assert AuditEvent.objects.get(event="api_key.revoked").subject == f"api_key:{new.key.pk}"
    assert admin.delete(f"{KEYS}/{new.key.pk}").status_code == 409
    assert AuditEvent.objects.filter(event="api_key.revoked").count() == 1


def test_an_expired_key_is_refused_from_its_moment_on(clock: Any, root: User) -> None:
    new = create_key(scopes=["outages:read"], expires_at=timezone.now() + timedelta(hours=1), maker=root)

    clock.shift(3599)
    assert with_key(new.raw).get(OUTAGES).status_code == 200
    clock.shift(1)
    assert_refused(with_key(new.raw).get(OUTAGES))


def test_a_key_never_opens_more_than_its_maker_may(root: User) -> None:
    client = with_key(create_key(scopes=["admin:full"], maker=root).raw)

    User.objects.filter(pk=root.pk).update(role=Role.ENGINEER)
    assert (client.get(OUTAGES).status_code, client.get(AUDIT).status_code) == (200, 403)
    User.objects.filter(pk=root.pk).update(is_active=False)
    assert_refused(client.get(OUTAGES))


def test_a_token_and_a_key_together_are_one_too_many(admin: APIClient, root: User) -> None:
    raw = create_key(scopes=["outages:read"], maker=root).raw

    response = admin.get(OUTAGES, headers={"X-Api-Key": raw})

    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_a_key_costs_one_query_and_its_use_is_written_once_a_minute(clock: Any, root: User) -> None:
    new = create_key(scopes=["jobs:read"], maker=root)
    client = with_key(new.raw)

    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            client.post("/api/v1/auth/logout")
        return [query["sql"].split()[0] for query in seen]

    assert queries() == ["SELECT", "UPDATE"]
    assert queries() == ["SELECT"]
    clock.shift(59)
    assert queries() == ["SELECT"]
    clock.shift(1)
    assert queries() == ["SELECT", "UPDATE"]
    new.key.refresh_from_db()
    assert new.key.last_used_at == timezone.now()


# Listing


def test_the_list_shows_ones_own_keys_without_the_keys(admin: APIClient, root: User) -> None:
    new = create_key(name="ci", scopes=["sla:read"], maker=root)

    body = admin.get(KEYS).json()

    assert list(body) == ["keys"]
    (shown,) = body["keys"]
    assert shown.pop("created_at").endswith("Z")
    assert shown == {
        "id": str(new.key.pk),
        "name": "ci",
        "prefix": new.raw[:8],
        "scopes": ["sla:read"],
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
        "created_by": "root@example.com",
    }


def test_anothers_key_is_not_there(admin: APIClient, make_user: Callable[..., User]) -> None:
    others = [create_key(maker=make_user(Role.ADMIN, email="other@example.com")), create_key()]

    assert admin.get(KEYS).json() == {"keys": []}
    for other in others:
        assert admin.delete(f"{KEYS}/{other.key.pk}").status_code == 404
    assert admin.delete(f"{KEYS}/nonsense").status_code == 404
    assert ApiKey.objects.filter(revoked_at__isnull=True).count() == 2


@pytest.mark.parametrize("count", [2, 50])
def test_the_list_costs_the_same_for_few_and_for_many(
    admin: APIClient, root: User, django_assert_num_queries: Any, count: int
) -> None:
    for _ in range(count):
        create_key(maker=root)

    with django_assert_num_queries(2):
        assert len(admin.get(KEYS).json()["keys"]) == count


# The admin

PAGE = "/admin/accounts/apikey/"


@pytest.fixture
def browser(root: User) -> Client:
    User.objects.filter(pk=root.pk).update(is_staff=True)
    client = Client()
    client.force_login(root)
    return client


def test_the_admin_shows_a_new_key_once(browser: Client, root: User) -> None:
    response = browser.post(f"{PAGE}add/", {"name": "ci", "scopes": ["outages:read"]}, follow=True)

    key = ApiKey.objects.get()
    (raw,) = re.findall(r"ak_[\w-]{43}", response.content.decode())
    assert (key.name, key.scopes, key.created_by) == ("ci", ["outages:read"], root)
    assert with_key(raw).get(OUTAGES).status_code == 200
    fact = AuditEvent.objects.get(event="api_key.created")
    assert (fact.actor, fact.source) == (str(root.pk), "admin")
    for page in (PAGE, f"{PAGE}{key.pk}/change/"):
        shown = browser.get(page).content.decode()
        assert raw[:8] in shown
        assert raw not in shown
        assert key.digest not in shown


def test_the_admin_says_what_is_refused(browser: Client) -> None:
    response = browser.post(
        f"{PAGE}add/", {"expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}, follow=True
    )

    assert "A key ends in the future." in response.content.decode()
    assert not ApiKey.objects.exists()


def test_the_admin_revokes_and_changes_nothing_else(browser: Client) -> None:
    new = create_key(scopes=["outages:read"])

    response = browser.post(PAGE, {"action": "revoke", "_selected_action": [str(new.key.pk)]}, follow=True)

    assert "is revoked." in response.content.decode()
    assert_refused(with_key(new.raw).get(OUTAGES))
    assert AuditEvent.objects.get(event="api_key.revoked").source == "admin"
    assert browser.post(f"{PAGE}{new.key.pk}/change/", {"name": "mine"}).status_code == 403
    assert browser.post(f"{PAGE}{new.key.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_admins_page_of_keys_is_for_admins(make_user: Callable[..., User]) -> None:
    client = Client()
    client.force_login(make_user(Role.MANAGER, is_staff=True))

    assert client.get(PAGE).status_code == client.get(f"{PAGE}add/").status_code == 403


@pytest.mark.parametrize("rows", [2, 50])
def test_the_admins_list_costs_the_same_for_few_and_for_many(
    browser: Client, root: User, django_assert_num_queries: Any, rows: int
) -> None:
    for _ in range(rows):
        create_key(maker=root)

    with django_assert_num_queries(6):
        assert browser.get(PAGE).status_code == 200
