import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from apexchainx import context, logs
from apexchainx.accounts.views import auth

SEED = "SA" + "QXE3ZGVJ" * 6 + "ABCDEF"
SECRETS = [
    SEED,
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.",
    "ak_9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuv",
]


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the production formatter has written since."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter(as_json=True))
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def written(log: Callable[[logging.Logger], None], *, as_json: bool) -> str:
    stream = io.StringIO()
    logger = logging.getLogger("canary")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter(as_json=as_json))
    logger.addHandler(handler)
    log(logger)
    logger.removeHandler(handler)
    return stream.getvalue()


def fail(message: str, _horse: str) -> None:
    raise RuntimeError(message)


def raising(message: str) -> Callable[[logging.Logger], None]:
    """Logs an exception from a function that holds a secret in a local variable."""

    def log(logger: logging.Logger) -> None:
        horse = "correct horse"
        try:
            fail(message, horse)
        except RuntimeError:
            logger.exception("It failed")

    return log


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_redacted_in_messages_arguments_and_tracebacks(secret: str, *, as_json: bool) -> None:
    for log in (
        lambda logger: logger.warning(f"sent {secret}."),  # noqa: G004
        lambda logger: logger.warning("sent %s", {"x": [secret]}),
        raising(f"it broke on {secret}"),
    ):
        line = written(log, as_json=as_json)
        assert secret not in line
        assert "[redacted]" in line


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "password=Canary-17",
        "{'password': 'Canary-17', 'email': 'a@example.com'}",
        '{"password": "Canary-17 with words"}',
        "<QueryDict: {'password1': ['Canary-17']}>",
        "Authorization: Bearer Canary-17",
        "refresh_token: Canary-17",
        "client_secret = Canary-17",
        "could not connect to postgresql://apex:Canary-17@db/apex",
    ],
)
def test_what_stands_after_a_telling_name_is_redacted(text: str, *, as_json: bool) -> None:
    for log in (lambda logger: logger.warning(text), raising(text)):
        assert "Canary" not in written(log, as_json=as_json)


def test_local_variables_are_never_printed() -> None:
    for as_json in (True, False):
        line = written(raising("it broke"), as_json=as_json)
        assert "RuntimeError: it broke" in line
        assert "correct horse" not in line


def test_ordinary_text_is_left_alone() -> None:
    text = "Outage OUT001 at GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7 resolved; see https://a.example/x"

    assert json.loads(written(lambda logger: logger.warning(text), as_json=True))["event"] == text


def test_a_line_says_who_acted_under_which_id() -> None:
    with context.acting_as("7", source="api", correlation_id="abc"):
        line = json.loads(written(lambda logger: logger.warning("x"), as_json=True))

    assert (line["actor"], line["correlation_id"], line["level"], line["logger"]) == (
        "7",
        "abc",
        "warning",
        "canary",
    )


@pytest.mark.django_db
def test_djangos_line_about_an_answer_carries_the_requests_id(
    client: Client, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    client.get("/api/v1/auth/me", headers={"X-Correlation-ID": "abc"})

    said = [(line["event"], line["actor"], line["correlation_id"]) for line in lines()]
    assert said == [("Unauthorized: /api/v1/auth/me", "anonymous", "abc")]


@pytest.mark.django_db
def test_a_crash_is_logged_with_the_id_and_without_the_password(
    client: Client, lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(**given: str) -> None:
        raise RuntimeError(given)

    monkeypatch.setattr(auth, "login", crash)

    response = client.post(
        "/api/v1/auth/login",
        {"email": "a@example.com", "password": "Canary-17"},
        content_type="application/json",
        headers={"X-Correlation-ID": "abc"},
    )

    assert response.status_code == 500
    assert response.json()["error"] == {
        "code": "INTERNAL_SERVER_ERROR",
        "message": "Something failed on our side. The correlation id finds it.",
        "details": {},
        "timestamp": response.json()["error"]["timestamp"],
        "correlation_id": "abc",
    }
    crashes = [line for line in lines() if "RuntimeError" in line.get("exception", "")]
    assert [line["correlation_id"] for line in crashes] == ["abc"]
    assert "a@example.com" in crashes[0]["exception"]
    assert "Canary" not in json.dumps(lines())
