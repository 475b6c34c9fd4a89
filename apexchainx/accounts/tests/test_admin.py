from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apexchainx.accounts.models import Role, User
from apexchainx.accounts.services import sessions
from apexchainx.accounts.services.sessions import begin
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
RIGHT = "Blue-horse-7"
# What each role finds on the admin's front page.
SEEN = {
    "viewer": {"wallets", "outages", "sla", "payments", "disputes"},
    "engineer": {"wallets", "outages", "sla", "payments", "disputes", "webhooks", "django_celery_results"},
    "manager": {"wallets", "outages", "sla", "payments", "disputes", "webhooks", "django_celery_results"},
    "auditor": {
        "wallets",
        "outages",
        "sla",
        "payments",
        "disputes",
        "webhooks",
        "django_celery_results",
        "audit",
    },
}
# Who may act where: has a permission to change.
ACTS = {
    "wallets": {"engineer", "manager", "admin"},
    "outages": {"engineer", "manager", "admin"},
    "sla": {"manager", "admin"},
    "payments": {"engineer", "manager", "admin"},
    "disputes": {"engineer", "manager", "admin"},
    "webhooks": {"manager", "admin"},
    "audit": {"admin"},
    "django_celery_results": {"admin"},
    "accounts": {"admin"},
    "auth": {"admin"},
    "anything_else": {"admin"},
}


@pytest.fixture
def staff(make_user: Callable[..., User]) -> Callable[[str], Client]:
    """A browser in which a staff user of this role has signed in."""

    def make(role: str) -> Client:
        client = Client()
        client.force_login(make_user(role, email=f"staff-{role}@example.com", is_staff=True))
        return client

    return make


@pytest.fixture
def admin(staff: Callable[[str], Client]) -> Client:
    return staff("admin")


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    user = make_user(Role.ENGINEER, email="ada@example.com", full_name="Ada")
    user.refresh_from_db()
    return user


def form(user: User, **changes: Any) -> dict[str, Any]:
    """The change form as the browser would send it."""
    names = ("email", "full_name", "stellar_wallet", "role", "is_active", "is_staff")
    values = {**{name: getattr(user, name) for name in names}, "reason": "Asked for.", **changes}
    inline = {"sessions-TOTAL_FORMS": 0, "sessions-INITIAL_FORMS": 0}
    return {name: value for name, value in values.items() if value is not False} | inline


def me(token: str) -> int:
    return int(APIClient().get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code)


# Who comes in


def test_the_admin_is_for_staff(make_user: Callable[..., User]) -> None:
    client = Client()
    client.force_login(make_user("admin"))

    response = client.get("/admin/")

    assert (response.status_code, response["Location"]) == (302, "/admin/login/?next=/admin/")


def test_signing_in_takes_the_address_without_case_and_a_password_of_any_keyboard(
    make_user: Callable[..., User],
) -> None:
    make_user("manager", email="ada@example.com", password=RIGHT, is_staff=True)

    response = Client().post(
        "/admin/login/", {"username": "Ada@Example.com", "password": "\uff22\uff4c\uff55\uff45-horse-7"}
    )

    assert (response.status_code, response["Location"]) == (302, "/accounts/profile/")


@pytest.mark.parametrize("role", SEEN)
def test_each_role_finds_what_its_scopes_show(staff: Callable[[str], Client], role: str) -> None:
    shown = {app["app_label"] for app in staff(role).get("/admin/").context["app_list"]}

    registered = {app["app_label"] for app in staff("admin").get("/admin/").context["app_list"]}
    assert shown == SEEN[role] & registered
    assert registered - shown >= {"accounts"}


@pytest.mark.parametrize("role", Role.values)
def test_permissions_follow_the_role(role: str) -> None:
    user = User(role=role, is_active=True)

    assert {app for app in ACTS if user.has_perm(f"{app}.change_thing")} == {
        app for app, roles in ACTS.items() if role in roles
    }
    assert {app for app in ACTS if user.has_perm(f"{app}.add_thing")} == {
        app for app, roles in ACTS.items() if role in roles
    }
    assert {app for app in ACTS if user.has_module_perms(app)} == SEEN.get(role, set(ACTS))
    assert {app for app in ACTS if user.has_perm(f"{app}.delete_thing")} == (
        set(ACTS) if role == "admin" else set()
    )


def test_whoever_is_deactivated_may_nothing() -> None:
    user = User(role=Role.ADMIN, is_active=False)

    assert not user.has_perm("outages.view_outage")
    assert not user.has_module_perms("outages")


