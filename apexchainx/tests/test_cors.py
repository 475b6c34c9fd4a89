from typing import Any

import pytest
from django.test import Client

APP = "https://app.example.com"


@pytest.fixture(autouse=True)
def _one_origin(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [APP]


def preflight(client: Client, origin: str) -> Any:
    return client.options(
        "/api/v1/outages",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "authorization, x-csrf-token",
        },
    )


def test_a_browser_on_an_allowed_origin_may_call(client: Client) -> None:
    response = preflight(client, APP)

    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == APP
    assert response["Access-Control-Allow-Credentials"] == "true"
    assert response["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    assert set(response["Access-Control-Allow-Headers"].split(", ")) == {
        "authorization",
        "x-correlation-id",
        "idempotency-key",
        "x-idempotency-key",
        "content-type",
        "x-requested-with",
        "x-csrf-token",
        "cache-control",
        "x-api-key",
        "if-none-match",
        "if-match",
    }


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.com", "http://app.example.com", "https://app.example.com.evil.com", "null"],
)
def test_a_browser_on_any_other_origin_may_not(client: Client, origin: str) -> None:
    response = preflight(client, origin)

    assert "Access-Control-Allow-Origin" not in response
    assert "Access-Control-Allow-Credentials" not in response


@pytest.mark.django_db
def test_a_refusal_can_be_read_by_the_page_that_asked(client: Client) -> None:
    response = client.get("/api/v1/auth/me", headers={"Origin": APP})

    assert response.status_code == 401
    assert response["Access-Control-Allow-Origin"] == APP
    exposed = set(response["Access-Control-Expose-Headers"].split(", "))
    assert {"X-Correlation-ID", "X-RateLimit-Remaining", "Retry-After", "ETag"} <= exposed
