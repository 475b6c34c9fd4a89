"""What a token is worth: who made it, of which kind, until when, and whether its session still runs."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from rest_framework.test import APIClient

from apexchainx.accounts.models import Role, Session, User
from apexchainx.accounts.services.sessions import Tokens, begin
from apexchainx.accounts.services.signing import keyring

pytestmark = pytest.mark.django_db

ME, REFRESH, LOGOUT = "/api/v1/auth/me", "/api/v1/auth/refresh", "/api/v1/auth/logout"
NOW = datetime(2026, 1, 16, 9, 30, tzinfo=UTC)


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(Role.ENGINEER, email="ada@example.com")


@pytest.fixture
def tokens(ada: User) -> Tokens:
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


def test_a_token_says_who_and_which_kind_and_nothing_more(ada: User, tokens: Tokens) -> None:
    access, renewal = claims(tokens.access_token), claims(tokens.refresh_token)

    names = {"token_type", "exp", "iat", "jti", "sub", "iss", "aud", "sid", "gen"}
    assert set(access) == set(renewal) == names
    assert (access["sub"], access["iss"], access["aud"]) == (str(ada.pk), "apexchainx", "apexchainx")
    assert access["sid"] == renewal["sid"] == str(Session.objects.get().pk)
    assert (access["token_type"], renewal["token_type"], renewal["gen"]) == ("access", "refresh", 1)
    assert access["exp"] - access["iat"] == 3600
    assert renewal["exp"] - renewal["iat"] == 30 * 86_400
    for token in (tokens.access_token, tokens.refresh_token):
        assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT", "kid": keyring(60).newest}


def test_of_a_refresh_token_only_the_digest_is_kept(tokens: Tokens) -> None:
    kept = str(Session.objects.values().get())

    assert hashlib.sha256(tokens.refresh_token.encode()).hexdigest() in kept
    assert tokens.refresh_token not in kept
    assert "eyJ" not in repr(tokens)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_good_token_is_accepted(tokens: Tokens, scheme: str) -> None:
    assert me(tokens.access_token, scheme=scheme).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer a b", "Bearer ", "Basic YTpi", "Token x", "\xff", "Bearer \xff"]
)
def test_a_header_without_a_token_is_no_introduction(header: str) -> None:
    assert_refused(APIClient().get(ME, headers={"Authorization": header}))


def signed(body: dict[str, Any], *, key: str = "", alg: str = "HS256", **header: Any) -> str:
    """A token that our own key signs, whatever it says."""
    ring = keyring(60)
    key = key or str(ring.backends[ring.newest].signing_key)
    return jwt.encode(body, key, alg, headers={"kid": ring.newest, **header})


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


@pytest.mark.parametrize(
    "forge",
    [
        lambda body, token: "",
        lambda body, token: "x",
        lambda body, token: "a.b.c",
        lambda body, token: token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"),
        lambda body, token: token.rpartition(".")[0] + ".",
        lambda body, token: signed(body, key="another-key-of-at-least-thirty-two-bytes"),
        lambda body, token: signed(body, key=settings.SECRET_KEY),
        lambda body, token: signed(body, alg="HS512", key="k" * 64),
        lambda body, token: signed(body, alg="HS384"),
        lambda body, token: signed(body, kid="nobody"),
        lambda body, token: jwt.encode(body, "k" * 32, "HS256"),
        lambda body, token: unsigned({"alg": "HS256", "kid": 7}, body, token.rpartition(".")[2]),
        lambda body, token: signed({**body, "iss": "elsewhere"}),
        lambda body, token: signed({**body, "aud": "elsewhere"}),
        lambda body, token: signed({**body, "sub": "999999"}),
        lambda body, token: signed({**body, "sub": "x"}),
        lambda body, token: signed({**body, "sid": "7b5a1c1e-3f4d-4a7e-9c77-000000000001"}),
        lambda body, token: signed({**body, "sid": "x"}),
        lambda body, token: signed({**body, "sid": 7}),
        *[
            lambda body, token, name=name: signed(without(body, name))
            for name in ("iss", "aud", "exp", "sub", "sid", "token_type", "gen")
        ],
        lambda body, token: unsigned({"alg": "none", "typ": "JWT"}, body),
        lambda body, token: unsigned({"alg": "None", "typ": "JWT"}, body, token.rpartition(".")[2]),
        lambda body, token: unsigned({"typ": "JWT"}, body, token.rpartition(".")[2]),
        lambda body, token: unsigned({"alg": "none", "kid": keyring(60).newest}, body),
        lambda body, token: "\u00e9.\u00e9.\u00e9",
        lambda body, token: "9" * 6_000,
    ],
)
def test_what_we_did_not_make_is_refused_in_both_places(tokens: Tokens, forge: Any) -> None:
    assert_refused(me(forge(claims(tokens.access_token), tokens.access_token).encode().decode("latin-1")))
    response = refresh(forge(claims(tokens.refresh_token), tokens.refresh_token))
    if response.status_code != 400:
        assert_refused(response)
    assert me(tokens.access_token).status_code == 200


def test_what_we_sign_is_accepted(tokens: Tokens) -> None:
    assert me(signed(claims(tokens.access_token))).status_code == 200


def test_one_kind_does_not_do_for_the_other(tokens: Tokens) -> None:
    assert_refused(me(tokens.refresh_token))
    assert_refused(refresh(tokens.access_token))


def test_an_access_token_lasts_an_hour(ada: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        tokens = begin(ada)
        clock.shift(timedelta(seconds=3599))
        assert me(tokens.access_token).status_code == 200
        clock.shift(timedelta(seconds=1))
        assert_refused(me(tokens.access_token))


def test_refresh_answers_like_login(ada: User, tokens: Tokens) -> None:
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