@pytest.mark.parametrize("role", ["viewer", "engineer", "manager", "auditor"])
def test_users_are_for_admins(staff: Callable[[str], Client], ada: User, role: str) -> None:
    client = staff(role)

    for path in (USERS, f"{USERS}add/", f"{USERS}{ada.pk}/change/", f"{USERS}{ada.pk}/password/"):
        assert client.get(path).status_code == 403
    assert client.post(f"{USERS}{ada.pk}/change/", form(ada, role="admin")).status_code == 403
    ada.refresh_from_db()
    assert ada.role == "engineer"


def test_there_are_no_groups_beside_roles(admin: Client) -> None:
    assert admin.get("/admin/auth/group/").status_code == 404


# What an admin does


@pytest.mark.parametrize("others", [2, 50])
def test_the_list_costs_the_same_for_few_and_for_many(
    admin: Client, django_assert_num_queries: Any, others: int
) -> None:
    User.objects.bulk_create(User(email=f"u{number}@example.com") for number in range(others))

    with django_assert_num_queries(7):
        response = admin.get(USERS)

    assert len(response.context["cl"].result_list) == others + 1


def test_finding_somebody(admin: Client, ada: User) -> None:
    response = admin.get(USERS, {"q": "ada", "role__exact": "engineer"})

    assert list(response.context["cl"].result_list) == [ada]


def test_adding_somebody(admin: Client, anonymous: APIClient) -> None:
    response = admin.post(
        f"{USERS}add/",
        {
            "email": "Bob@Example.com",
            "full_name": "Bob",
            "role": "manager",
            "is_staff": "on",
            "usable_password": "true",
            "password1": RIGHT,
            "password2": RIGHT,
        },
    )

    assert response.status_code == 302, response.context["adminform"].form.errors
    bob = User.objects.get(email="bob@example.com")
    assert (bob.role, bob.is_staff, bob.is_superuser) == ("manager", True, False)
    created = AuditEvent.objects.get(event="user.created")
    actor = User.objects.get(role="admin")
    assert (created.subject, created.actor, created.source) == (f"user:{bob.pk}", str(actor.pk), "admin")
    assert created.data["role"] == "manager"
    assert RIGHT not in str(list(AuditEvent.objects.values()))
    login = anonymous.post("/api/v1/auth/login", {"email": "bob@example.com", "password": RIGHT})
    assert login.status_code == 200


@pytest.mark.parametrize(
    ("email", "password"), [("ADA@example.com", RIGHT), ("bob@example.com", "weak"), ("bob", RIGHT)]
)
def test_adding_what_the_rules_refuse(admin: Client, ada: User, email: str, password: str) -> None:
    response = admin.post(
        f"{USERS}add/",
        {
            "email": email,
            "role": "engineer",
            "usable_password": "true",
            "password1": password,
            "password2": password,
        },
    )

    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert User.objects.count() == 2
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(("role", "is_superuser"), [("viewer", False), ("manager", False), ("admin", True)])
def test_a_new_role_ends_the_tokens_and_is_recorded(
    admin: Client, ada: User, role: str, *, is_superuser: bool
) -> None:
    token = begin(ada).access_token
    assert me(token) == 200

    response = admin.post(f"{USERS}{ada.pk}/change/", form(ada, role=role))

    ada.refresh_from_db()
    assert response.status_code == 302
    assert (ada.role, ada.is_superuser) == (role, is_superuser)
    assert me(token) == 401
    fact = AuditEvent.objects.get()
    assert (fact.event, fact.subject, fact.source) == ("user.changed", f"user:{ada.pk}", "admin")
    assert fact.data == {
        "changed": ["role"],
        "changes": {"role": ["engineer", role]},
        "reason": "Asked for.",
    }


def test_an_admin_who_is_made_an_engineer_is_no_superuser_any_more(
    admin: Client, make_user: Callable[..., User]
) -> None:
    bob = make_user(Role.ADMIN, email="bob@example.com", is_staff=True, is_superuser=True)

    admin.post(f"{USERS}{bob.pk}/change/", form(bob, role="engineer"))

    bob.refresh_from_db()
    assert (bob.role, bob.is_superuser) == ("engineer", False)
    assert not bob.has_perm("accounts.change_user")


def test_deactivation_ends_the_tokens_and_is_recorded(admin: Client, ada: User) -> None:
    token = begin(ada).access_token

    admin.post(f"{USERS}{ada.pk}/change/", form(ada, is_active=False))

    assert me(token) == 401
    assert AuditEvent.objects.get().data["changes"] == {"is_active": [True, False]}
    ada.refresh_from_db()
    admin.post(f"{USERS}{ada.pk}/change/", form(ada, is_active=True))
    assert me(token) == 401


