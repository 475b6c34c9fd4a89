from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from audit.models import AuditEvent
from conftest import PREFIX
from webhooks import signing
from webhooks.models import SUBSCRIBABLE, Delivery, Webhook
from webhooks.tests.conftest import Make

pytestmark = pytest.mark.django_db

ClientAs = Callable[[str], APIClient]
WEBHOOKS = f"{PREFIX}/webhooks"
BODY = {"url": "https://hooks.example.com/in", "events": ["payment.completed", "payment.failed"]}


# Webhooks


def test_creating_shows_the_secret_once(manager: APIClient, client_as: ClientAs) -> None:
    created = manager.post(WEBHOOKS, {"name": "Billing", **BODY})

    webhook = Webhook.objects.get()
    assert created.status_code == 201
    shown = created.json()
    assert shown == {
        "id": str(webhook.pk),
        "name": "Billing",
        "url": "https://hooks.example.com/in",
        "events": ["payment.completed", "payment.failed"],
        "status": "active",
        "active": True,
        "is_active": True,
        "disabled_reason": None,
        "consecutive_failures": 0,
        "failing_since": None,
        "last_success_at": None,
        "created_by": webhook.created_by,
        "created_at": webhook.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": webhook.updated_at.isoformat().replace("+00:00", "Z"),
        "secret": webhook.secret,
    }
    del shown["secret"]
    reader = client_as("engineer")
    assert reader.get(f"{WEBHOOKS}/{webhook.pk}").json() == shown
    assert reader.get(WEBHOOKS).json() == [shown]


def test_creating_needs_an_url_and_events_alone(manager: APIClient) -> None:
    created = manager.post(f"{WEBHOOKS}/", BODY)

    assert (created.status_code, created.json()["name"]) == (201, None)


def test_a_secret_may_be_brought_and_is_then_used(manager: APIClient) -> None:
    secret = signing.new_secret()

    assert manager.post(WEBHOOKS, {**BODY, "secret": secret}).json()["secret"] == secret
    assert Webhook.objects.get().secret == secret


def test_the_document_example_of_an_update(manager: APIClient, make_webhook: Make) -> None:
    webhook = make_webhook(status="disabled")
    Webhook.objects.update(consecutive_failures=5)

    answer = manager.patch(
        f"{WEBHOOKS}/{webhook.pk}", {"url": "https://new-endpoint.example.com/hooks", "status": "active"}
    )

    assert answer.status_code == 200
    body = answer.json()
    assert (body["url"], body["status"]) == ("https://new-endpoint.example.com/hooks", "active")
    assert (body["disabled_reason"], body["consecutive_failures"]) == (None, 0)
    assert "secret" not in body


def test_a_replaced_secret_is_not_answered(manager: APIClient, make_webhook: Make) -> None:
    webhook, secret = make_webhook(), signing.new_secret()

    answer = manager.patch(f"{WEBHOOKS}/{webhook.pk}", {"secret": secret})

    assert (answer.status_code, "whsec_" in answer.content.decode()) == (200, False)
    assert Webhook.objects.get().secret == secret


@pytest.mark.parametrize(
    ("body", "before", "after"),
    [
        ({"active": False}, "active", "paused"),
        ({"is_active": False}, "active", "paused"),
        ({"is_active": True}, "paused", "active"),
        ({"active": True, "is_active": True}, "disabled", "active"),
        ({"status": "paused", "active": False}, "active", "paused"),
        ({"status": "disabled", "active": False}, "active", "disabled"),
        ({"active": False}, "disabled", "disabled"),
        ({"name": "x"}, "paused", "paused"),
    ],
)
def test_active_is_short_for_a_status(
    manager: APIClient, make_webhook: Make, body: dict[str, Any], before: str, after: str
) -> None:
    webhook = make_webhook(status=before)

    answer = manager.patch(f"{WEBHOOKS}/{webhook.pk}", body).json()

    assert (answer["status"], answer["active"], answer["is_active"]) == (after, *(2 * [after == "active"]))


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("url", {"url": None}),
        ("url", {"url": 7}),
        ("url", {"url": ""}),
        ("url", {"url": "https://hooks.example.com/" + "a" * 2048}),
        ("url", {"url": "http://hooks.example.com/"}),
        ("url", {"url": "https://127.0.0.1/"}),
        ("url", {"url": "https://user:password@hooks.example.com/"}),
        ("events", {"events": []}),
        ("events", {"events": "outage.created"}),
        ("events", {"events": {"outage.created": True}}),
        ("events", {"events": ["outage.created"] * 51}),
        ("events", {"events": ["outage.exploded"]}),
        ("events.1", {"events": ["outage.created", 7]}),
        ("events.0", {"events": [["outage.created"]]}),
        ("name", {"name": "n" * 256}),
        ("name", {"name": ["NOC"]}),
        ("secret", {"secret": "whsec_short"}),
        ("secret", {"secret": 7}),
        ("status", {"status": "asleep"}),
        ("active", {"active": "perhaps"}),
        ("active", {"active": True, "is_active": False}),
        ("status", {"status": "paused", "active": True}),
        ("status", {"status": "active", "is_active": False}),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    manager: APIClient, make_webhook: Make, field: str, body: dict[str, Any]
) -> None:
    creation = manager.post(WEBHOOKS, {**BODY, **body})
    assert not Webhook.objects.exists()
    webhook = make_webhook()
    change = manager.patch(f"{WEBHOOKS}/{webhook.pk}", body)

    for answer in (creation, change):
        assert answer.status_code == 400
        error = answer.json()["error"]
        assert (error["code"], error["details"]["field"]) == ("VALIDATION_ERROR", field)
    assert list(AuditEvent.objects.values_list("event", flat=True)) == ["webhook.created"]
    kept = Webhook.objects.get()
    assert (kept.url, kept.events, kept.status) == (webhook.url, webhook.events, "active")


