"""A browser's session: tokens in cookies, the rule against forged requests, and renewal by the server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from apexchainx.accounts.models import Role, Session, User
from apexchainx.accounts.services.sessions import begin
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

AUTH = "/api/v1/auth"
ME, REFRESH, LOGOUT, LOGIN = f"{AUTH}/me", f"{AUTH}/refresh", f"{AUTH}/logout", f"{AUTH}/login"
OUTAGES = "/api/v1/outages"
ACCESS, RENEWAL, CSRF = "noc_access_token", "noc_refresh_token", "apex_csrf"
OUTAGE = {"site_name": "Cell Tower Alpha", "severity": "high"}


@pytest.fixture
def browser(ada: User) -> APIClient:
    """Where Ada has logged in; it keeps cookies as browsers do."""
    client = APIClient()
    assert client.post(LOGIN, {"email": "ada@example.com", "password": "Blue-horse-7"}).status_code == 200
    return client


def with_token(client: APIClient) -> dict[str, str]:
    return {"X-CSRF-Token": client.cookies[CSRF].value}


def lose_access(client: APIClient) -> None:
    """What a browser does with a cookie that has expired."""
    del client.cookies[ACCESS]


def test_login_sets_the_cookies(anonymous: APIClient, ada: User, settings: Any, clock: Any) -> None:
    settings.DEBUG = False
    settings.AUTH_COOKIE_DOMAIN = "noc.example.com"

    response = anonymous.post(LOGIN, {"email": "ada@example.com", "password": "Blue-horse-7"})

    cookies = response.cookies
    assert set(cookies) == {ACCESS, RENEWAL, CSRF}
    assert cookies[ACCESS].value == response.json()["access_token"]
    assert cookies[RENEWAL].value == response.json()["refresh_token"]
    assert len(cookies[CSRF].value) >= 32
    for cookie in cookies.values():
        assert (cookie["samesite"], cookie["secure"], cookie["path"]) == ("Lax", True, "/")
        assert cookie["domain"] == "noc.example.com"
    assert [bool(cookies[name]["httponly"]) for name in (ACCESS, RENEWAL, CSRF)] == [True, True, False]
    assert [cookies[name]["max-age"] for name in (ACCESS, RENEWAL, CSRF)] == [3600, 30 * 86_400, 30 * 86_400]


def test_in_development_cookies_go_over_plain_http(browser: APIClient, settings: Any, ada: User) -> None:
    settings.DEBUG = True

    response = APIClient().post(LOGIN, {"email": "ada@example.com", "password": "Blue-horse-7"})

    assert not any(cookie["secure"] for cookie in response.cookies.values())
    assert not any(cookie["domain"] for cookie in response.cookies.values())


def test_a_cookie_is_as_good_as_a_token(
    browser: APIClient, ada: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        response = browser.get(ME)

    assert (response.status_code, response.json()["id"]) == (200, str(ada.pk))
    assert not response.cookies


def test_an_authorization_header_goes_before_the_cookies(
    browser: APIClient, make_user: Callable[..., User]
) -> None:
    bob = make_user(Role.VIEWER, email="bob@example.com")

    def me(header: str) -> Any:
        return browser.get(ME, headers={"Authorization": header})

    assert me(f"Bearer {begin(bob).access_token}").json()["id"] == str(bob.pk)
    assert me("Bearer nonsense").status_code == 401
    assert me("Basic YTpi").status_code == 401
    by_token = {"Authorization": f"Bearer {begin(bob).access_token}"}
    assert browser.post(LOGOUT, headers=by_token).status_code == 200  # No CSRF rule for a bearer.


def test_cookies_that_are_worth_nothing_are_nobody(anonymous: APIClient) -> None:
    anonymous.cookies.load({ACCESS: "nonsense", RENEWAL: "a.b.c"})

    assert anonymous.get(ME).status_code == 401
    response = anonymous.post(f"{AUTH}/register", {"email": "eve@example.com", "password": "Blue-horse-7"})
    assert response.status_code == 201


# Forged requests


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "guess"},
        {"X-CSRF-Token": "\u00e9"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example.com"},
        {"Origin": "https://testserver"},
        {"Referer": "http://testserver/"},
    ],
)
def test_a_change_by_cookie_alone_is_refused(browser: APIClient, headers: dict[str, str]) -> None:
    before = AuditEvent.objects.count()

    answers = [
        browser.post(OUTAGES, OUTAGE, headers=headers),
        browser.post(LOGOUT, headers=headers),
        browser.post(REFRESH, {}, headers=headers),
        browser.delete(f"{AUTH}/sessions/{Session.objects.get().pk}", headers=headers),
    ]

    for response in answers:
        assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert response.json()["detail"] == "Send X-CSRF-Token with the value of the cookie apex_csrf."
    assert AuditEvent.objects.count() == before
    assert browser.get(ME, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://testserver", "https://noc.example.com", "https://front.example.com"]
)
def test_a_change_from_a_page_of_ours_is_accepted(browser: APIClient, settings: Any, origin: str) -> None:
    settings.ALLOWED_ORIGINS = ["https://front.example.com"]
    settings.APP_BASE_URL = "https://noc.example.com/"

    assert browser.post(OUTAGES, OUTAGE, headers={"Origin": origin}).status_code == 201


def test_a_change_that_repeats_the_cookie_is_accepted(browser: APIClient) -> None:
    assert browser.post(OUTAGES, OUTAGE, headers=with_token(browser)).status_code == 201


def test_no_cookie_is_not_repeated_by_no_header(browser: APIClient) -> None:
    browser.cookies[CSRF] = ""

    assert browser.post(OUTAGES, OUTAGE, headers={"X-CSRF-Token": ""}).status_code == 403


# Refresh and logout


def test_refresh_by_cookie(browser: APIClient) -> None:
    before = {name: browser.cookies[name].value for name in (ACCESS, RENEWAL, CSRF)}

    response = browser.post(REFRESH, headers=with_token(browser))

    assert response.status_code == 200
    assert response.json()["refresh_token"] == browser.cookies[RENEWAL].value != before[RENEWAL]
    assert browser.cookies[ACCESS].value != before[ACCESS]
    assert browser.cookies[CSRF].value == before[CSRF]
    assert browser.get(ME).status_code == 200


def test_a_token_in_the_body_goes_before_the_cookie(browser: APIClient, ada: User) -> None:
    kept = browser.cookies[RENEWAL].value

    assert APIClient().post(REFRESH, {"refresh_token": begin(ada).refresh_token}).status_code == 200
    assert browser.post(REFRESH, {"refresh_token": "nonsense"}).status_code == 401
    assert browser.cookies[RENEWAL].value == kept


def test_logout_takes_the_cookies_back(browser: APIClient) -> None:
    kept = {name: browser.cookies[name].value for name in (ACCESS, RENEWAL)}

    response = browser.post(LOGOUT, headers=with_token(browser))

    assert {name: cookie["max-age"] for name, cookie in response.cookies.items()} == {
        ACCESS: 0,
        RENEWAL: 0,
        CSRF: 0,
    }
    thief = APIClient()
    thief.cookies.load(kept)
    assert thief.get(ME).status_code == 401
    assert Session.objects.get().ended_reason == "logged_out"


# Renewal by the server


def test_a_live_refresh_cookie_serves_the_request_and_renews_the_access(
    browser: APIClient, ada: User, clock: Any
) -> None:
    browser.post(LOGIN, {"email": "ada@example.com", "password": "Blue-horse-7"})
    token, generation = browser.cookies[RENEWAL].value, Session.objects.latest("created_at").generation
    clock.shift(3600)  # Now the access cookie is there, and over.

    response = browser.get(ME)

    assert (response.status_code, response.json()["id"]) == (200, str(ada.pk))
    assert set(response.cookies) == {ACCESS}
    assert (response.cookies[ACCESS]["max-age"], response.cookies[ACCESS]["httponly"]) == (3600, True)
    session = Session.objects.latest("last_used_at")
    assert (browser.cookies[RENEWAL].value, session.generation) == (token, generation)
    assert not browser.get(ME).cookies
    fact = AuditEvent.objects.get(event="auth.token_renewed")
    assert (fact.subject, fact.actor) == (f"user:{ada.pk}", str(ada.pk))


def test_a_renewed_request_keeps_the_rule_against_forged_ones(browser: APIClient) -> None:
    lose_access(browser)
    Session.objects.update(last_used_at=timezone.now() - timedelta(days=1))
    before = AuditEvent.objects.count()

    refused = browser.post(OUTAGES, OUTAGE)
    assert (refused.status_code, len(refused.cookies)) == (403, 0)
    assert AuditEvent.objects.count() == before
    response = browser.post(OUTAGES, OUTAGE, headers=with_token(browser))

    assert (response.status_code, set(response.cookies)) == (201, {ACCESS})


def test_logout_with_a_renewed_access_leaves_no_cookie(browser: APIClient) -> None:
    lose_access(browser)

    response = browser.post(LOGOUT, headers=with_token(browser))

    assert response.status_code == 200
    assert response.cookies[ACCESS].value == ""
    assert Session.objects.get().ended_reason == "logged_out"


def test_renewal_ends_with_the_session(browser: APIClient, ada: User) -> None:
    lose_access(browser)
    User.objects.filter(pk=ada.pk).update(role=Role.VIEWER)

    response = browser.get(ME)

    assert (response.status_code, len(response.cookies)) == (401, 0)


def test_renewal_counts_as_use_and_ends_with_idleness(ada: User, clock: Any) -> None:
    browser = APIClient()
    browser.cookies.load({RENEWAL: begin(ada).refresh_token})
    for _ in range(2):
        clock.shift(timedelta(days=7) - timedelta(seconds=1))
        lose_access_if_there(browser)
        assert browser.get(ME).status_code == 200

    clock.shift(timedelta(days=7))
    lose_access_if_there(browser)
    assert browser.get(ME).status_code == 401
    assert AuditEvent.objects.filter(event="auth.token_renewed").count() == 2


def test_renewal_ends_after_thirty_days_of_use(ada: User, clock: Any) -> None:
    browser = APIClient()
    browser.cookies.load({RENEWAL: begin(ada).refresh_token})
    answers = []
    for _ in range(5):
        clock.shift(timedelta(days=6))
        lose_access_if_there(browser)
        answers.append(browser.get(ME).status_code)

    assert answers == [200, 200, 200, 200, 401]


def lose_access_if_there(client: APIClient) -> None:
    client.cookies.pop(ACCESS, None)


def test_a_refresh_cookie_that_was_exchanged_renews_nothing(browser: APIClient) -> None:
    old = APIClient()
    old.cookies.load({RENEWAL: browser.cookies[RENEWAL].value})
    browser.post(REFRESH, headers=with_token(browser))

    assert old.get(ME).status_code == 401
    assert browser.get(ME).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_many_requests_of_one_page_are_all_served_and_are_one_use(ada: User, clock: Any) -> None:
    token = begin(ada).refresh_token
    clock.shift(3600)

    def load(_: int) -> int:
        page = APIClient()
        page.cookies.load({RENEWAL: token})
        try:
            return int(page.get(ME).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(load, range(24))) == {200}
    assert AuditEvent.objects.filter(event="auth.token_renewed").count() == 1
    assert Session.objects.get().generation == 1
