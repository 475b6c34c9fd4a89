from datetime import timedelta

import pytest

from audit.models import AuditEvent
from webhooks import delivery, services, tasks
from webhooks.models import Delivery, Webhook
from webhooks.tests.conftest import NOW, Make, Receiver, State, answered, conclude

pytestmark = pytest.mark.django_db


def test_gone_disables_the_webhook(receiver: Receiver, make_webhook: Make, state: State) -> None:
    webhook = make_webhook(url=receiver.url)
    receiver.status = 410
    state()

    tasks.deliver()
    state()
    tasks.deliver()

    webhook.refresh_from_db()
    assert (webhook.status, webhook.disabled_reason) == ("disabled", "The receiver answered 410 Gone.")
    assert (len(receiver.received), Delivery.objects.get().status) == (1, "failed")
    event = AuditEvent.objects.get(event="webhook.disabled")
    assert (event.subject, event.data["reason"]) == (
        f"webhook:{webhook.pk}",
        "The receiver answered 410 Gone.",
    )
    assert (event.actor, event.source, event.correlation_id) == ("system", "task", "corr-1")


def test_five_given_up_in_a_row_disable_the_webhook(make_webhook: Make, state: State) -> None:
    webhook = make_webhook()
    for _ in range(4):
        state()
        answered(400)
    webhook.refresh_from_db()
    assert (webhook.status, webhook.consecutive_failures) == ("active", 4)

    state()
    answered(404)

    webhook.refresh_from_db()
    assert (webhook.status, webhook.disabled_reason) == ("disabled", "5 deliveries in a row were given up.")
    assert AuditEvent.objects.filter(event="webhook.disabled").count() == 1


def test_a_success_begins_the_count_anew(make_webhook: Make, state: State) -> None:
    webhook = make_webhook()
    for status in (400, 400, 400, 400, 200, 400):
        state()
        answered(status)

    webhook.refresh_from_db()
    assert (webhook.status, webhook.consecutive_failures) == ("active", 1)


@pytest.mark.usefixtures("_at_now")
@pytest.mark.parametrize(
    ("since", "status"),
    [(timedelta(days=5), "disabled"), (timedelta(days=5) - timedelta(seconds=1), "active")],
)
def test_five_days_without_a_success_disable_the_webhook(
    make_webhook: Make, state: State, since: timedelta, status: str
) -> None:
    webhook = make_webhook()
    Webhook.objects.update(failing_since=NOW - since)
    state()

    answered(500)

    webhook.refresh_from_db()
    assert webhook.status == status
    assert AuditEvent.objects.filter(event="webhook.disabled").exists() is (status == "disabled")


def test_a_success_ends_the_failing(make_webhook: Make, state: State) -> None:
    webhook = make_webhook()
    Webhook.objects.update(failing_since=NOW)
    state()

    answered(200)

    webhook.refresh_from_db()
    assert webhook.failing_since is None


def test_a_disabled_webhook_is_disabled_once(make_webhook: Make, state: State) -> None:
    webhook = make_webhook()
    state()
    state()
    first, second = delivery.claim(2)

    conclude(first, 410)
    conclude(second, 410)

    assert AuditEvent.objects.filter(event="webhook.disabled", subject=webhook.subject).count() == 1


def test_a_paused_webhook_waits_and_goes_on(receiver: Receiver, make_webhook: Make, state: State) -> None:
    webhook = make_webhook(url=receiver.url)
    state()
    services.update(webhook.pk, status="paused")
    tasks.deliver()
    assert receiver.received == []

    services.update(webhook.pk, status="active")
    tasks.deliver()

    assert len(receiver.received) == 1
