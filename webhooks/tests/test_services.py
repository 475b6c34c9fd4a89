import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from apexchainx import context
from apexchainx.errors import Invalid, NotFound
from audit.events import Event
from audit.models import AuditEvent
from webhooks import delivery, sender, services, signing
from webhooks.models import SUBSCRIBABLE, Attempt, Delivery, Webhook
from webhooks.tests.conftest import Make, State

pytestmark = pytest.mark.django_db

Facts = Callable[..., list[tuple[str, str]]]
URL = "https://hooks.example.com/in"


def test_a_webhook_begins_active_with_a_secret_of_its_own(acting: context.Context, facts: Facts) -> None:
    webhook = services.create(
        services.draft(url=URL, events=["outage.created", "sla.breached", "outage.created"], name="NOC")
    )

    kept = Webhook.objects.get()
    assert (kept.name, kept.url, kept.events) == ("NOC", URL, ["outage.created", "sla.breached"])
    assert (kept.status, kept.disabled_reason, kept.created_by) == ("active", "", "7")
    assert signing.is_secret(kept.secret)
    assert kept.secret == webhook.secret
    assert facts() == [("webhook.created", webhook.subject)]


def test_two_webhooks_have_two_secrets(make_webhook: Make) -> None:
    assert make_webhook().secret != make_webhook().secret


def test_a_caller_may_bring_a_secret(make_webhook: Make) -> None:
    secret = signing.new_secret()

    assert make_webhook(secret=secret).secret == secret


def test_the_secret_is_nowhere_but_encrypted(make_webhook: Make) -> None:
    secret = signing.new_secret()
    webhook = make_webhook(secret=secret)
    services.update(webhook.pk, secret=signing.new_secret(), name="new")
    services.delete(webhook.pk)

    said = " ".join(str(event.data) for event in AuditEvent.objects.all())
    assert "whsec_" not in said + repr(webhook) + str(webhook)
    assert secret.encode() not in bytes(webhook.encrypted_secret)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("url", "https://10.0.0.5/", "10.0.0.5 is not a public address."),
        ("url", "http://hooks.example.com/", "Give an absolute URL that starts with https://."),
        ("events", ["outage.created", "outage.exploded"], "There is no event outage.exploded."),
        ("events", ["auth.login_failed"], "There is no event auth.login_failed."),
        ("secret", "whsec_short", "Give whsec_ and the base64 of 24 to 64 random bytes, or leave it out."),
    ],
)
def test_what_cannot_be_used_is_refused(
    make_webhook: Make, facts: Facts, field: str, value: Any, message: str
) -> None:
    with pytest.raises(Invalid) as creation:
        make_webhook(**{field: value})
    assert not Webhook.objects.exists()
    webhook = make_webhook()
    with pytest.raises(Invalid) as change:
        services.update(webhook.pk, **{field: value})

    assert {refusal.value.details["field"] for refusal in (creation, change)} == {field}
    assert [refusal.value.message[: len(message)] for refusal in (creation, change)] == [message, message]
    assert facts() == [("webhook.created", webhook.subject)]
    assert getattr(Webhook.objects.get(), field) == getattr(webhook, field)


def test_an_unknown_event_is_told_the_known_ones(make_webhook: Make) -> None:
    with pytest.raises(Invalid) as refusal:
        make_webhook(events=["outage.exploded"])

    assert refusal.value.details["allowed_values"] == list(SUBSCRIBABLE)


def test_only_what_is_given_changes(make_webhook: Make, acting: context.Context) -> None:
    webhook = make_webhook(name="before", events=["outage.created"])

    services.update(webhook.pk, url="https://new-endpoint.example.com/hooks", events=["*"])

    kept = Webhook.objects.get()
    assert (kept.name, kept.url, kept.events) == ("before", "https://new-endpoint.example.com/hooks", ["*"])
    assert (kept.status, kept.secret) == ("active", webhook.secret)
    event = AuditEvent.objects.get(event="webhook.updated")
    assert (event.subject, event.actor) == (webhook.subject, "7")
    assert event.data == {
        "name": "before",
        "url": "https://new-endpoint.example.com/hooks",
        "events": ["*"],
        "status": "active",
        "reason": "",
        "changed": ["url", "events"],
    }


def test_a_change_to_what_it_is_already_states_nothing(make_webhook: Make, facts: Facts) -> None:
    webhook = make_webhook(name="NOC")

    services.update(webhook.pk, name="NOC", url=URL, events=["*"], status="active")

    assert facts() == [("webhook.created", webhook.subject)]


def test_a_new_secret_heals_one_that_cannot_be_read(make_webhook: Make, settings: Any) -> None:
    webhook = make_webhook()
    settings.WEBHOOK_ENCRYPTION_KEY = "another"
    secret = signing.new_secret()

    services.update(webhook.pk, secret=secret)

    assert Webhook.objects.get().secret == secret
    assert AuditEvent.objects.get(event="webhook.updated").data["changed"] == ["secret"]


def test_disabling_by_hand_gives_a_reason(make_webhook: Make, facts: Facts) -> None:
    webhook = make_webhook()

    services.update(webhook.pk, status="disabled")

    assert Webhook.objects.get().disabled_reason == "Disabled by hand."
    assert facts() == [("webhook.created", webhook.subject), ("webhook.disabled", webhook.subject)]


@pytest.mark.parametrize("status", ["disabled", "paused"])
def test_enabling_again_resets_the_counters(make_webhook: Make, status: str) -> None:
    webhook = make_webhook(status=status)
    Webhook.objects.update(consecutive_failures=4, failing_since=datetime(2026, 1, 1, tzinfo=UTC))

    services.update(webhook.pk, status="active")

    kept = Webhook.objects.get()
    assert (kept.status, kept.disabled_reason) == ("active", "")
    assert (kept.consecutive_failures, kept.failing_since) == (0, None)


def test_a_change_of_name_leaves_the_counters(make_webhook: Make) -> None:
    webhook = make_webhook()
    Webhook.objects.update(consecutive_failures=4)

    services.update(webhook.pk, name="new", status="active")

    assert Webhook.objects.get().consecutive_failures == 4


def test_a_webhook_goes_with_its_deliveries(make_webhook: Make, state: State, facts: Facts) -> None:
    webhook, other = make_webhook(name="going"), make_webhook()
    state()
    for claimed in delivery.claim(2):
        given = sender.Answer(200)
        delivery.conclude(claimed, delivery.attempt(claimed, given, datetime.now(UTC)), given)

    services.delete(webhook.pk)

    assert list(Delivery.objects.values_list("webhook", flat=True)) == [other.pk]
    assert Attempt.objects.count() == 1
    assert facts(event="webhook.deleted") == [("webhook.deleted", webhook.subject)]
    assert AuditEvent.objects.get(event="webhook.deleted").data["name"] == "going"


def test_what_is_not_there_cannot_be_changed(facts: Facts) -> None:
    with pytest.raises(NotFound, match="There is no webhook 404"):
        services.update(404, name="x")
    with pytest.raises(NotFound, match="There is no webhook 404"):
        services.delete(404)
    assert facts() == []


@pytest.mark.django_db(transaction=True)
def test_a_webhook_is_not_deleted_under_a_fact_that_is_being_stated(make_webhook: Make, state: State) -> None:
    webhook = make_webhook()

    def delete() -> None:
        services.delete(webhook.pk)
        connection.close()

    with transaction.atomic():
        state(Event.OUTAGE_CREATED)
        thread = threading.Thread(target=delete)
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
    thread.join()

    assert not Webhook.objects.exists()
    assert not Delivery.objects.exists()
