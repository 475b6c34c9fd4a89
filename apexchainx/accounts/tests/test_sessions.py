"""A session from its login to its end: refreshed once per token, listed, removed, and over at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, connection, transaction
from django.test import Client as Site
from rest_framework.test import APIClient

from apexchainx import context
from apexchainx.accounts.models import Role, Session, User
from apexchainx.accounts.services.lockout import unlock
from apexchainx.accounts.services.sessions import Client, Tokens, act_as_holder, begin
from apexchainx.accounts.services.sessions import refresh as exchange
from apexchainx.errors import Unauthenticated
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

AUTH = "/api/v1/auth"
ME, REFRESH, LOGOUT, SESSIONS = f"{AUTH}/me", f"{AUTH}/refresh", f"{AUTH}/logout", f"{AUTH}/sessions"


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(Role.ENGINEER, email="ada@example.com")


@pytest.fixture
def bob(make_user: Callable[..., User]) -> User:
    return make_user(Role.ENGINEER, email="bob@example.com")


@pytest.fixture
def tokens(ada: User) -> Tokens:
    return begin(ada)


def bearer(tokens: Tokens) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.access_token}")
    return client


def refresh(token: str) -> Any:
    return APIClient().post(REFRESH, {"refresh_token": token})


def works(tokens: Tokens) -> bool:
    return bearer(tokens).get(ME).status_code == 200


def assert_over(tokens: Tokens, reason: str) -> None:
    for response in (
        bearer(tokens).get(ME),
        bearer(tokens).get("/api/v1/outages"),
        bearer(tokens).post("/api/v1/outages", {"site_name": "A", "severity": "high"}),
        bearer(tokens).post(LOGOUT),
        refresh(tokens.refresh_token),
    ):
        error = response.json()["error"]
        assert (response.status_code, error["code"], error["details"]) == (401, "UNAUTHORIZED", {})
    session = Session.objects.get(pk=tokens.session.pk)
    assert session.ended_at is not None
    assert session.ended_reason == reason


# Lifetimes


def test_a_session_that_is_not_used_lasts_a_week(ada: User, clock: Any, facts: Callable[..., Any]) -> None:
    used, unused = begin(ada), begin(ada)
    clock.shift(timedelta(days=7) - timedelta(seconds=1))
    assert refresh(used.refresh_token).status_code == 200
    clock.shift(timedelta(seconds=1))
    assert refresh(unused.refresh_token).status_code == 401
    assert facts() == [("auth.token_refreshed", f"user:{ada.pk}")]


def test_a_session_that_is_used_lasts_thirty_days(ada: User, clock: Any) -> None:
    token = begin(ada).refresh_token
    for _ in range(5):
        clock.shift(timedelta(days=6) - timedelta(seconds=1))
        token = refresh(token).json()["refresh_token"]
    clock.shift(timedelta(seconds=5))

    assert refresh(token).status_code == 401


def test_an_access_token_does_not_outlive_its_session(ada: User, clock: Any) -> None:
    tokens = begin(ada, lifetime=timedelta(minutes=10))

    clock.shift(timedelta(seconds=599))
    assert works(tokens)
    clock.shift(timedelta(seconds=1))
    assert not works(tokens)


def test_an_admin_who_acts_as_a_user_is_remembered(ada: User, bob: User) -> None:
    tokens = begin(ada, impersonator=bob)
    assert works(tokens)

    with context.acting_as("anonymous", source="api"):
        act_as_holder(tokens.session)
        assert (context.current().actor, context.current().impersonator) == (str(ada.pk), str(bob.pk))


# Refreshing


def test_a_refresh_gives_the_next_tokens_of_the_family(ada: User, facts: Callable[..., Any]) -> None:
    tokens = begin(ada, client=Client("192.0.2.1", "Old browser"))

    response = APIClient().post(
        REFRESH, {"refresh_token": tokens.refresh_token}, headers={"User-Agent": "x" * 300}
    )

    assert response.status_code == 200
    session = Session.objects.get()
    assert (session.pk, session.generation) == (tokens.session.pk, 2)
    assert (session.address, session.user_agent) == ("127.0.0.1", "x" * 200)
    assert refresh(response.json()["refresh_token"]).status_code == 200
    assert works(tokens)
    assert facts(actor=str(ada.pk)) == [("auth.token_refreshed", f"user:{ada.pk}")] * 2


def test_a_used_refresh_token_ends_its_family_and_no_other(
    ada: User, tokens: Tokens, facts: Callable[..., Any]
) -> None:
    other = begin(ada)
    child = refresh(tokens.refresh_token).json()

    assert refresh(tokens.refresh_token).status_code == 401

    assert_over(tokens, "token_reused")
    assert refresh(child["refresh_token"]).status_code == 401
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {child['access_token']}")
    assert client.get(ME).status_code == 401
    assert works(other)
    assert facts() == [
        ("auth.token_refreshed", f"user:{ada.pk}"),
        ("auth.refresh_token_reused", f"user:{ada.pk}"),
    ]
    reused = AuditEvent.objects.get(event="auth.refresh_token_reused")
    assert reused.data == {"session_id": str(tokens.session.pk), "address": "127.0.0.1"}


def test_within_the_grace_a_repeat_conflicts_and_mints_nothing(
    ada: User, settings: Any, clock: Any, facts: Callable[..., Any]
) -> None:
    settings.AUTH_REFRESH_GRACE_SECONDS = 10
    tokens = begin(ada)
    child = refresh(tokens.refresh_token).json()
    clock.shift(9)

    repeat = refresh(tokens.refresh_token)

    assert (repeat.status_code, repeat.json()["error"]["code"]) == (409, "CONFLICT")
    assert "access_token" not in repeat.json()
    assert Session.objects.get().generation == 2
    assert facts() == [("auth.token_refreshed", f"user:{ada.pk}")]
    assert refresh(child["refresh_token"]).status_code == 200
    assert refresh(tokens.refresh_token).status_code == 401  # Two generations old.
    assert_over(tokens, "token_reused")


def test_a_locked_account_refreshes_nothing_until_it_is_open_again(
    ada: User, tokens: Tokens, facts: Callable[..., Any]
) -> None:
    for _ in range(5):
        APIClient().post(f"{AUTH}/login", {"email": "ada@example.com", "password": "Wrong-horse-7"})

    locked = refresh(tokens.refresh_token)

    assert (locked.status_code, locked.json()["error"]["code"]) == (429, "ACCOUNT_LOCKED")
    assert Session.objects.get().generation == 1
    assert ("auth.token_refreshed", f"user:{ada.pk}") not in facts()
    unlock(ada)
    assert refresh(tokens.refresh_token).status_code == 200


def test_after_the_grace_a_repeat_is_reuse(ada: User, settings: Any, clock: Any) -> None:
    settings.AUTH_REFRESH_GRACE_SECONDS = 10
    tokens = begin(ada)
    refresh(tokens.refresh_token)
    clock.shift(10)

    assert refresh(tokens.refresh_token).status_code == 401
    assert_over(tokens, "token_reused")


def test_an_admin_who_is_logged_out_everywhere_acts_as_nobody_else(
    ada: User, make_user: Callable[..., User]
) -> None:
    root = make_user("admin")
    own, in_adas_name, adas = begin(root), begin(ada, impersonator=root), begin(ada)

    response = bearer(own).post(f"{AUTH}/logout-all")

    assert response.json()["sessions_invalidated"] == 2
    assert [works(tokens) for tokens in (own, in_adas_name, adas)] == [False, False, True]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("grace", "refusal", "survives"), [(0, 401, False), (30, 409, True)])
def test_of_parallel_refreshes_of_one_token_exactly_one_has_a_child(
    ada: User, settings: Any, grace: int, refusal: int, *, survives: bool
) -> None:
    settings.AUTH_REFRESH_GRACE_SECONDS = grace
    at_once = Barrier(10)

    def race(token: str) -> Any:
        at_once.wait()
        response = refresh(token)
        connection.close()
        return response

    with ThreadPoolExecutor(10) as pool:
        for _ in range(20):
            tokens = begin(ada)
            answers = list(pool.map(race, [tokens.refresh_token] * 10))

            assert sorted(answer.status_code for answer in answers) == [200] + [refusal] * 9
            session = Session.objects.get(pk=tokens.session.pk)
            assert (session.generation, session.ended_at is None) == (2, survives)
            child = next(answer.json() for answer in answers if answer.status_code == 200)
            assert refresh(child["refresh_token"]).status_code == (200 if survives else 401)
    refreshed = AuditEvent.objects.filter(event="auth.token_refreshed").count()
    reused = AuditEvent.objects.filter(event="auth.refresh_token_reused").count()
    assert (refreshed, reused) == ((40, 0) if survives else (20, 20))


@pytest.mark.django_db(transaction=True)
def test_a_deactivation_in_flight_stops_a_refresh(ada: User, tokens: Tokens) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.filter(pk=ada.pk).update(is_active=False)
            waiting = pool.submit(refused, lambda: exchange(tokens.refresh_token))
            assert waits_for_a_lock()
        assert waiting.result(timeout=5)
    assert Session.objects.get().generation == 1


@pytest.mark.django_db(transaction=True)
def test_a_new_password_in_flight_stops_a_login_with_the_old_one(ada: User) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.filter(pk=ada.pk).update(password=make_password("Red-horse-7"))
            waiting = pool.submit(refused, lambda: begin(ada))
            assert waits_for_a_lock()
        assert waiting.result(timeout=5)
    assert not Session.objects.exists()


def refused(call: Callable[[], object]) -> bool:
    try:
        with pytest.raises(Unauthenticated):
            call()
    finally:
        connection.close()
    return True


def waits_for_a_lock() -> bool:
    """Within five seconds some other connection to this database waits for a lock."""
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    while datetime.now(UTC) < deadline:
        with connection.cursor() as cursor:
            # Within a transaction PostgreSQL shows the activity of its first look again.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
            if cursor.fetchone() != (0,):
                return True
    return False


# The end


def test_after_logout_no_call_is_accepted_and_other_sessions_go_on(
    ada: User, bob: User, tokens: Tokens, facts: Callable[..., Any]
) -> None:
    other, stranger = begin(ada), begin(bob)

    response = bearer(tokens).post(LOGOUT)

    assert (response.status_code, response.json()) == (200, {"message": "Logged out."})
    assert facts() == [("auth.logged_out", f"user:{ada.pk}")]
    assert_over(tokens, "logged_out")
    assert works(other)
    assert works(stranger)


def test_logout_takes_a_token(facts: Callable[..., Any], tokens: Tokens) -> None:
    assert APIClient().post(LOGOUT).status_code == 401
    assert facts() == []
    assert works(tokens)


def test_logout_everywhere(ada: User, bob: User, tokens: Tokens, facts: Callable[..., Any]) -> None:
    other, stranger = begin(ada), begin(bob)

    response = bearer(tokens).post(f"{AUTH}/logout-all")

    assert response.status_code == 200
    assert response.json() == {"message": "Logged out everywhere.", "sessions_invalidated": 2}
    assert facts() == [("auth.logged_out_everywhere", f"user:{ada.pk}")]
    assert_over(tokens, "logged_out_everywhere")
    assert_over(other, "logged_out_everywhere")
    assert works(stranger)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"role": Role.MANAGER}, "role_changed"),
        ({"role": Role.VIEWER}, "role_changed"),
        ({"is_active": False}, "deactivated"),
        ({"is_active": False, "role": Role.VIEWER}, "deactivated"),
        ({"password": make_password("Red-horse-7")}, "password_changed"),
    ],
)
def test_a_session_ends_with_what_it_rests_on_whoever_changes_it(
    ada: User, bob: User, tokens: Tokens, change: dict[str, Any], reason: str
) -> None:
    before = {name: getattr(ada, name) for name in change}
    as_bob = begin(bob, impersonator=ada)

    User.objects.filter(pk=ada.pk).update(**change)
    assert_over(tokens, reason)
    assert_over(as_bob, reason)

    User.objects.filter(pk=ada.pk).update(**before)
    assert_over(tokens, reason)


def test_a_new_name_ends_nothing(ada: User, tokens: Tokens) -> None:
    User.objects.filter(pk=ada.pk).update(full_name="Ada L.", stellar_wallet="G")
    ada.save()

    assert works(tokens)
    assert refresh(tokens.refresh_token).status_code == 200


def test_a_change_that_is_taken_back_has_ended_nothing(ada: User, tokens: Tokens) -> None:
    with transaction.atomic():
        User.objects.filter(pk=ada.pk).update(role=Role.VIEWER)
        transaction.set_rollback(True)

    assert works(tokens)


def test_a_user_who_may_not_enter_has_no_session(make_user: Callable[..., User], ada: User) -> None:
    stale = User.objects.get(pk=ada.pk)
    User.objects.filter(pk=ada.pk).update(password=make_password(None))

    for user in (make_user(email="eve@example.com", is_active=False), stale, User(pk=0, email="x")):
        with pytest.raises(Unauthenticated):
            begin(user)
    assert not Session.objects.exists()


def test_a_user_who_is_gone_has_no_token(ada: User, tokens: Tokens) -> None:
    ada.delete()

    assert not works(tokens)
    assert refresh(tokens.refresh_token).status_code == 401


@pytest.mark.parametrize(
    "change", [{"ended_reason": "logged_out"}, {"expires_at": datetime(2000, 1, 1, tzinfo=UTC)}]
)
def test_the_database_keeps_what_a_session_is(tokens: Tokens, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.filter(pk=tokens.session.pk).update(**change)


# The list


def test_the_list_shows_ones_own_sessions(ada: User, bob: User, clock: Any) -> None:
    older = begin(ada, client=Client("192.0.2.1", "Firefox"))
    clock.shift(60)
    newer = begin(ada)
    begin(bob)
    bearer(gone := begin(ada)).post(LOGOUT)

    response = bearer(newer).get(SESSIONS)

    body = response.json()
    assert (response.status_code, body["total"]) == (200, 2)
    assert [item["id"] for item in body["results"]] == [str(newer.session.pk), str(older.session.pk)]
    assert str(gone.session.pk) not in str(body)
    assert body["results"][1] == {
        "id": str(older.session.pk),
        "created_at": "2026-01-16T10:00:00Z",
        "last_used_at": "2026-01-16T10:00:00Z",
        "expires_at": "2026-02-15T10:00:00Z",
        "address": "192.0.2.1",
        "user_agent": "Firefox",
        "current": False,
        "impersonated": False,
    }
    assert body["results"][0]["current"] is True


@pytest.mark.parametrize("count", [2, 50])
def test_the_list_costs_three_queries(ada: User, count: int, django_assert_num_queries: Any) -> None:
    client = bearer([begin(ada) for _ in range(count)][-1])

    with django_assert_num_queries(3):
        assert client.get(SESSIONS).json()["total"] == count


def test_a_session_is_removed_by_its_owner(ada: User, tokens: Tokens, facts: Callable[..., Any]) -> None:
    mine = begin(ada)

    response = bearer(mine).delete(f"{SESSIONS}/{tokens.session.pk}")

    assert (response.status_code, response.content) == (204, b"")
    assert facts() == [("auth.session_removed", f"user:{ada.pk}")]
    assert_over(tokens, "removed")
    assert works(mine)
    assert bearer(mine).delete(f"{SESSIONS}/{tokens.session.pk}").status_code == 404


def test_anothers_session_and_none_look_the_same(
    bob: User, tokens: Tokens, facts: Callable[..., Any]
) -> None:
    client = bearer(begin(bob))
    nowhere = "7b5a1c1e-3f4d-4a7e-9c77-000000000001"

    answers = [client.delete(f"{SESSIONS}/{name}") for name in (tokens.session.pk, nowhere, "1", "x" * 99)]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["detail"] for answer in answers} == {"You have no such session."}
    assert facts() == []
    assert works(tokens)


# What an admin does


def test_an_admin_sees_and_ends_the_sessions_of_a_user(
    client_as: Callable[[str], APIClient], ada: User, tokens: Tokens, facts: Callable[..., Any]
) -> None:
    admin, path = client_as("admin"), f"/api/v1/users/{ada.pk}"
    begin(ada)

    listed = admin.get(f"{path}/sessions").json()
    assert (listed["total"], {item["current"] for item in listed["results"]}) == (2, {False})
    response = admin.post(f"{path}/logout")

    assert response.json() == {"message": "The user is logged out.", "sessions_invalidated": 2}
    assert facts(actor=str(User.objects.get(role="admin").pk)) == [("auth.sessions_ended", f"user:{ada.pk}")]
    assert_over(tokens, "admin_logout")


def test_the_sessions_of_others_are_for_admins(
    client_as: Callable[[str], APIClient], ada: User, tokens: Tokens
) -> None:
    manager, admin = client_as("manager"), client_as("admin")

    assert manager.get(f"/api/v1/users/{ada.pk}/sessions").status_code == 403
    assert manager.post(f"/api/v1/users/{ada.pk}/logout").status_code == 403
    for nobody in ("0", "x", "9" * 30):
        assert admin.get(f"/api/v1/users/{nobody}/sessions").status_code == 404
        assert admin.post(f"/api/v1/users/{nobody}/logout").status_code == 404
    assert works(tokens)


# The admin site


@pytest.fixture
def site(make_user: Callable[..., User]) -> Site:
    browser = Site()
    browser.force_login(make_user(Role.ADMIN, email="root@example.com", is_staff=True))
    return browser


@pytest.mark.parametrize("count", [2, 50])
def test_the_admin_site_lists_sessions(
    site: Site, ada: User, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        begin(ada)

    with django_assert_num_queries(6):
        page = site.get("/admin/accounts/session/", {"q": "ada"})

    assert len(page.context["cl"].result_list) == count


def test_the_admin_site_logs_users_out(
    site: Site, ada: User, bob: User, tokens: Tokens, facts: Callable[..., Any]
) -> None:
    begin(ada)
    stranger = begin(bob)

    response = site.post(
        "/admin/accounts/session/", {"action": "log_users_out", "_selected_action": [tokens.session.pk]}
    )

    assert response.status_code == 302
    assert facts(source="admin") == [("auth.sessions_ended", f"user:{ada.pk}")]
    assert_over(tokens, "admin_logout")
    assert works(stranger)


def test_the_admin_site_shows_no_digest_and_changes_nothing(site: Site, tokens: Tokens) -> None:
    path = f"/admin/accounts/session/{tokens.session.pk}/change/"

    assert tokens.session.refresh_digest not in site.get(path).content.decode()
    assert site.post(path, {"address": "x"}).status_code == 403
    assert works(tokens)