def test_a_users_open_sessions_are_shown_and_ended(admin: Client, ada: User) -> None:
    client = sessions.Client(address="203.0.113.7", user_agent="Firefox")
    open_one, over = begin(ada, client=client), begin(ada, client=sessions.Client("198.51.100.9", "curl"))
    sessions.logout(over.session)

    page = admin.get(f"{USERS}{ada.pk}/change/").content.decode()
    assert ("203.0.113.7" in page, "198.51.100.9" in page) == (True, False)
    assert open_one.session.refresh_digest not in page
    admin.post(USERS, {"action": "end_sessions", "_selected_action": [ada.pk]})

    assert me(open_one.access_token) == 401
    assert AuditEvent.objects.filter(event="auth.sessions_ended").get().subject == f"user:{ada.pk}"


@pytest.mark.parametrize("change", [{"role": "manager"}, {"is_active": False}])
def test_access_is_not_changed_without_a_reason(admin: Client, ada: User, change: dict[str, Any]) -> None:
    response = admin.post(f"{USERS}{ada.pk}/change/", form(ada, **change, reason=""))

    assert response.context["adminform"].form.errors == {"reason": ["Say why."]}
    ada.refresh_from_db()
    assert (ada.role, ada.is_active) == ("engineer", True)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("change", [{"role": "manager"}, {"is_active": False}])
def test_nobody_changes_their_own_access(
    admin: Client, make_user: Callable[..., User], change: dict[str, Any]
) -> None:
    me, _ = User.objects.get(role="admin"), make_user(Role.ADMIN, email="other@example.com")

    response = admin.post(f"{USERS}{me.pk}/change/", form(me, **change), follow=True)

    assert "Nobody changes their own role or activity." in response.content.decode()
    me.refresh_from_db()
    assert (me.role, me.is_active) == ("admin", True)
    assert not AuditEvent.objects.exists()


def test_the_rest_of_an_account_takes_no_reason(admin: Client, ada: User) -> None:
    admin.post(f"{USERS}{ada.pk}/change/", form(ada, full_name="Augusta", is_staff="on", reason=""))

    ada.refresh_from_db()
    assert (ada.full_name, ada.is_staff) == ("Augusta", True)
    assert [fact.data for fact in AuditEvent.objects.order_by("id")] == [
        {"changed": ["full_name"], "changes": {}, "reason": ""},
        {"role": "engineer", "changed": ["is_staff"]},
    ]


def test_saving_without_a_change_states_nothing(admin: Client, ada: User) -> None:
    token = begin(ada).access_token

    assert admin.post(f"{USERS}{ada.pk}/change/", form(ada)).status_code == 302

    assert not AuditEvent.objects.exists()
    assert me(token) == 200


def test_a_new_password_ends_the_tokens_and_is_recorded_without_it(
    admin: Client, anonymous: APIClient, ada: User
) -> None:
    token = begin(ada).access_token

    response = admin.post(
        f"{USERS}{ada.pk}/password/",
        {"usable_password": "true", "password1": RIGHT, "password2": RIGHT, "set-password": "x"},
    )

    assert response.status_code == 302
    assert me(token) == 401
    fact = AuditEvent.objects.get()
    actor = User.objects.get(role="admin")
    assert (fact.event, fact.subject, fact.actor, fact.source) == (
        "user.changed",
        f"user:{ada.pk}",
        str(actor.pk),
        "admin",
    )
    assert fact.data == {"changed": ["password"]}
    login = anonymous.post("/api/v1/auth/login", {"email": "ada@example.com", "password": RIGHT})
    assert login.status_code == 200


def test_ones_own_password_too(make_user: Callable[..., User]) -> None:
    ada = make_user("manager", email="ada@example.com", password=RIGHT, is_staff=True)
    token = begin(ada).access_token
    client = Client()
    client.force_login(ada)
    before = AuditEvent.objects.count()

    response = client.post(
        "/admin/password_change/",
        {"old_password": RIGHT, "new_password1": "Red-horse-77", "new_password2": "Red-horse-77"},
    )

    assert response.status_code == 302
    assert me(token) == 401
    assert AuditEvent.objects.count() == before + 1


def test_nobody_is_deleted(admin: Client, ada: User) -> None:
    assert admin.get(f"{USERS}{ada.pk}/delete/").status_code == 403
    assert admin.post(f"{USERS}{ada.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in admin.get(USERS).content.decode()
    assert User.objects.filter(pk=ada.pk).exists()


def test_no_hash_is_shown(admin: Client, make_user: Callable[..., User]) -> None:
    bob = make_user(email="bob@example.com", password=RIGHT)

    page = admin.get(f"{USERS}{bob.pk}/change/").content.decode()

    assert bob.password not in page
    assert bob.password.rpartition("$")[2] not in page
