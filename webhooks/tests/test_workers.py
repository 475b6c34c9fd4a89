import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from audit.events import Event
from audit.models import AuditEvent
from webhooks import delivery, services, tasks
from webhooks.models import Attempt, Delivery
from webhooks.tests.conftest import NOW, Make, Receiver, State, answer, conclude

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=40)


def test_a_delivery_outlives_its_worker(receiver: Receiver, make_webhook: Make, state: State) -> None:
    make_webhook(url=receiver.url)
    with time_machine.travel(NOW, tick=False) as clock:
        state()
        (abandoned,) = delivery.claim(1)
        clock.move_to(NOW + LEASE - timedelta(seconds=1))
        tasks.deliver()
        assert receiver.ids == []

        clock.move_to(NOW + LEASE)
        tasks.deliver()

    assert receiver.ids == [abandoned.public_id]
    told = Delivery.objects.get()
    assert (told.status, told.attempts) == ("delivered", 2)
    assert list(told.tries.values_list("number", flat=True)) == [2]


def test_a_worker_that_comes_late_leaves_its_attempt_and_nothing_else(
    make_webhook: Make, state: State
) -> None:
    webhook = make_webhook()
    with time_machine.travel(NOW, tick=False) as clock:
        state()
        (late,) = delivery.claim(1)
        clock.move_to(NOW + LEASE)
        (taken_over,) = delivery.claim(1)

        assert conclude(late, 410).status == "delivering"
        assert conclude(taken_over, 200).status == "delivered"

    webhook.refresh_from_db()
    assert webhook.status == "active"
    assert list(Attempt.objects.values_list("number", "status_code")) == [(1, 410), (2, 200)]


def test_a_worker_whose_delivery_was_deleted_writes_nothing(make_webhook: Make, state: State) -> None:
    webhook = make_webhook()
    state()
    (claimed,) = delivery.claim(1)
    services.delete(webhook.pk)

    given = answer(410)
    delivery.conclude(claimed, delivery.attempt(claimed, given, NOW), given)

    assert not Attempt.objects.exists()
    assert not AuditEvent.objects.filter(event="webhook.disabled").exists()


def test_a_fault_of_ours_holds_up_no_other_delivery(
    receiver: Receiver,
    make_webhook: Make,
    state: State,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_webhook(url=receiver.url, name="faulty")
    make_webhook(url=receiver.url)
    state()
    send = delivery.send

    def sometimes(claimed: Delivery) -> Any:
        if claimed.webhook.name == "faulty":
            raise RuntimeError("can't start new thread")
        return send(claimed)

    monkeypatch.setattr(delivery, "send", sometimes)
    tasks.deliver()

    assert set(Delivery.objects.values_list("webhook__name", "status")) == {
        ("faulty", "delivering"),
        ("", "delivered"),
    }
    assert "could not be sent" in caplog.text


def test_one_subscriber_takes_four_senders_at_most(make_webhook: Make, state: State) -> None:
    slow, other = make_webhook(), make_webhook(events=["outage.resolved"])
    for _ in range(6):
        state(Event.OUTAGE_CREATED)
    state(Event.OUTAGE_RESOLVED)

    claimed = [*delivery.claim(16), *delivery.claim(16), *delivery.claim(16)]

    assert [row.webhook_id for row in claimed].count(slow.pk) == 4
    assert [row.webhook_id for row in claimed].count(other.pk) == 1
    conclude(claimed[0], 200)
    assert [row.webhook_id for row in delivery.claim(16)] == [slow.pk]


def test_no_more_is_claimed_than_can_be_sent(make_webhook: Make, state: State) -> None:
    for _ in range(3):
        make_webhook()
    state()

    assert len(delivery.claim(2)) == 2
    assert Delivery.objects.filter(status="pending").count() == 1


class Parallel:
    """A call in a thread with a database connection of its own."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.result: Any = None
        self.thread = threading.Thread(target=self.run, args=(call,))
        self.thread.start()

    def run(self, call: Callable[[], Any]) -> None:
        try:
            self.result = call()
        finally:
            connection.close()

    def finish(self) -> Any:
        self.thread.join()
        return self.result


@pytest.mark.django_db(transaction=True)
def test_two_drains_at_once_send_each_delivery_once(
    receiver: Receiver, make_webhook: Make, state: State
) -> None:
    for _ in range(3):
        make_webhook(url=receiver.url)
    for _ in range(4):
        state()
    receiver.before_answer = lambda: threading.Event().wait(0.01)

    drains = [Parallel(tasks.deliver), Parallel(tasks.deliver)]
    for drain in drains:
        drain.finish()

    assert sorted(receiver.ids) == sorted(row.public_id for row in Delivery.objects.all())
    assert list(Delivery.objects.values_list("status", "attempts").distinct().order_by()) == [
        ("delivered", 1)
    ]


@pytest.mark.django_db(transaction=True)
def test_a_delivery_that_is_locked_holds_up_no_claim(make_webhook: Make, state: State) -> None:
    make_webhook()
    state()
    state()
    second, first = Delivery.objects.all()

    with transaction.atomic():
        Delivery.objects.select_for_update().get(pk=first.pk)
        other = Parallel(lambda: delivery.claim(16))
        other.thread.join(2)
        assert not other.thread.is_alive()

    assert other.finish() == [second]


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_a_subscribers_limit(make_webhook: Make, state: State) -> None:
    make_webhook()
    for _ in range(6):
        state()

    with transaction.atomic():
        assert len(delivery.claim(16)) == 4
        other = Parallel(lambda: delivery.claim(16))
        other.thread.join(0.1)
        assert other.thread.is_alive()

    assert other.finish() == []
