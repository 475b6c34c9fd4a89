from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    body: dict[str, Any] = Client().get("/openapi.json").json()
    return body


def operations(description: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in description["paths"].values() for operation in methods.values()]


def test_it_is_valid_openapi(description: dict[str, Any]) -> None:
    validate_schema(description)  # type: ignore[no-untyped-call]


def test_every_failure_is_the_envelope(description: dict[str, Any]) -> None:
    failure = {"$ref": "#/components/responses/Failure"}

    assert len(operations(description)) > 9
    for operation in operations(description):
        assert operation["responses"]["4XX"] == operation["responses"]["5XX"] == failure
    assert description["components"]["responses"]["Failure"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/api/v1/auth/me"), ("post", "/api/v1/auth/login"), ("get", "/api/v1/nothing")],
)
def test_the_envelope_is_as_described(
    anonymous: APIClient, description: dict[str, Any], method: str, path: str
) -> None:
    body = getattr(anonymous, method)(path).json()

    jsonschema.validate(body, description["components"]["schemas"]["Error"])


def test_each_operation_says_which_token_and_which_scope_it_takes(description: dict[str, Any]) -> None:
    paths = description["paths"]

    ways: list[dict[str, Any]] = [{"bearer": []}, {"cookie": []}]
    for way in ways:
        assert way in paths["/api/v1/audit"]["get"]["security"]
        assert way in paths["/api/v1/auth/events"]["get"]["security"]
    assert paths["/api/v1/audit"]["get"]["x-scope"] == "audit:read"
    assert paths["/api/v1/auth/me"]["get"]["x-scope"] == "*"
    assert "security" not in paths["/api/v1/auth/login"]["post"]
    assert "x-scope" not in paths["/api/v1/auth/login"]["post"]
    schemes = description["components"]["securitySchemes"]
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    assert (schemes["cookie"]["in"], schemes["cookie"]["name"]) == ("cookie", "noc_access_token")
    for operation in operations(description):
        assert ("security" in operation) == ("x-scope" in operation)


def test_operations_are_grouped_by_subject(description: dict[str, Any]) -> None:
    tags = {tag for operation in operations(description) for tag in operation["tags"]}

    assert {"auth", "audit", "outages", "health"} <= tags
    assert "api" not in tags


def test_it_holds_nothing_of_ours(description: dict[str, Any]) -> None:
    text = str(description)

    assert "refresh_digest" not in text
    assert "is_superuser" not in text
