"""Who may call what: every operation, for every role, for keys and for admins in another's name."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from apexchainx.accounts.models import EVERY_SCOPE, Role, User
from apexchainx.accounts.services.keys import create_key
from apexchainx.accounts.services.sessions import begin
from apexchainx.api.tests.test_every_route import OPERATIONS, Operation

pytestmark = pytest.mark.django_db

READS = {"outages:read", "sla:read", "payments:read", "wallets:read"}
WORKS = {"outages:write", "sla:write", "disputes:write", "payments:write", "wallets:write"}
RULES = {"payments:approve", "disputes:rule", "policy:write", "webhooks:write"}
WATCHES = {"webhooks:read", "jobs:read"}
HELD = {
    "viewer": READS,
    "engineer": READS | WORKS | WATCHES,
    "manager": READS | WORKS | WATCHES | RULES,
    "auditor": READS | WATCHES | {"audit:read"},
    "admin": READS | WORKS | WATCHES | RULES | {"audit:read", "admin:full"},
}
# Under /api/v1, by the scope that opens it.
OPENED_BY = {
    "outages:read": [
        "GET /outages",
        "GET /outages/search",
        "GET /outages/violations",
        "GET /outages/{outage_id}",
        "GET /outages/{outage_id}/timeline",
        "GET /outages/bulk/history",
        "GET /outages/export",
        "GET /outages/{outage_id}/rca",
        "GET /outages/{outage_id}/rca/export",
        "GET /outages/{outage_id}/rca/versions",
        "GET /follow-ups",
        "GET /maintenance-windows",
        "GET /maintenance-windows/{window_id}",
    ],
    "outages:write": [
        "POST /outages",
        "POST /outages/bulk",
        "POST /outages/import",
        "PUT /outages/{outage_id}",
        "PATCH /outages/{outage_id}",
        "POST /outages/{outage_id}/acknowledge",
        "POST /outages/{outage_id}/assign",
        "POST /outages/{outage_id}/comment",
        "POST /outages/{outage_id}/investigate",
        "POST /outages/{outage_id}/merge",
        "POST /outages/{outage_id}/pause",
        "POST /outages/{outage_id}/resolve",
        "POST /outages/{outage_id}/resume",
        "POST /intake/alertmanager",
        "POST /intake/generic",
        "POST /outages/{outage_id}/rca",
        "POST /outages/{outage_id}/rca/publish",
        "PATCH /outages/{outage_id}/follow-ups/{number}",
        "POST /maintenance-windows",
        "PUT /maintenance-windows/{window_id}",
        "PATCH /maintenance-windows/{window_id}",
        "DELETE /maintenance-windows/{window_id}",
    ],
    "sla:read": [
        "GET /calendars",
        "GET /calendars/{calendar_id}",
        "GET /sla/calculate",
        "GET /sla/config",
        "GET /sla/configs",
        "GET /sla/disputes",
        "GET /sla/disputes/{dispute_id}",
        "POST /sla/preview",
        "GET /sla/status/{outage_id}",
    ],
    "sla:write": ["POST /sla/calculate"],
    "payments:read": ["GET /payments/history"],
    "payments:approve": ["POST /owners", "POST /wallets/{owner}/approve"],
    "policy:write": [
        "POST /calendars",
        "PUT /calendars/{calendar_id}",
        "PATCH /calendars/{calendar_id}",
        "DELETE /calendars/{calendar_id}",
        "POST /maintenance-windows/{window_id}/approve",
    ],
    "disputes:write": ["POST /sla/disputes"],
    "wallets:read": [
        "GET /owners",
        "GET /wallets",
        "GET /wallets/{address}/balance",
        "GET /wallets/{owner}",
    ],
    "wallets:write": ["POST /wallets"],
    "webhooks:read": [
        "GET /webhooks",
        "GET /webhooks/{id}",
        "GET /webhooks/{webhook_id}/deliveries",
        "GET /webhooks/{webhook_id}/deliveries/{id}",
    ],
    "webhooks:write": ["POST /webhooks", "PATCH /webhooks/{id}", "DELETE /webhooks/{id}"],
    "audit:read": ["GET /audit"],
    "jobs:read": ["GET /jobs", "GET /jobs/{job_id}"],
    "admin:full": [
        "GET /admin/contract",
        "POST /admin/accept-admin",
        "POST /admin/accept-operator",
        "POST /admin/cancel-admin-proposal",
        "POST /admin/propose-admin",
        "POST /admin/propose-operator",
        "POST /admin/renounce-admin",
        "GET /api-keys",
        "POST /api-keys",
        "DELETE /api-keys/{key_id}",
        "DELETE /outages/{outage_id}",
        "GET /users",
        "GET /users/{user_id}",
        "PATCH /users/{user_id}",
        "POST /users/{user_id}/impersonate",
        "POST /users/{user_id}/logout",
        "GET /users/{user_id}/sessions",
        "POST /users/{user_id}/unlock",
    ],
}
# Whoever is a person, whatever their role.
ACCOUNT = [
    "POST /auth/2fa/backup-codes",
    "POST /auth/2fa/disable",
    "POST /auth/2fa/setup",
    "POST /auth/2fa/verify",
    "GET /auth/events",
    "POST /auth/logout",
    "POST /auth/logout-all",
    "GET /auth/me",
    "DELETE /auth/me",
    "GET /auth/me/export",
    "PATCH /auth/me/profile",
    "POST /auth/password/change",
    "GET /auth/sessions",
    "DELETE /auth/sessions/{session_id}",
    "GET /user/preferences",
    "PUT /user/preferences",
]
PUBLIC = [
    "POST /auth/login",
    "POST /auth/password/reset",
    "POST /auth/password/reset/confirm",
    "POST /auth/refresh",
    "POST /auth/register",
]
# What no program does, whichever scopes its key has.
FOR_PEOPLE = {*ACCOUNT, "POST /api-keys", "POST /users/{user_id}/impersonate"}
# What an admin does not do in another's name, besides changing the account.
IN_PERSON = {"admin:full", "payments:approve", "disputes:rule", "policy:write"}

TABLE = {name: scope for scope, names in OPENED_BY.items() for name in names} | dict.fromkeys(ACCOUNT, "*")
GUARDED = [operation for operation in OPERATIONS if operation.scope]


def name_of(operation: Operation) -> str:
    return str(operation).replace("/api/v1", "")


def refused_by(client: APIClient, operations: Iterable[Operation]) -> set[str]:
    """The operations that answer 403, or 401 where a key is not even looked at. The body is no JSON: rights
    go first."""
    refused = set()
    for operation in operations:
        response = client.generic(
            operation.method, operation.plain_path, "{", content_type="application/json"
        )
        assert response.status_code != 429
        if response.status_code in {401, 403}:
            refused.add(name_of(operation))
    return refused


def with_key(scopes: Iterable[str]) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=create_key(scopes=scopes).raw)
    return client


def test_the_table_names_every_operation_and_its_scope() -> None:
    assert {name_of(operation): operation.scope for operation in GUARDED} == TABLE
    public = {name_of(operation) for operation in OPERATIONS if not operation.scope}
    assert {name for name in public if not name.startswith("GET /health")} == set(PUBLIC)


@pytest.mark.parametrize("role", Role.values)
def test_roles(make_user: Callable[..., User], role: str) -> None:
    client = APIClient()
    client.force_authenticate(make_user(role))

    expected = {name for name, scope in TABLE.items() if scope not in HELD[role] | {"*"}}
    assert refused_by(client, GUARDED) == expected


@pytest.mark.parametrize("scope", sorted(EVERY_SCOPE))
def test_a_key_with_one_scope(scope: str) -> None:
    opened = {name for name, needed in TABLE.items() if scope in {needed, "admin:full"}} - FOR_PEOPLE

    assert refused_by(with_key([scope]), GUARDED) == set(TABLE) - opened


@pytest.mark.parametrize("scope", sorted(EVERY_SCOPE))
def test_a_key_with_every_other_scope(scope: str) -> None:
    client = with_key(EVERY_SCOPE - {scope, "admin:full"})
    needing = [operation for operation in GUARDED if operation.scope == scope]

    assert refused_by(client, needing) == {name_of(operation) for operation in needing}


def test_a_key_for_nothing(db: None) -> None:
    assert refused_by(with_key([]), GUARDED) == set(TABLE)


def test_an_admin_in_a_managers_name(make_user: Callable[..., User]) -> None:
    root, manager = make_user(Role.ADMIN), make_user(Role.MANAGER)
    refused = set()
    for operation in GUARDED:
        client = APIClient()
        token = begin(manager, impersonator=root).access_token
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        refused |= refused_by(client, [operation])

    changes = {name for name in ACCOUNT if not name.startswith("GET")} - {"POST /auth/logout"}
    beyond = {name for name, scope in TABLE.items() if scope not in HELD["manager"] - IN_PERSON | {"*"}}
    assert refused == changes | beyond


def test_the_description_says_what_takes_keys() -> None:
    description: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    takes_keys = {
        f"{method.upper()} {path}".replace("/api/v1", "")
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if {"apiKey": []} in operation.get("security", ())
    }

    assert takes_keys == set(TABLE) - FOR_PEOPLE
    assert description["components"]["securitySchemes"]["apiKey"] == {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
    }
