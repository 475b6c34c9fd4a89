"""Once: with races, a crash, secrets, and every POST that changes state."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from django.urls import get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from apexchainx.accounts.models import IdempotencyRecord, User
from apexchainx.accounts.services import forgetting
from apexchainx.accounts.services.sessions import begin
from apexchainx.accounts.tasks import forget
from apexchainx.api.idempotency import NAMES
from apexchainx.api.tests.test_every_route import routes
from apexchainx.errors import Conflict
from audit.models import AuditEvent
from outages.models import Outage
from payments.tasks import advance
from webhooks import sender, services
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db

PATH = "/api/v1/outages"
BODY = {"site_name": "Cell Tower Alpha", "severity": "critical"}
KEY = {"X-Idempotency-Key": "a1b2c3"}
# A process of its own that dies after its effects are written and before they are committed.
DYING = """
import os, signal, sys
import django
django.setup()
from apexchainx.api.idempotency import Attempt
Attempt.keep = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
from rest_framework.test import APIClient
headers = {"Authorization": "Bearer " + sys.argv[1], "X-Idempotency-Key": "a1b2c3"}
body = {"site_name": "Cell Tower Alpha", "severity": "critical"}
APIClient().post("/api/v1/outages", body, headers=headers)
"""
# What changes nothing, and identity's doors, which take no keys.
EXEMPT = {"sla/preview"}


@pytest.fixture
def client(client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("admin")


# The promise


def test_a_repeated_request_gets_the_same_bytes_and_does_nothing(
    client: APIClient, facts: Callable[..., Any]
) -> None:
    first = client.post(PATH, BODY, headers=KEY)
    before = facts()

    second = client.post(PATH, BODY, headers=KEY)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["Content-Type"] == first["Content-Type"] == "application/json"
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert second["X-Correlation-ID"] != first["X-Correlation-ID"]
    assert Outage.objects.count() == 1
    assert facts() == before


def test_without_a_key_each_request_is_its_own(client: APIClient) -> None:
    assert [client.post(PATH, BODY).status_code for _ in range(2)] == [201, 201]
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [(PATH, {**BODY, "severity": "low"}), (f"{PATH}?dry_run=true", BODY)],
)
def test_the_same_key_for_another_request_is_422(client: APIClient, path: str, body: Any) -> None:
    client.post(PATH, BODY, headers=KEY)

    response = client.post(path, body, headers=KEY)

    assert (response.status_code, response.json()["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert Outage.objects.count() == 1


def test_a_key_belongs_to_a_caller_a_method_and_a_path(
    client: APIClient, client_as: Callable[[str], APIClient], make_outage: Callable[..., Outage]
) -> None:
    one, other = make_outage(), make_outage()
    answers = [
        client.post(PATH, BODY, headers=KEY),
        client_as("engineer").post(PATH, BODY, headers=KEY),
        client.post(f"{PATH}/{one.reference}/resolve", {}, headers=KEY),
        client.post(f"{PATH}/{other.reference}/resolve", {}, headers=KEY),
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 200, 200]
    assert [answer.has_header("Idempotency-Replayed") for answer in answers] == [False] * 4
    assert len(set(IdempotencyRecord.objects.values_list("principal", flat=True))) == 2


def test_an_impersonator_has_keys_apart_from_the_users(make_user: Callable[..., User]) -> None:
    user, admin = make_user("engineer"), make_user("admin")
    answers = [
        with_token(begin(user).access_token).post(PATH, BODY, headers=KEY),
        with_token(begin(user, impersonator=admin).access_token).post(PATH, BODY, headers=KEY),
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert Outage.objects.count() == 2


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def test_both_names_are_one_thing(client: APIClient) -> None:
    client.post(PATH, BODY, headers={NAMES[0]: "k"})

    response = client.post(PATH, BODY, headers={NAMES[1]: "k"})
    both = client.post(PATH, BODY, headers=dict.fromkeys(NAMES, "k"))

    assert response["Idempotency-Replayed"] == both["Idempotency-Replayed"] == "true"
    assert Outage.objects.count() == 1


@pytest.mark.parametrize(
    "headers",
    [
        {NAMES[0]: ""},
        {NAMES[1]: "x" * 256},
        {NAMES[0]: "é"},
        {NAMES[0]: "a\tb"},
        {NAMES[0]: "a\x7f"},
        {NAMES[0]: "a", NAMES[1]: "b"},
    ],
)
def test_a_key_that_is_none_is_400(client: APIClient, headers: dict[str, str]) -> None:
    response = client.post(PATH, BODY, headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert not Outage.objects.exists()


@pytest.mark.parametrize("key", ["x", " inner space ", "x" * 255, '"quoted"'])
def test_a_key_is_up_to_255_characters(client: APIClient, key: str) -> None:
    assert client.post(PATH, BODY, headers={NAMES[0]: key}).status_code == 201


# What is stored


def test_a_refusal_of_the_domain_is_stored(
    client: APIClient, make_outage: Callable[..., Outage], facts: Callable[..., Any]
) -> None:
    path = f"{PATH}/{make_outage().reference}/resolve"
    client.post(path, {})
    before = facts()

    answers = [client.post(path, {}, headers=KEY) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[0].content == answers[1].content
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert facts() == before


def test_a_refusal_undoes_what_was_written_before_it(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, facts: Callable[..., Any]
) -> None:
    create = services.create

    def late(webhook: Webhook) -> Webhook:
        create(webhook)
        raise Conflict("Too late.")

    monkeypatch.setattr(services, "create", late)
    monkeypatch.setattr(sender, "check", lambda _url: None)

    response = client.post(
        "/api/v1/webhooks", {"url": "https://hooks.example.com/in", "events": ["*"]}, headers=KEY
    )

    assert response.status_code == 409
    assert not Webhook.objects.exists()
    assert not [event for event, _ in facts() if event.startswith("webhook")]
    assert IdempotencyRecord.objects.get().status == 409


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (PATH, {"severity": "urgent"}, 400),
        (f"{PATH}/OUT404/resolve", {}, 404),
        (PATH, "{", 400),
    ],
)
def test_other_failures_are_not_stored(client: Any, path: str, body: Any, status: int) -> None:
    for _ in range(2):
        if isinstance(body, str):
            response = client.generic("POST", path, body, content_type="application/json", headers=KEY)
        else:
            response = client.post(path, body, headers=KEY)
        assert response.status_code == status
        assert "Idempotency-Replayed" not in response
    assert not IdempotencyRecord.objects.exists()
    if path == PATH:
        assert client.post(PATH, BODY, headers=KEY).status_code == 201


def test_neither_a_refused_caller_nor_a_crash_is_stored(
    client: APIClient,
    anonymous: APIClient,
    client_as: Callable[[str], APIClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(_report: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("outages.services.reporting.create", crash)
        assert client.post(PATH, BODY, headers=KEY).status_code == 500
    assert anonymous.post(PATH, BODY, headers=KEY).status_code == 401
    assert client_as("viewer").post(PATH, BODY, headers=KEY).status_code == 403
    assert not IdempotencyRecord.objects.exists()

    assert client.post(PATH, BODY, headers=KEY).status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/v1/webhooks", {"url": "https://hooks.example.com/in", "events": ["*"]}, "secret"),
        ("/api/v1/api-keys", {"name": "probe", "scopes": ["outages:read"]}, "raw_key"),
    ],
)
def test_a_secret_is_shown_once(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, path: str, body: Any, field: str
) -> None:
    monkeypatch.setattr(sender, "check", lambda _url: None)

    first, second = (client.post(path, body, headers=KEY) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()[field]
    assert second.json() == {**first.json(), field: None}
    assert second["Idempotency-Replayed"] == "true"
    assert first.json()[field].encode() not in bytes(IdempotencyRecord.objects.get().body)


def test_the_network_is_asked_outside_the_transaction(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    inside = []
    monkeypatch.setattr(sender, "check", lambda _url: inside.append(connection.in_atomic_block))
    body = {"url": "https://hooks.example.com/in", "events": ["*"]}

    answers = [client.post("/api/v1/webhooks", body, headers=KEY).status_code for _ in range(2)]

    assert answers == [201, 201]
    assert inside == [False]


@pytest.mark.usefixtures("parties")
def test_bells_ring_once_and_after_the_commit(
    client: APIClient,
    make_outage: Callable[..., Outage],
    monkeypatch: pytest.MonkeyPatch,
    transactional_db: None,
) -> None:
    rung = []
    monkeypatch.setattr(advance, "delay", lambda: rung.append(connection.in_atomic_block))
    path = f"{PATH}/{make_outage().reference}/resolve"

    answers = [client.post(path, {"mttr_minutes": 0}, headers=KEY) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json()["payment"] == answers[0].json()["payment"]
    assert rung == [False]


# Races and crashes


@pytest.mark.django_db(transaction=True)
def test_of_100_at_once_one_executes(make_user: Callable[..., User]) -> None:
    token = begin(make_user()).access_token
    start = Barrier(20)

    def call(_: int) -> Any:
        client = APIClient()
        try:
            start.wait(10)
            return client.post(PATH, BODY, headers={**KEY, "Authorization": f"Bearer {token}"})
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(call, range(100)))

    assert Outage.objects.count() == 1
    assert AuditEvent.objects.filter(event="outage.created").count() == 1
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[201] + statuses[409] == 100
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    fresh = [
        answer for answer in answers if answer.status_code == 201 and "Idempotency-Replayed" not in answer
    ]
    assert len(fresh) == 1
    assert {answer["Retry-After"] for answer in answers if answer.status_code == 409} <= {"1"}


@pytest.mark.django_db(transaction=True)
def test_while_one_is_under_way_the_next_is_told_to_wait(make_user: Callable[..., User]) -> None:
    client = APIClient(headers={"Authorization": f"Bearer {begin(make_user()).access_token}"})
    other = connection.copy()
    first = client.post(PATH, BODY, headers=KEY)
    scope = IdempotencyRecord.objects.get().scope
    IdempotencyRecord.objects.all().delete()
    number = int.from_bytes(bytes.fromhex(scope)[:8], "big", signed=True)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [number])

    response = client.post(PATH, BODY, headers=KEY)
    other.close()

    assert (first.status_code, response.status_code, response["Retry-After"]) == (201, 409, "1")
    assert response.json()["error"]["message"] == "A request with this idempotency key is under way."
    assert Outage.objects.count() == 1
    assert not IdempotencyRecord.objects.exists()
    assert client.post(PATH, BODY, headers=KEY).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_kill_in_the_middle_stores_nothing(make_user: Callable[..., User]) -> None:
    token = begin(make_user()).access_token
    there = connection.settings_dict
    environment = {
        "DEBUG": "true",
        "DATABASE_URL": f"postgresql://{there['USER']}@{there['HOST']}:{there['PORT']}/{there['NAME']}",
        "DJANGO_SETTINGS_MODULE": "apexchainx.settings",
        "ALLOWED_HOSTS": "testserver",
    }

    killed = subprocess.run(  # noqa: S603
        [sys.executable, "-c", DYING, token], env=environment, cwd=configured.BASE_DIR, check=False
    )

    assert killed.returncode == -9
    assert (Outage.objects.count(), IdempotencyRecord.objects.count()) == (0, 0)
    assert not AuditEvent.objects.filter(event="outage.created").exists()
    client = APIClient(headers={"Authorization": f"Bearer {token}"})
    answers = [client.post(PATH, BODY, headers=KEY).status_code for _ in range(2)]
    assert answers == [201, 201]
    assert Outage.objects.count() == 1


# How long it is kept


def test_after_its_time_a_key_is_new(client: APIClient) -> None:
    client.post(PATH, BODY, headers=KEY)
    IdempotencyRecord.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))

    again = client.post(PATH, {**BODY, "severity": "low"}, headers=KEY)

    assert (again.status_code, again.has_header("Idempotency-Replayed")) == (201, False)
    assert client.post(PATH, {**BODY, "severity": "low"}, headers=KEY)["Idempotency-Replayed"] == "true"


def test_what_is_over_is_forgotten(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    for number in range(4):
        client.post(PATH, BODY, headers={NAMES[0]: str(number)})
    kept = IdempotencyRecord.objects.order_by("-created_at")[0].pk
    IdempotencyRecord.objects.exclude(pk=kept).update(created_at=timezone.now() - timedelta(hours=25))

    forget()

    assert [record.pk for record in IdempotencyRecord.objects.all()] == [kept]


# Every one of them


def test_every_post_that_changes_state_takes_a_key() -> None:
    bare = []
    for path, callback in routes(get_resolver(configured.ROOT_URLCONF)):
        route = path.removeprefix(configured.API_V1_PREFIX.lstrip("/") + "/")
        view = getattr(callback, "cls", None)
        if view is None or route == path or route.startswith("auth/") or route in EXEMPT:
            continue
        handler = getattr(view, (getattr(callback, "actions", None) or {}).get("post", "post"), None)
        if handler and not hasattr(handler, "is_idempotent"):
            bare.append(route)

    assert bare == []


def test_identity_ignores_keys(client: APIClient) -> None:
    answers = [client.post("/api/v1/auth/logout-all", headers=KEY) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert not IdempotencyRecord.objects.exists()
