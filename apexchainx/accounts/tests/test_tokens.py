"""What a token is worth: who made it, of which kind, until when, and whether its session still runs."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from rest_framework.test import APIClient

from apexchainx.accounts.models import Role, User
from apexchainx.accounts.services.sessions import Session, begin

pytestmark = pytest.mark.django_db

ME, REFRESH, LOGOUT = "/api/v1/auth/me", "/api/v1/auth/refresh", "/api/v1/auth/logout"
NOW = datetime(2026, 1, 16, 9, 30, tzinfo=UTC)


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(Role.ENGINEER, email="ada@example.com")


@pytest.fixture
def tokens(ada: User) -> Session:
    return begin(ada)


def me(token: str, *, scheme: str = "Bearer") -> Any:
    return APIClient().get(ME, headers={"Authorization": f"{scheme} {token}"})


def refresh(token: str) -> Any:
    return APIClient().post(REFRESH, {"refresh_token": token})


def assert_refused(response: Any) -> None:
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["details"]) == (401, "UNAUTHORIZED", {})
    assert response.json()["detail"] == error["message"]
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def unsigned(header: dict[str, Any], payload: dict[str, Any], signature: str = "") -> str:
    parts = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload)
    )
    return f"{'.'.join(parts)}.{signature}"


def test_a_token_says_who_and_which_kind_and_nothing_more(ada: User, tokens: Session) -> None:
    access, renewal = claims(tokens.access_token), claims(tokens.refresh_token)

    assert set(access) == set(renewal) == {"token_type", "exp", "iat", "jti", "sub", "iss", "ver"}
    assert (access["sub"], access["iss"], access["token_type"]) == (str(ada.pk), "apexchainx", "access")
    assert (renewal["token_type"], renewal["ver"]) == ("refresh", 1)
    assert access["exp"] - access["iat"] == 3600
    assert renewal["exp"] - renewal["iat"] == 7 * 86_400


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_good_token_is_accepted(tokens: Session, scheme: str) -> None:
    assert me(tokens.access_token, scheme=scheme).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer a b", "Bearer ", "Basic YTpi", "Token x", "\xff", "Bearer \xff"]
)
def test_a_header_without_a_token_is_no_introduction(header: str) -> None:
    assert_refused(APIClient().get(ME, headers={"Authorization": header}))


@pytest.mark.parametrize(
    "forge",
    [
        lambda body, token: "",
        lambda body, token: "x",
        lambda body, token: "a.b.c",
        lambda body, token: token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"),
        lambda body, token: token.rpartition(".")[0] + ".",
        lambda body, token: jwt.encode(
            {**body, "sub": "1"}, "another-key-of-at-least-thirty-two-bytes", "HS256"
        ),
        lambda body, token: jwt.encode(body, settings.SECRET_KEY * 2, "HS512"),
        lambda body, token: jwt.encode({**body, "iss": "elsewhere"}, settings.SECRET_KEY, "HS256"),
        lambda body, token: jwt.encode(
            {k: v for k, v in body.items() if k != "iss"}, settings.SECRET_KEY, "HS256"
        ),
        lambda body, token: jwt.encode(
            {k: v for k, v in body.items() if k != "exp"}, settings.SECRET_KEY, "HS256"
        ),
        lambda body, token: jwt.encode(
            {k: v for k, v in body.items() if k != "sub"}, settings.SECRET_KEY, "HS256"
        ),
        lambda body, token: jwt.encode(
            {k: v for k, v in body.items() if k != "ver"}, settings.SECRET_KEY, "HS256"
        ),
        lambda body, token: jwt.encode(
            {k: v for k, v in body.items() if k != "token_type"}, settings.SECRET_KEY, "HS256"
        ),
        lambda body, token: jwt.encode({**body, "sub": "999999"}, settings.SECRET_KEY, "HS256"),
        lambda body, token: jwt.encode({**body, "ver": 2}, settings.SECRET_KEY, "HS256"),
        lambda body, token: unsigned({"alg": "none", "typ": "JWT"}, body),
        lambda body, token: unsigned({"alg": "None", "typ": "JWT"}, body, token.rpartition(".")[2]),
        lambda body, token: unsigned({"typ": "JWT"}, body, token.rpartition(".")[2]),
        lambda body, token: "\u00e9.\u00e9.\u00e9",
        lambda body, token: "9" * 6_000,
    ],
)
def test_what_we_did_not_make_is_refused_in_both_places(tokens: Session, forge: Any) -> None:
    assert_refused(me(forge(claims(tokens.access_token), tokens.access_token).encode().decode("latin-1")))
    response = refresh(forge(claims(tokens.refresh_token), tokens.refresh_token))
    if response.status_code != 400:
        assert_refused(response)


def test_one_kind_does_not_do_for_the_other(tokens: Session) -> None:
    assert_refused(me(tokens.refresh_token))
    assert_refused(refresh(tokens.access_token))


def test_an_access_token_lasts_an_hour(ada: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        tokens = begin(ada)
        clock.shift(timedelta(seconds=3599))
        assert me(tokens.access_token).status_code == 200
        clock.shift(timedelta(seconds=1))
        assert_refused(me(tokens.access_token))


def test_a_refresh_token_lasts_a_week(ada: User, facts: Callable[..., Any]) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        tokens = begin(ada)
        clock.shift(timedelta(days=7) - timedelta(seconds=1))
        assert refresh(tokens.refresh_token).status_code == 200
        clock.shift(timedelta(seconds=1))
        assert_refused(refresh(tokens.refresh_token))
    assert facts() == [("auth.token_refreshed", f"user:{ada.pk}")]


def test_refresh_answers_like_login(ada: User, tokens: Session) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1), tick=False):
        body = refresh(tokens.refresh_token).json()
        assert me(body["access_token"]).json()["id"] == str(ada.pk)

    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert body["user"]["email"] == "ada@example.com"
    assert body["refresh_token"] != tokens.refresh_token


@pytest.mark.parametrize(
    "body", [{}, {"refresh_token": ""}, {"refresh_token": 7}, {"refresh_token": "x" * 4097}]
)
def test_what_cannot_be_a_refresh_token_is_400(body: dict[str, Any]) -> None:
    response = APIClient().post(REFRESH, body)

    assert (response.status_code, response.json()["error"]["details"]["field"]) == (400, "refresh_token")


# The end of a session


def assert_over(tokens: Session) -> None:
    assert_refused(me(tokens.access_token))
    assert_refused(refresh(tokens.refresh_token))


def test_logout_ends_every_token_of_the_user_at_once(
    ada: User, tokens: Session, make_user: Callable[..., User], facts: Callable[..., Any]
) -> None:
    other, bob = begin(ada), begin(make_user(email="bob@example.com"))

    response = APIClient().post(LOGOUT, headers={"Authorization": f"Bearer {tokens.access_token}"})

    assert (response.status_code, response.json()) == (200, {"message": "Logged out."})
    assert_over(tokens)
    assert_over(other)
    assert me(bob.access_token).status_code == 200
    assert facts() == [("auth.logged_out", f"user:{ada.pk}")]


def test_logout_takes_a_token(facts: Callable[..., Any], ada: User) -> None:
    assert_refused(APIClient().post(LOGOUT))
    assert facts() == []


@pytest.mark.parametrize(
    "change",
    [
        {"role": Role.MANAGER},
        {"role": Role.VIEWER},
        {"is_active": False},
        {"password": make_password("Red-horse-7")},
    ],
)
def test_a_token_ends_with_what_it_rests_on_whoever_changes_it(
    ada: User, tokens: Session, change: dict[str, Any]
) -> None:
    before = {name: getattr(ada, name) for name in change}

    User.objects.filter(pk=ada.pk).update(**change)
    assert_over(tokens)

    User.objects.filter(pk=ada.pk).update(**before)
    assert_over(tokens)


def test_a_stale_copy_brings_no_token_back(ada: User, tokens: Session) -> None:
    stale = User.objects.get(pk=ada.pk)
    APIClient().post(LOGOUT, headers={"Authorization": f"Bearer {tokens.access_token}"})

    stale.save()

    assert_over(tokens)


def test_a_new_name_ends_nothing(ada: User, tokens: Session) -> None:
    User.objects.filter(pk=ada.pk).update(full_name="Ada L.", stellar_wallet="G")

    assert me(tokens.access_token).status_code == 200
    assert refresh(tokens.refresh_token).status_code == 200


def test_a_change_that_is_taken_back_has_ended_nothing(ada: User, tokens: Session) -> None:
    with transaction.atomic():
        User.objects.filter(pk=ada.pk).update(role=Role.VIEWER)
        transaction.set_rollback(True)

    assert me(tokens.access_token).status_code == 200


def test_a_user_who_waits_for_activation_has_no_token_that_works(make_user: Callable[..., User]) -> None:
    assert_over(begin(make_user(email="bob@example.com", is_active=False)))


def test_a_user_who_is_gone_has_no_token(ada: User, tokens: Session) -> None:
    ada.delete()

    assert_over(tokens)
