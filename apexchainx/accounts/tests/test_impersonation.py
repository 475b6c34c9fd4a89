"""An admin acts in a user's name: with a reason, for an hour, and every fact says so."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apexchainx.accounts.models import ApiKey, Role, Session, User
from apexchainx.accounts.services.administration import impersonate
from apexchainx.accounts.services.keys import create_key
from apexchainx.errors import Refused
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

RIGHT = "Blue-horse-7"
REASON = {"reason": "The customer asked what she sees."}


@pytest.fixture
def root(make_user: Callable[..., User]) -> User:
    return make_user(Role.ADMIN, email="root@example.com")


@pytest.fixture
def admin(root: User, client_of: Callable[[User], APIClient]) -> APIClient:
    return client_of(root)


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(Role.MANAGER, email="ada@example.com", password=RIGHT)


def path(user: User) -> str:
    return f"/api/v1/users/{user.pk}/impersonate"


def bearing(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.fixture
def as_ada(admin: APIClient, ada: User) -> APIClient:
    response = admin.post(path(ada), REASON)
    assert response.status_code == 200, response.content
    return bearing(response.json()["access_token"])


def test_it_answers_a_token_of_the_user_and_no_way_to_renew_it(
    admin: APIClient, ada: User, root: User
) -> None:
    response = admin.post(path(ada), REASON)

    body = response.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "user", "impersonator_id"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert (body["user"]["id"], body["impersonator_id"]) == (str(ada.pk), str(root.pk))
    assert not response.cookies
    assert bearing(body["access_token"]).get("/api/v1/auth/me").json()["email"] == "ada@example.com"


def test_it_is_recorded_with_its_reason(admin: APIClient, ada: User, root: User) -> None:
    admin.post(path(ada), REASON)

    session = Session.objects.get(user=ada)
    fact = AuditEvent.objects.get(event="user.impersonated")
    assert (fact.subject, fact.actor, fact.impersonator) == (f"user:{ada.pk}", str(root.pk), "")
    assert fact.data == {**REASON, "session_id": str(session.pk)}
    assert session.impersonator == root


def test_every_fact_names_both(as_ada: APIClient, admin: APIClient, ada: User, root: User) -> None:
    as_ada.post("/api/v1/outages", {"site_name": "Alpha", "severity": "low"})
    as_ada.post("/api/v1/auth/logout")
    admin.post("/api/v1/outages", {"site_name": "Beta", "severity": "low"})

    def who(event: str) -> list[tuple[str, str]]:
        return list(
            AuditEvent.objects.filter(event=event).order_by("id").values_list("actor", "impersonator")
        )

    assert who("outage.created") == [(str(ada.pk), str(root.pk)), (str(root.pk), "")]
    assert who("auth.logged_out") == [(str(ada.pk), str(root.pk))]
    answered = admin.get("/api/v1/audit", {"impersonator_id": str(root.pk)}).json()["results"]
    assert [(fact["event_type"], fact["impersonator_id"]) for fact in answered] == [
        ("auth.logged_out", str(root.pk)),
        ("outage.created", str(root.pk)),
    ]


def test_it_lasts_an_hour(clock: Any, root: User, ada: User, client_of: Callable[[User], APIClient]) -> None:
    token = client_of(root).post(path(ada), REASON).json()["access_token"]

    clock.shift(3599)
    assert bearing(token).get("/api/v1/auth/me").status_code == 200
    clock.shift(1)
    assert bearing(token).get("/api/v1/auth/me").status_code == 401


def test_the_owner_sees_it_and_ends_it(
    as_ada: APIClient, ada: User, client_of: Callable[[User], APIClient]
) -> None:
    own = client_of(ada)
    (session_id,) = [
        row["id"] for row in own.get("/api/v1/auth/sessions").json()["results"] if row["impersonated"]
    ]

    assert own.delete(f"/api/v1/auth/sessions/{session_id}").status_code == 204
    assert as_ada.get("/api/v1/auth/me").status_code == 401


@pytest.mark.parametrize("change", [{"role": Role.ENGINEER}, {"is_active": False}, {"password": "x"}])
@pytest.mark.parametrize("whose", ["root", "ada"])
def test_it_ends_with_what_either_rests_on(
    as_ada: APIClient, root: User, ada: User, whose: str, change: dict[str, Any]
) -> None:
    assert as_ada.get("/api/v1/auth/me").status_code == 200

    User.objects.filter(pk={"root": root, "ada": ada}[whose].pk).update(**change)

    assert as_ada.get("/api/v1/auth/me").status_code == 401


# Refusals


def assert_nothing_began(of: User) -> None:
    assert not Session.objects.filter(user=of, impersonator__isnull=False).exists()
    assert not AuditEvent.objects.filter(event="user.impersonated").exists()


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 7}, {"reason": "x" * 501}])
def test_it_takes_a_reason(admin: APIClient, ada: User, body: dict[str, Any]) -> None:
    response = admin.post(path(ada), body)

    assert (response.status_code, response.json()["error"]["details"]["field"]) == (400, "reason")
    assert_nothing_began(ada)


def test_nobody_acts_as_themselves_or_as_another_admin(
    admin: APIClient, root: User, make_user: Callable[..., User]
) -> None:
    other = make_user(Role.ADMIN, email="other@example.com")

    assert admin.post(path(root), REASON).status_code == 403
    assert admin.post(path(other), REASON).status_code == 403
    assert_nothing_began(other)


def test_a_closed_account_lends_its_name_to_nobody(admin: APIClient, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert admin.post(path(ada), REASON).status_code == 409
    assert_nothing_began(ada)


@pytest.mark.parametrize("change", [{"role": Role.MANAGER}, {"is_active": False}])
def test_whoever_is_no_admin_by_now_does_not(root: User, ada: User, change: dict[str, Any]) -> None:
    """The request was let in before the change; the service looks again, under a lock."""
    User.objects.filter(pk=root.pk).update(**change)

    with pytest.raises(Refused):
        impersonate(ada.pk, by=root, reason="Just quickly.")
    assert_nothing_began(ada)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ENGINEER, Role.MANAGER, Role.AUDITOR])
def test_only_admins_do_it(client_as: Callable[[str], APIClient], ada: User, role: str) -> None:
    assert client_as(role).post(path(ada), REASON).status_code == 403
    assert_nothing_began(ada)


def test_no_key_does_it(root: User, ada: User) -> None:
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=create_key(scopes=["admin:full"], maker=root).raw)

    assert client.post(path(ada), REASON).status_code == 403
    assert_nothing_began(ada)


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("patch", "/auth/me/profile", {"full_name": "Mallory"}),
        ("put", "/user/preferences", {"theme": "dark"}),
        ("delete", "/auth/me", {"password": RIGHT}),
        (
            "post",
            "/auth/password/change",
            {"current_password": RIGHT, "new_password": "Red-horse-8"},
        ),
        ("post", "/auth/2fa/setup", {}),
        ("post", "/auth/2fa/verify", {"code": "123456"}),
        ("post", "/auth/2fa/disable", {"code": "123456"}),
        ("post", "/auth/2fa/backup-codes", {}),
        ("post", "/auth/logout-all", {}),
        ("post", "/api-keys", {"scopes": []}),
        ("get", "/users", {}),
        ("post", "/wallets/operations/approve", {}),
    ],
)
def test_in_anothers_name_the_account_and_the_rules_stay_as_they_are(
    as_ada: APIClient, ada: User, method: str, route: str, body: dict[str, Any]
) -> None:
    before = AuditEvent.objects.count()
    kept = User.objects.filter(pk=ada.pk).values().get()

    response = getattr(as_ada, method)(f"/api/v1{route}", body)

    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert AuditEvent.objects.count() == before
    assert User.objects.filter(pk=ada.pk).values().get() == kept
    assert not ApiKey.objects.exists()
    assert Session.objects.live(timezone.now()).filter(user=ada).count() == 1


def test_what_the_user_may_see_and_do_the_admin_sees_and_does(as_ada: APIClient) -> None:
    assert as_ada.get("/api/v1/outages").status_code == 200
    assert as_ada.get("/api/v1/auth/sessions").status_code == 200
    assert as_ada.post("/api/v1/outages", {"site_name": "Alpha", "severity": "low"}).status_code == 201
    assert as_ada.post("/api/v1/auth/logout").status_code == 200
    assert as_ada.get("/api/v1/outages").status_code == 401
