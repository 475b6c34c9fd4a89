import json
from decimal import Decimal

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from audit.events import Event
from audit.log import record, record_all
from webhooks import tasks
from webhooks.models import Delivery, WebhookStatus
from webhooks.tests.conftest import Make, State

pytestmark = pytest.mark.django_db


def test_each_active_subscriber_gets_one_delivery(make_webhook: Make, state: State) -> None:
    everything, outages = make_webhook(), make_webhook(events=["outage.resolved", "outage.created"])
    make_webhook(events=["outage.resolved"])
    make_webhook(status=WebhookStatus.PAUSED)
    make_webhook(status=WebhookStatus.DISABLED)

    event = state(Event.OUTAGE_CREATED)

    told = Delivery.objects.order_by("id").values_list("webhook", "event_id", "event", "status", "attempts")
    assert list(told) == [
        (everything.pk, event.pk, "outage.created", "pending", 0),
        (outages.pk, event.pk, "outage.created", "pending", 0),
    ]


@pytest.mark.parametrize(
    ("registered", "event", "delivered_as"),
    [
        (["sla.evaluated"], Event.SLA_CALCULATED, "sla.evaluated"),
        (["sla.breached"], Event.SLA_VIOLATION, "sla.breached"),
        (["sla.resolved"], Event.SLA_REWARD, "sla.resolved"),
        (["payment.confirmed"], Event.PAYMENT_COMPLETED, "payment.confirmed"),
        (["payment.processed", "payment.completed"], Event.PAYMENT_COMPLETED, "payment.processed"),
        (["payment.completed", "*"], Event.PAYMENT_COMPLETED, "payment.completed"),
        (["*"], Event.SLA_VIOLATION, "sla.violation"),
    ],
)
def test_it_is_told_once_under_the_name_it_registered(
    make_webhook: Make, state: State, registered: list[str], event: Event, delivered_as: str
) -> None:
    make_webhook(events=registered)

    state(event)

    delivery = Delivery.objects.get()
    content = json.loads(delivery.body)
    assert (delivery.event, content["event"], content["type"]) == (delivered_as,) * 3


def test_the_body_to_the_letter(make_webhook: Make, state: State) -> None:
    webhook = make_webhook()

    event = state(
        Event.PAYMENT_COMPLETED,
        outage_id="OUT001",
        payment_id="PAY001",
        type="reward",
        amount=Decimal("12345678901.1234567"),
        internal_note="not for outsiders",
    )

    delivery = Delivery.objects.get()
    assert delivery.body == (
        f'{{"id":"msg_{delivery.message_id}","event":"payment.completed","type":"payment.completed",'
        f'"timestamp":"{event.recorded_at.isoformat().replace("+00:00", "Z")}","schema_version":"1",'
        f'"webhook_id":"{webhook.pk}","data":{{"outage_id":"OUT001","payment_id":"PAY001","type":"reward",'
        '"amount":12345678901.1234567}}'
    )
    assert (delivery.public_id, delivery.correlation_id) == (f"msg_{delivery.message_id}", "corr-1")


@pytest.mark.parametrize("event", [Event.LOGIN_FAILED, Event.WALLET_APPROVED, Event.OUTAGE_DELETED])
def test_a_private_fact_is_told_to_nobody(make_webhook: Make, state: State, event: Event) -> None:
    make_webhook()

    state(event)

    assert not Delivery.objects.exists()


def test_a_change_that_is_rolled_back_is_told_to_nobody(make_webhook: Make, state: State) -> None:
    make_webhook()

    with transaction.atomic():
        state()
        transaction.set_rollback(True)

    assert not Delivery.objects.exists()


def test_a_transaction_rings_once_after_its_commit(
    make_webhook: Make,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(tasks.deliver, "delay", lambda: rung.append(Delivery.objects.count()))
    make_webhook()

    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        record(Event.OUTAGE_CREATED, "outage:OUT001")
        record_all((Event.OUTAGE_UPDATED, f"outage:OUT00{number}", "", {}) for number in (1, 2))
        assert rung == []

    assert rung == [3]


def test_a_dead_broker_fails_no_transaction(
    make_webhook: Make,
    state: State,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def dead() -> None:
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks.deliver, "delay", dead)
    make_webhook()

    with django_capture_on_commit_callbacks(execute=True):
        state()

    assert Delivery.objects.get().status == "pending"
    assert "no broker" in caplog.text
