"""The stream that tells a page when its session is over, and what it does not hold while it waits."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apexchainx.accounts.models import Role, Session, User
from apexchainx.accounts.services import sessions
from apexchainx.accounts.services.sessions import Tokens, begin
from apexchainx.accounts.views import events

pytestmark = pytest.mark.django_db

PATHS = ["/api/v1/auth/events", "/auth/events"]
RETRY, HEARTBEAT = "retry: 15000\n\n", "event: heartbeat\ndata: {}\n\n"


def revoked(reason: str) -> str:
    return f'event: session_revoked\ndata: {{"reason":"{reason}"}}\n\n'


@pytest.fixture
def tokens(ada: User) -> Tokens:
    return begin(ada)


@pytest.fixture
def held(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One stream is held, for a short while; its clock runs fast."""
    settings.AUTH_EVENT_STREAMS = 1
    settings.AUTH_EVENT_SECONDS = 10
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.01)
    yield
    assert events.PLACES.taken == 0


def ask(tokens: Tokens, path: str = PATHS[0], **headers: str) -> Any:
    return APIClient().get(path, headers={"Authorization": f"Bearer {tokens.access_token}", **headers})


def text(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


@pytest.mark.parametrize("path", PATHS)
def test_it_is_an_event_stream_that_nobody_keeps(tokens: Tokens, path: str) -> None:
    response = ask(tokens, path, Accept="text/event-stream")

    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"
    assert (response["Cache-Control"], response["X-Accel-Buffering"]) == ("no-store", "no")
    assert text(response) == RETRY + HEARTBEAT


@pytest.mark.parametrize("names", [("access_token",), ("refresh_token",), ("access_token", "refresh_token")])
def test_it_takes_cookies(tokens: Tokens, names: tuple[str, ...]) -> None:
    page = APIClient()
    page.cookies.load({f"noc_{name}": getattr(tokens, name) for name in names})

    response = page.get(PATHS[1])

    assert text(response) == RETRY + HEARTBEAT
    assert not response.cookies


@pytest.mark.parametrize("path", PATHS)
def test_without_a_session_it_is_401_in_the_envelope(anonymous: APIClient, path: str) -> None:
    response = anonymous.get(path, headers={"Accept": "text/event-stream"})

    assert (response.status_code, response["Content-Type"]) == (401, "application/json")
    assert response.json()["error"]["code"] == "UNAUTHORIZED"
    assert anonymous.get(path, headers={"Authorization": "Bearer x.y.z"}).status_code == 401


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_active": False}, "admin_logout"),
        ({"role": Role.VIEWER}, "admin_logout"),
        ({"password": "another"}, "password_changed"),
    ],
)
def test_a_page_that_comes_too_late_learns_why(
    ada: User, tokens: Tokens, change: dict[str, Any], reason: str
) -> None:
    User.objects.filter(pk=ada.pk).update(**change)

    assert text(ask(tokens)) == RETRY + revoked(reason)
    assert (
        APIClient()
        .get("/api/v1/auth/me", headers={"Authorization": f"Bearer {tokens.access_token}"})
        .status_code
        == 401
    )


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda tokens: sessions.end_sessions_of(tokens.user), "admin_logout"),
        (lambda tokens: sessions.logout(tokens.session), "session_expired"),
        (lambda tokens: sessions.logout_everywhere(tokens.user), "session_expired"),
        (lambda tokens: sessions.remove(tokens.user, str(tokens.session.pk)), "session_expired"),
    ],
)
def test_each_end_has_its_reason(tokens: Tokens, end: Callable[[Tokens], Any], reason: str) -> None:
    end(tokens)

    assert text(ask(tokens)) == RETRY + revoked(reason)


def test_a_session_that_time_has_ended(ada: User, clock: Any) -> None:
    page = APIClient()
    page.cookies.load({"noc_refresh_token": begin(ada).refresh_token})
    clock.shift(7 * 86_400)

    assert text(page.get(PATHS[0])) == RETRY + revoked("session_expired")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("held")
def test_a_held_stream_tells_of_the_end_as_it_comes(tokens: Tokens) -> None:
    stream = iter(ask(tokens).streaming_content)
    assert [next(stream), next(stream)] == [RETRY.encode(), HEARTBEAT.encode()]

    sessions.end_sessions_of(tokens.user)

    assert b"".join(stream).decode() == revoked("admin_logout")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("held")
def test_a_held_stream_ends_with_its_time_and_beats_until_then(
    tokens: Tokens, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + 1))
    settings.AUTH_EVENT_SECONDS = 40

    assert text(ask(tokens)) == RETRY + HEARTBEAT * 3
    assert now[0] == 40


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("held")
def test_while_it_waits_it_holds_no_connection(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[bool] = []

    def sleep(_: float) -> None:
        waits.append(connection.connection is None)
        if len(waits) == 3:
            sessions.end_sessions_of(tokens.user)

    monkeypatch.setattr(time, "sleep", sleep)

    assert text(ask(tokens)) == RETRY + HEARTBEAT + revoked("admin_logout")
    assert waits == [True, True, True]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("held")
def test_beyond_the_bound_it_answers_at_once(tokens: Tokens) -> None:
    first = ask(tokens)
    stream = iter(first.streaming_content)
    next(stream), next(stream)
    sessions_before = Session.objects.get().last_used_at
    assert events.PLACES.take() is True  # Another page holds the only place.

    assert text(ask(tokens)) == RETRY + HEARTBEAT
    assert next(stream, None) is None

    events.PLACES.give_back()
    assert Session.objects.get().last_used_at == sessions_before


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("held")
def test_a_page_that_goes_away_gives_its_place_back(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0)
    response = ask(tokens)
    stream = iter(response.streaming_content)
    next(stream), next(stream), next(stream)
    assert events.PLACES.taken == 1

    response.close()

    assert events.PLACES.taken == 0
