import random
import socket
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import time_machine

from apexchainx.demo.receiver import Delivery as Received
from audit.events import Event
from webhooks import delivery, signing, tasks
from webhooks.models import Attempt, Delivery
from webhooks.tests.conftest import NOW, Make, Receiver, State, answered, read_request

pytestmark = pytest.mark.django_db


def test_a_delivery_arrives_signed(receiver: Receiver, make_webhook: Make, state: State) -> None:
    webhook = make_webhook(url=receiver.url)
    receiver.body = b"thanks"
    receiver.status = 200
    state(Event.OUTAGE_CREATED, outage_id="OUT001")

    tasks.deliver()

    told = Delivery.objects.get()
    (request,) = receiver.received
    assert request.is_signed_with(webhook.secret)
    assert not request.is_signed_with(signing.new_secret())
    assert not Received({**request.headers, "webhook-id": "msg_other"}, request.body).is_signed_with(
        webhook.secret
    )
    assert (request.id, request.body) == (told.public_id, told.body.encode())
    assert request.headers["x-webhook-signature"] == signing.legacy_signature(webhook.secret, request.body)
    assert (request.headers["x-webhook-event"], request.headers["x-correlation-id"]) == (
        "outage.created",
        "corr-1",
    )
    assert (told.status, told.attempts, told.leased_until, told.next_attempt_at) == (
        "delivered",
        1,
        None,
        None,
    )
    attempt = told.tries.get()
    assert (attempt.number, attempt.status_code, attempt.error, attempt.response_body) == (
        1,
        200,
        "",
        "thanks",
    )
    webhook.refresh_from_db()
    assert webhook.last_success_at == told.delivered_at


@pytest.mark.usefixtures("_no_jitter")
def test_after_a_failure_the_table_says_when(receiver: Receiver, make_webhook: Make, state: State) -> None:
    make_webhook(url=receiver.url)
    receiver.status = 500
    with time_machine.travel(NOW, tick=False):
        state()
        tasks.deliver()

        told = Delivery.objects.get()
        assert (told.status, told.next_attempt_at) == ("pending", NOW + timedelta(seconds=5))

    receiver.status = 204
    with time_machine.travel(NOW + timedelta(seconds=4.9), tick=False):
        tasks.deliver()
        assert len(receiver.received) == 1
    with time_machine.travel(NOW + timedelta(seconds=5), tick=False):
        tasks.deliver()

    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert [int(request.headers["webhook-timestamp"]) - NOW.timestamp() for request in (first, second)] == [
        0,
        5,
    ]
    assert list(Attempt.objects.values_list("number", "status_code")) == [(1, 500), (2, 204)]
    assert Delivery.objects.get().status == "delivered"


@pytest.mark.usefixtures("_no_jitter")
def test_the_table_to_its_end(make_webhook: Make, state: State) -> None:
    webhook = make_webhook()
    waits, at = [], NOW
    with time_machine.travel(NOW, tick=False) as clock:
        state()
        for _ in range(7):
            at = answered(503).next_attempt_at or NOW
            waits.append((at - datetime.now(UTC)).total_seconds())
            clock.move_to(at)
        last = answered(503)

    assert waits == [5, 300, 1800, 7200, 18_000, 36_000, 50_400]
    assert (last.status, last.attempts, last.next_attempt_at) == ("failed", 8, None)
    webhook.refresh_from_db()
    assert (webhook.consecutive_failures, webhook.status, webhook.failing_since) == (1, "active", NOW)


@pytest.mark.parametrize(
    ("status_code", "status"),
    [
        *((code, "delivered") for code in (200, 201, 204, 299)),
        *((code, "pending") for code in (None, 408, 425, 429, 500, 503, 599)),
        *((code, "failed") for code in (101, 301, 302, 307, 308, 400, 401, 404, 410, 422, 600)),
    ],
)
def test_what_an_answer_means(make_webhook: Make, state: State, status_code: int | None, status: str) -> None:
    make_webhook()
    state()

    assert answered(status_code).status == status
    attempt = Attempt.objects.get()
    assert (attempt.status_code, attempt.error) == (
        status_code,
        "" if status_code else "ConnectionResetError",
    )


@pytest.mark.parametrize(("number", "base"), [(1, 5), (2, 300)])
@pytest.mark.parametrize("bound", [0.8, 1.2])
def test_jitter_is_a_fifth_either_way(
    monkeypatch: pytest.MonkeyPatch, number: int, base: int, bound: float
) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: {0.8: low, 1.2: high}[bound])

    assert delivery.pause(number, "", NOW) == timedelta(seconds=base * bound)


@pytest.mark.usefixtures("_no_jitter")
@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("", 300),
        ("0", 300),
        ("299", 300),
        ("450", 450),
        ("600", 600),
        ("601", 600),
        ("999999999", 600),
        ("9" * 5000, 300),
        ("-1", 300),
        ("٤٥٠", 300),
        (format_datetime(NOW + timedelta(seconds=400), usegmt=True), 400),
        (format_datetime(NOW + timedelta(days=1), usegmt=True), 600),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 300),
        ("Fri, 16 Jan 2026 10:36:40 -0000", 300),
        ("Fri, 16 Jan 2026 10:36:40 +99999999999999999999", 300),
        ("soon\x00", 300),
    ],
)
def test_retry_after_is_honoured_up_to_twice_the_delay(asked: str, seconds: int) -> None:
    assert delivery.pause(2, asked, NOW) == timedelta(seconds=seconds)


@pytest.mark.usefixtures("_at_now", "_no_jitter")
def test_retry_after_reaches_the_row(receiver: Receiver, make_webhook: Make, state: State) -> None:
    make_webhook(url=receiver.url)
    receiver.status, receiver.headers = 429, {"Retry-After": "8"}
    state()

    tasks.deliver()

    assert Delivery.objects.get().next_attempt_at == NOW + timedelta(seconds=8)


def test_an_answer_is_kept_as_text_of_16_kib(make_webhook: Make, state: State) -> None:
    make_webhook()
    state()

    answered(200, body=b"\x00\xff" + b"x" * 20_000)

    assert Attempt.objects.get().response_body == "\ufffd\ufffd" + "x" * (16 * 1024 - 2)


def test_an_error_is_kept_as_text_too(open_network: None, make_webhook: Make, state: State) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            with server.accept()[0] as wire:
                read_request(wire)
                wire.sendall(b"\x00" * 600 + b"\r\n\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        make_webhook(url=f"http://127.0.0.1:{server.getsockname()[1]}/")
        state()
        tasks.deliver()
        thread.join()

    attempt = Attempt.objects.get()
    assert (attempt.status_code, len(attempt.error)) == (None, 500)
    assert Delivery.objects.get().status == "pending"


def test_a_blocked_address_is_an_attempt_too(
    make_webhook: Make, state: State, names: dict[str, list[str]]
) -> None:
    make_webhook()
    names["hooks.example.com"] = ["10.0.0.5"]
    state()

    tasks.deliver()

    assert Attempt.objects.get().error == "10.0.0.5 is not a public address."


def test_a_secret_under_another_key_is_said(make_webhook: Make, state: State, settings: Any) -> None:
    make_webhook()
    state()
    settings.WEBHOOK_ENCRYPTION_KEY = "another"

    tasks.deliver()

    assert Attempt.objects.get().error == (
        "The secret cannot be decrypted: WEBHOOK_ENCRYPTION_KEY has changed."
    )
    assert Delivery.objects.get().status == "pending"
