"""The OpenAPI description is true: requests are derived from it, good and bad, and the answers judged by it.

`./apex check` runs it as a step of its own.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from apexchainx.accounts.models import Role, User
from apexchainx.accounts.services.sessions import begin
from apexchainx.wsgi import application

EXAMPLES = 4
# What no schema says: these refuse well-formed values, each for a reason that their description names.
JUDGED = {
    "POST /api/v1/admin/propose-admin": "an address has a checksum",
    "POST /api/v1/admin/propose-operator": "an address has a checksum",
    "POST /api/v1/admin/renounce-admin": "it is confirmed",
    "POST /api/v1/api-keys": "a key ends in the future",
    "POST /api/v1/auth/2fa/backup-codes": "the code is right",
    "POST /api/v1/auth/2fa/disable": "the code is right",
    "POST /api/v1/auth/2fa/verify": "the code is right",
    "POST /api/v1/auth/password/change": "the current password is right, and the new one is strong",
    "POST /api/v1/auth/password/reset/confirm": "the token was mailed, and the password is strong",
    "POST /api/v1/auth/refresh": "the token comes in the body or as a cookie",
    "POST /api/v1/auth/register": "the password is strong",
    "DELETE /api/v1/auth/me": "the password is right",
    "PATCH /api/v1/auth/me/profile": "an address has a checksum",
    "PATCH /api/v1/users/{user_id}": "nobody changes their own rights",
    "PUT /api/v1/user/preferences": "64 KiB at most",
    "POST /api/v1/calendars": "a zone exists, and openings do not overlap",
    "PUT /api/v1/calendars/{calendar_id}": "a zone exists, and openings do not overlap",
    "PATCH /api/v1/calendars/{calendar_id}": "a zone exists, and openings do not overlap",
    "POST /api/v1/maintenance-windows": "one place is named, and times are in order",
    "PUT /api/v1/maintenance-windows/{window_id}": "one place is named, and times are in order",
    "PATCH /api/v1/maintenance-windows/{window_id}": "one place is named, and times are in order",
    "GET /api/v1/outages/search": "something is searched for",
    "POST /api/v1/outages": "owners exist, and times are past",
    "POST /api/v1/outages/bulk": "owners exist, times fit each other, and files are CSV or JSON",
    "POST /api/v1/outages/import": "owners exist, times fit each other, and files are CSV or JSON",
    "PUT /api/v1/outages/{outage_id}": "pairs agree, times are past, and only an end has a time",
    "PATCH /api/v1/outages/{outage_id}": "pairs agree, times are past, and only an end has a time",
    "PATCH /api/v1/outages/{outage_id}/follow-ups/{number}": "it says whether it is done",
    "POST /api/v1/outages/{outage_id}/resolve": "times fit each other",
    "DELETE /api/v1/outages/{outage_id}": "If-Match names the version that was read",
    **{
        f"POST /api/v1/outages/{{outage_id}}/{verb}": "If-Match names the version that was read"
        for verb in ("acknowledge", "assign", "comment", "investigate", "merge", "pause", "resume")
    },
    "POST /api/v1/intake/alertmanager": "a label names the site, and times are past",
    "POST /api/v1/intake/generic": "times are past",
    "POST /api/v1/owners": "a key has its own form",
    "GET /api/v1/sla/calculate": "without a severity the outage exists",
    "POST /api/v1/sla/calculate": "an outage or minutes are named",
    "POST /api/v1/sla/preview": "minutes are named",
    "POST /api/v1/wallets": "an address has a checksum",
    "GET /api/v1/wallets/{address}/balance": "an address has a checksum",
    "POST /api/v1/webhooks": "the host is public, and events exist",
    "PATCH /api/v1/webhooks/{id}": "the host is public, and events exist",
}
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "412", "429", "400", "422"]


def described(**phases: bool) -> Any:
    """The description, of which these phases are run or not."""
    config = {
        # The token is the test's own; no other way in is made up beside it.
        "generation": {"with-security-parameters": False},
        "phases": {name: {"enabled": is_run} for name, is_run in phases.items()},
        "operations": [
            {"include-name": name, "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}}}
            for name in JUDGED
        ],
    }
    schema = schemathesis.openapi.from_wsgi(
        "/openapi.json", application, config=SchemathesisConfig.from_dict(config)
    )
    schema.hook(map_query)
    schema.hook(filter_body)
    return schema


def map_query(_context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """A cursor is what an answer gave: nobody can make one up."""
    return query and {name: value for name, value in query.items() if name != "cursor"}


def filter_body(_context: Any, body: Any) -> bool:
    """A body may hold properties that nobody knows, but no NUL in them: that the parser refuses anywhere."""
    return "\\u0000" not in json.dumps(body, default=str)


EVERYTHING, SAMPLES = described(), described(coverage=False)
some_examples = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def _one_transaction(db: None) -> Iterator[None]:
    """The test's connection outlives a request, as with Django's own client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def token_of(make_user: Callable[..., User], _one_transaction: None) -> Callable[[str], str]:
    """One user for all examples of a test."""
    return cache(lambda role: begin(make_user(role)).access_token)


@EVERYTHING.parametrize()  # type: ignore[untyped-decorator]
@some_examples
def test_an_admin_is_answered_as_described(case: Any, token_of: Callable[[str], str]) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token_of(Role.ADMIN)}"})


@SAMPLES.parametrize()  # type: ignore[untyped-decorator]
@some_examples
def test_a_viewer_is_answered_as_described(case: Any, token_of: Callable[[str], str]) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token_of(Role.VIEWER)}"})
