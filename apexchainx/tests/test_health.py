from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

LIVING = ["/health", "/health/liveness", "/api/v1/health"]
ALL = [*LIVING, "/health/readiness"]


@pytest.mark.parametrize("path", LIVING)
def test_the_process_lives_without_asking_the_database(client: Client, path: str) -> None:
    response = client.get(path, headers={"Authorization": "Bearer nonsense"})

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_takes_one_question(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        response = client.get("/health/readiness")

    assert (response.status_code, response.json()) == (200, {"status": "ok", "database": "ok"})


@pytest.mark.django_db
@pytest.mark.parametrize("trigger", ["audit_append_only", "audit_never_truncated"])
def test_not_ready_while_the_log_is_unguarded(client: Client, trigger: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE audit_auditevent DISABLE TRIGGER {trigger}")

    response = client.get("/health/readiness")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "not migrated"}


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"])
def test_health_is_only_asked(client: Client, path: str, method: str) -> None:
    response = client.generic(method, path)

    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, OPTIONS"
    assert response.json()["error"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ALL)
def test_a_probe_may_ask_for_the_head_alone(client: Client, path: str) -> None:
    response = client.head(path)

    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("path", ["/health", "/health/liveness", "/health/readiness"])
@pytest.mark.django_db
def test_a_probe_asks_by_address_and_the_api_by_name(client: Client, path: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["api.example.com"]

    assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.get("/api/v1/outages", headers={"host": "10.0.0.7:8000"}).status_code == 400
