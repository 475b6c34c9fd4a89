"""The envelope over HTTP: inside a view, outside of any, and while the database is away."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections
from django.db.utils import ConnectionHandler
from django.test import Client
from rest_framework.test import APIClient

from apexchainx.accounts.models import User
from apexchainx.accounts.views import auth
from apexchainx.api.exceptions import handle

# The database is away


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@contextmanager
def away(*, pool: bool) -> Iterator[None]:
    """The default connection leads to a port where nobody listens."""
    there = dict(connection.settings_dict)
    options = {
        "connect_timeout": 1,
        **({"pool": {"min_size": 0, "max_size": 1, "timeout": 0.2}} if pool else {}),
    }
    nowhere = ConnectionHandler(
        {"default": {**there, "HOST": "127.0.0.1", "PORT": closed_port(), "OPTIONS": options}}
    )
    here = connections["default"]
    connections["default"] = nowhere["default"]
    try:
        yield
    finally:
        connections["default"] = here
        if pool:
            nowhere["default"].close_pool()  # type: ignore[attr-defined]


@pytest.mark.django_db
@pytest.mark.parametrize("pool", [False, True])
def test_without_a_database_every_call_is_503(client_as: Callable[[str], APIClient], *, pool: bool) -> None:
    client = client_as("admin")

    with away(pool=pool):
        answers = [
            client.get("/api/v1/auth/me"),
            client.get("/api/v1/audit"),
            client.post("/api/v1/auth/login", {"email": "a@example.com", "password": "x"}),
        ]

    for response in answers:
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert response.json()["detail"] == "The database does not answer. Try again shortly."
        assert "127.0.0.1" not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("pool", [False, True])
def test_without_a_database_the_process_lives_and_is_not_ready(client: Client, *, pool: bool) -> None:
    with away(pool=pool):
        alive, ready = client.get("/health/liveness"), client.get("/health/readiness")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (
        503,
        {"status": "unavailable", "database": "does not answer"},
    )


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_cut_is_503() -> None:
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 1000)", pid)
    other.close()

    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.close()

    assert isinstance(caught.value, (OperationalError, InterfaceError))
    response = handle(caught.value, {})
    assert (response.status_code, response.data["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")


# Outside the framework


@pytest.mark.parametrize(
    "path", ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/outages/1/2/3/4", "/api/v1//"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("debug", [False, True])
def test_an_unknown_route_is_the_envelope(
    client: Client, settings: Any, path: str, method: str, *, debug: bool
) -> None:
    settings.DEBUG = debug

    response = client.generic(method, path, b"{}", content_type="application/json")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    if method != "HEAD":
        error = response.json()["error"]
        assert (error["code"], error["message"]) == ("NOT_FOUND", "There is no such route.")
        assert error["details"] == {"path": path.rstrip("/")}


@pytest.mark.parametrize("path", ["/nothing", "/api/v10", "/api/v1x/outages", "/API/v1/outages"])
def test_outside_the_prefix_a_page_is_a_page(client: Client, path: str) -> None:
    response = client.get(path)

    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_crash_outside_a_view_is_the_envelope(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_request: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("apexchainx.middleware.refuse", crash)
    client.raise_request_exception = False

    for path, kind in (("/api/v1/outages", "application/json"), ("/docs", "text/html; charset=utf-8")):
        response = client.get(path, headers={"X-Correlation-ID": "abc"})
        assert (response.status_code, response["Content-Type"]) == (500, kind)
        assert b"secret" not in response.content
    assert client.get("/api/v1/x").json()["error"]["code"] == "INTERNAL_SERVER_ERROR"


def test_a_host_that_is_not_ours_is_refused_in_the_envelope(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["api.example.com"]

    response = client.get("/api/v1/outages", headers={"Host": "evil.example.com"})

    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.django_db
def test_a_permission_that_django_refuses_is_the_envelope(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_request: Any) -> None:
        raise PermissionDenied("secret")

    monkeypatch.setattr("apexchainx.middleware.refuse", refuse)

    assert client.get("/api/v1/outages").json()["error"]["code"] == "FORBIDDEN"
    assert client.get("/docs")["Content-Type"] == "text/html; charset=utf-8"


# Inside a view


@pytest.mark.django_db
def test_a_crash_in_a_view_says_nothing_of_its_cause(
    anonymous: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(**_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(auth, "login", crash)

    response = anonymous.post("/api/v1/auth/login", {"email": "a@example.com", "password": "x"})

    assert response.status_code == 500
    assert response.json()["error"]["code"] == "INTERNAL_SERVER_ERROR"
    assert b"secret" not in response.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", ""]
)
def test_anything_but_json_is_415(anonymous: Any, kind: str) -> None:
    response = anonymous.generic("POST", "/api/v1/auth/login", b"email=a", content_type=kind)

    assert (response.status_code, response.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_no_body_is_an_empty_one(anonymous: Any, kind: str) -> None:
    response = anonymous.generic("POST", "/api/v1/auth/login", b"", content_type=kind)

    assert response.status_code == 400
    assert set(response.json()["error"]["details"]["fields"]) == {"email", "password"}


@pytest.mark.django_db
def test_more_parameters_than_django_reads_are_400(client_as: Callable[[str], APIClient]) -> None:
    response = client_as("admin").get("/api/v1/audit?" + "a&" * 1_001)

    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.django_db
def test_rights_are_checked_before_the_body_is_read(client_as: Callable[[str], APIClient]) -> None:
    client = client_as("viewer")

    response = client.generic("POST", "/api/v1/outages", "{not json", content_type="application/json")

    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_severity_that_is_none_is_refused_as_the_document_says(
    client_as: Callable[[str], APIClient], facts: Callable[..., Any]
) -> None:
    client = client_as("engineer")
    allowed = ["critical", "high", "medium", "low"]

    written = client.post("/api/v1/outages", {"site_name": "Cell Tower Alpha", "severity": "urgent"})
    asked = client.get("/api/v1/outages", {"severity": "urgent"})

    assert written.status_code == asked.status_code == 400
    assert written.json()["error"]["details"] == {
        "fields": {"severity": ['"urgent" is not a valid choice.']},
        "field": "severity",
        "allowed_values": allowed,
    }
    assert asked.json()["error"]["details"]["field"] == "severity"
    assert asked.json()["error"]["details"]["allowed_values"] == allowed
    assert facts() == []
