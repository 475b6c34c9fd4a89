"""Every operation that the OpenAPI description knows: who may call it, and what it makes of hostile input."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient
from rest_framework.views import APIView

from apexchainx.accounts.models import SCOPES, Role, User

pytestmark = pytest.mark.django_db

PUBLIC = {
    "GET /health",
    "GET /health/liveness",
    "GET /health/readiness",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/password/reset",
    "POST /api/v1/auth/password/reset/confirm",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/register",
}
DEEP: Any = "x"
for _ in range(60):
    DEEP = {"a": [DEEP]} if len(json.dumps(DEEP)) % 2 else [DEEP]

# As JSON text, since some of it is no Python value.
VALUES = [
    "null",
    "true",
    "-1",
    "0",
    "9" * 39,
    str(2**63),
    "1e38",
    "-0.0000001",
    '""',
    '" "',
    '"\\u0000"',
    '"\\ud800"',
    '"2026-02-30T25:61:61Z"',
    '"=HYPERLINK(1)"',
    '"%_\\\\\'\\" OR 1=1 --"',
    '"9999-12-31T23:59:59-14:00"',
    '"0001-01-01T00:00:00+14:00"',
    '"NaN"',
    '"\\u202e\\ufeff\\ud83d\\ude80"',
    json.dumps("x" * 10_000),
    "[]",
    "{}",
    "[null, {}, [1]]",
    json.dumps(DEEP),
]
BODIES = [
    b"",
    b"null",
    b"[]",
    b"[{}]",
    b'"x"',
    b"{",
    b'{"a": NaN}',
    b'{"a": 1e400}',
    b'{"a": 1e999999999999999999999}',
    b'{"a": ' + b"9" * 5_000 + b"}",
    b'{"a": "\\u0000"}',
    b'{"a": "\\ud800"}',
    b'{"a": 1, "a": 2}',
    b'{"a":' * 5_000,
    b"[" * 100_000,
    b'\xef\xbb\xbf{"a": 1}',
    '{"a": 1}'.encode("utf-16"),
    b"\xff\xfe\x00",
]
WORDS = [
    "\x00",
    "\x01\x1b",
    "\n",
    "-1",
    "0",
    "1e9",
    "9" * 23,
    str(2**63),
    "9" * 5_000,
    "x" * 5_000,
    "%_\\' OR 1=1 --",
    "=1+1",
    "null",
    "true",
    "..",
    "..;/",
    "[]",
    "\u202e\U0001f680",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31",
    "0001-01-01",
    "2026-02-30",
    "2026-13-01T25:61:61Z",
    "[.*+?^${}()|",
    "S" + "A" * 55,
]
# What no UTF-8 text becomes, as it stands on the wire.
RAW = ["%ff%fe", "%ed%a0%80", "%ud800", "%", "%zz", "+%2B"]
PLAUSIBLE = {
    "date-time": "2026-01-16T09:30:00Z",
    "date": "2026-01-16",
    "uuid": "7b5a1c1e-3f4d-4a7e-9c77-000000000001",
    "email": "somebody@example.com",
    "uri": "https://receiver.example.com/hook",
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    scope: str
    query: tuple[str, ...]
    fields: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def plain_path(self) -> str:
        return self.with_path("1")

    def with_path(self, encoded: str) -> str:
        return re.sub(r"\{\w+\}", lambda _: encoded, self.path)

    def body(self, **hostile: str) -> bytes:
        """A plausible body, in which some fields stand as given."""
        texts = {name: json.dumps(plausible(schema)) for name, schema in self.fields.items()} | hostile
        return ("{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in texts.items()) + "}").encode()


def plausible(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") in PLAUSIBLE:
        return PLAUSIBLE[schema["format"]]
    words = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    return words.get(schema.get("type", "object" if "properties" in schema else "string"), "x")


def described() -> Iterator[Operation]:
    description = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    schemas = description["components"]["schemas"]

    def resolved(schema: dict[str, Any]) -> dict[str, Any]:
        nested = [schema, *schema.get("allOf", []), *schema.get("oneOf", [])[:1]]
        names = [part["$ref"].rpartition("/")[2] for part in nested if "$ref" in part]
        return schemas[names[0]] if names else schema

    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            body = resolved(next(iter(content.values()))["schema"]) if content else {}
            yield Operation(
                method=method.upper(),
                path=path,
                scope=operation.get("x-scope", ""),
                query=tuple(
                    item["name"] for item in operation.get("parameters", ()) if item["in"] == "query"
                ),
                fields={name: resolved(schema) for name, schema in body.get("properties", {}).items()},
            )


OPERATIONS = list(described())
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


@pytest.fixture
def admin(make_user: Callable[..., User]) -> Any:
    client = APIClient()
    client.force_authenticate(make_user(Role.ADMIN))
    return client


def call(client: Any, operation: Operation, *, path: str = "", query: str = "", body: bytes = b"") -> int:
    response = client.generic(
        operation.method,
        path or operation.plain_path,
        body,
        content_type="application/json",
        QUERY_STRING=query,
    )
    assert response.status_code < 500, (str(operation), path, query, body[:500], response.content)
    if response.status_code >= 400:
        assert_envelope(response)
    return int(response.status_code)


def assert_envelope(response: Any) -> None:
    said = response.json()
    assert set(said) == {"error", "detail"}
    assert set(said["error"]) == {"code", "message", "details", "timestamp", "correlation_id"}
    assert said["detail"] == said["error"]["message"]
    assert said["error"]["correlation_id"] == response["X-Correlation-ID"]
    assert len(response.content) < 100_000


# Who may call


def test_the_public_ones_are_these() -> None:
    assert {str(operation) for operation in OPERATIONS if not operation.scope} == PUBLIC


@every_operation
@pytest.mark.parametrize("token", ["", "Bearer nonsense"])
def test_without_a_token_it_is_401(anonymous: Any, operation: Operation, token: str) -> None:
    anonymous.credentials(**({"HTTP_AUTHORIZATION": token} if token else {}))

    response = anonymous.generic(
        operation.method, operation.plain_path, b"{}", content_type="application/json"
    )

    if str(operation) in PUBLIC:
        assert response.status_code in {200, 400, 401}
        return
    assert (response.status_code, response.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert_envelope(response)


@every_operation
def test_roles_without_the_scope_are_403_and_others_are_not(
    make_user: Callable[..., User], operation: Operation
) -> None:
    refused = set()
    for role in Role.values:
        client = APIClient()
        client.force_authenticate(make_user(role, email=f"{role}@example.com"))
        if call(client, operation, body=b"{}") == 403:
            refused.add(role)

    holders = {role for role in Role.values if operation.scope in SCOPES[role] | {"*", ""}}
    assert refused == set(Role.values) - holders


@every_operation
def test_other_methods_are_405(admin: Any, operation: Operation) -> None:
    known = {other.method for other in OPERATIONS if other.path == operation.path}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"} - known:
        response = admin.generic(method, operation.plain_path, b"{}", content_type="application/json")
        not_found_first = {404} if operation.path != operation.plain_path else set()
        assert response.status_code in {405} | not_found_first, method
        assert_envelope(response)


# Hostile input


@every_operation
def test_bodies_that_are_none(admin: Any, operation: Operation) -> None:
    if operation.fields:
        for body in BODIES:
            call(admin, operation, body=body)


@every_operation
def test_hostile_fields(admin: Any, operation: Operation) -> None:
    for value in VALUES:
        if operation.fields:
            call(admin, operation, body=operation.body(**dict.fromkeys(operation.fields, value)))
        for name in operation.fields:
            call(admin, operation, body=operation.body(**{name: value}))


@every_operation
def test_hostile_queries(admin: Any, operation: Operation) -> None:
    for name in (*operation.query, "unknown", "format"):
        for word in [*map(quote, WORDS), *RAW]:
            call(admin, operation, query=f"{name}={word}")
        call(admin, operation, query=f"{name}&{name}=&{name}[]=1&{name}={name}&=;&&")


@every_operation
def test_hostile_paths(admin: Any, operation: Operation) -> None:
    if operation.path != operation.plain_path:
        for word in [*(quote(word, safe="") for word in WORDS), *RAW]:
            call(admin, operation, path=operation.with_path(word), body=operation.body())


@every_operation
def test_hostile_headers(admin: Any, operation: Operation) -> None:
    for headers in (
        {"Accept": "text/html"},
        {"Accept": "application/xml;q=\x00"},
        {"X-Correlation-ID": "a\r\nb"},
        {"Content-Encoding": "gzip"},
        {"If-None-Match": '"' * 1_000},
        {"Cookie": "sessionid=\x00; =;;="},
        {"Range": "bytes=-1"},
        {"X-Forwarded-For": "\x00, 999.999.999.999, ::1%eth0"},
        {"X-Idempotency-Key": "\x00"},
        {"X-Idempotency-Key": "a" * 10_000},
        {"Idempotency-Key": "a", "X-Idempotency-Key": "b"},
        {"X-Api-Key": "ak_\x00"},
        {"Authorization": "Bearer \x00.\xff.="},
        {"Origin": "null"},
    ):
        response = admin.generic(
            operation.method,
            operation.plain_path,
            operation.body(),
            content_type="application/json",
            headers=headers,
        )
        assert response.status_code < 500
        if response.status_code >= 400:
            assert_envelope(response)


# The description is whole


def test_no_route_under_the_prefix_is_left_out_of_the_description() -> None:
    left_out = []
    for path, callback in routes(get_resolver(settings.ROOT_URLCONF)):
        view = getattr(callback, "cls", None)
        if path.startswith(settings.API_V1_PREFIX.lstrip("/")) and (
            view is None
            or not issubclass(view, APIView)
            or callback.initkwargs.get("schema", view.schema) is None
        ):
            left_out.append(path)

    assert left_out == ["api/v1/health"]


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        elif isinstance(entry, URLPattern):
            yield path, entry.callback