@pytest.mark.parametrize("missing", ["url", "events"])
def test_a_missing_field_is_named(manager: APIClient, missing: str) -> None:
    answer = manager.post(WEBHOOKS, {name: value for name, value in BODY.items() if name != missing})

    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, missing)


def test_an_unknown_event_is_answered_with_the_known_ones(manager: APIClient) -> None:
    answer = manager.post(WEBHOOKS, {**BODY, "events": ["outage.exploded"]})

    error = answer.json()["error"]
    assert (answer.status_code, error["details"]["allowed_values"]) == (400, list(SUBSCRIBABLE))
    assert "outage.exploded" in error["message"]
    assert "payment.completed" in error["message"]


def test_what_is_ours_cannot_be_set(manager: APIClient, make_webhook: Make) -> None:
    webhook = make_webhook()
    ours = {
        "id": 7,
        "created_by": "8",
        "consecutive_failures": 3,
        "disabled_reason": "no",
        "encrypted_secret": "x",
    }

    assert manager.patch(f"{WEBHOOKS}/{webhook.pk}", ours).status_code == 200

    kept = Webhook.objects.get()
    assert (kept.pk, kept.created_by, kept.consecutive_failures) == (webhook.pk, webhook.created_by, 0)
    assert kept.secret == webhook.secret


def test_deleting_answers_nothing_and_is_recorded(
    manager: APIClient, make_webhook: Make, tell: Callable[[int], None]
) -> None:
    webhook = make_webhook()
    tell(2)

    answer = manager.delete(f"{WEBHOOKS}/{webhook.pk}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert not Webhook.objects.exists()
    event = AuditEvent.objects.get(event="webhook.deleted")
    assert (event.subject, event.source) == (webhook.subject, "api")
    assert manager.delete(f"{WEBHOOKS}/{webhook.pk}").status_code == 404


@pytest.mark.parametrize("name", ["999", "0", "-1", "abc", "1e3", "9223372036854775808", "9" * 30])
def test_what_is_not_there_is_404(manager: APIClient, name: str) -> None:
    path = f"{WEBHOOKS}/{name}"
    answers = [
        manager.get(path),
        manager.patch(path, {"name": "x"}),
        manager.delete(path),
        manager.get(f"{path}/deliveries"),
        manager.get(f"{path}/deliveries/1"),
    ]

    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {
        (404, "NOT_FOUND")
    }


def test_there_is_no_whole_replacement(manager: APIClient, make_webhook: Make) -> None:
    assert manager.put(f"{WEBHOOKS}/{make_webhook().pk}", BODY).status_code == 405


@pytest.mark.parametrize("count", [2, 50])
def test_the_list_of_webhooks_takes_two_queries(manager: APIClient, make_webhook: Make, count: int) -> None:
    for _ in range(count):
        make_webhook()

    with CaptureQueriesContext(connection) as captured:
        assert len(manager.get(WEBHOOKS).json()) == count

    assert len(captured) == 2


# Who may


@pytest.mark.parametrize(
    ("role", "read", "write"),
    [
        ("viewer", 403, 403),
        ("engineer", 200, 403),
        ("auditor", 200, 403),
        ("manager", 200, 200),
        ("admin", 200, 200),
    ],
)
def test_rights_follow_the_role(
    client_as: ClientAs, make_webhook: Make, tell: Callable[[int], None], role: str, read: int, write: int
) -> None:
    client, webhook = client_as(role), make_webhook()
    tell(1)
    path = f"{WEBHOOKS}/{webhook.pk}"
    told = f"{path}/deliveries/{Delivery.objects.get().pk}"

    assert {client.get(url).status_code for url in (WEBHOOKS, path, f"{path}/deliveries", told)} == {read}
    assert client.patch(path, {"name": "changed"}).status_code == write
    assert client.post(WEBHOOKS, BODY).status_code == (201 if write == 200 else write)
    assert Webhook.objects.get(pk=webhook.pk).name == ("changed" if write == 200 else "")
    assert Webhook.objects.count() == (2 if write == 200 else 1)
    assert client.delete(path).status_code == (204 if write == 200 else write)
    assert Webhook.objects.filter(pk=webhook.pk).exists() is (write != 200)


def test_without_a_token_nothing_is_told(anonymous: APIClient, make_webhook: Make) -> None:
    path = f"{WEBHOOKS}/{make_webhook().pk}"
    answers = [
        anonymous.get(WEBHOOKS),
        anonymous.post(WEBHOOKS, BODY),
        anonymous.get(path),
        anonymous.patch(path, {"name": "x"}),
        anonymous.delete(path),
        anonymous.get(f"{path}/deliveries"),
        anonymous.get(f"{path}/deliveries/1"),
        anonymous.get(f"{WEBHOOKS}/404/deliveries"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert {anonymous.options(f"{WEBHOOKS}/{name}/deliveries").status_code for name in (1, 404)} == {200}
    assert Webhook.objects.get().name == ""
