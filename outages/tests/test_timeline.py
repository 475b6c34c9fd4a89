"""The story of an outage: sentences for what is recorded, and after them what is planned."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import Traveller

from audit.events import Event
from audit.models import AuditEvent
from conftest import NOW, PREFIX
from outages.models import Outage
from outages.serializers.timeline import SENTENCES, recorded
from outages.services import lifecycle, pausing
from outages.services.changing import Changes, change
from outages.services.merging import merge
from payments.models import Payment
from payments.services.settling import settle
from webhooks import signing
from webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db
OUTAGES = f"{PREFIX}/outages"
Make = Callable[..., Outage]


@pytest.fixture
def engineer(client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


def sentences(outage: Outage) -> list[str]:
    return [recorded(event)["event"] for event in AuditEvent.objects.stream(outage.stream)]


def test_every_step_has_a_sentence(clock: Traveller, make_outage: Make, parties: None) -> None:
    outage = make_outage(reference="A", severity="low", detected_at=NOW - timedelta(minutes=5))
    lifecycle.acknowledge("A")
    lifecycle.investigate("A")
    lifecycle.assign("A", assigned_to="ada")
    lifecycle.assign("A", assigned_to="")
    pausing.pause("A", reason="Storm")
    pausing.resume("A")
    lifecycle.comment("A", text="Nobody at home.")
    change("A", Changes(severity="high", region="West"))
    clock.shift(timedelta(seconds=1))
    change("A", Changes(detected_at=NOW - timedelta(minutes=6)), reason="The log says so")
    make_outage(reference="B")
    merge("B", into="A")
    settle("A")
    payment = Payment.objects.get().reference

    assert sentences(outage) == [
        "Outage detected at Cell Tower Alpha",
        "Outage acknowledged",
        "Investigation begun",
        "Assigned to ada",
        "Assigned to nobody",
        "Clock paused: Storm",
        "Clock resumed",
        "Comment: Nobody at home.",
        "Changed: region, severity",
        "Escalated from low to high",
        "Changed: detected_at",
        "Detection corrected from 2026-01-16T09:55:00Z to 2026-01-16T09:54:00Z: The log says so",
        "B merged into this outage",
        "Outage resolved after 6 minutes",
        "SLA met: 6 of 30 minutes, high-v1",
        "SLA met, exceptional: 1500 USDC are earned",
        f"Payment {payment} of 1500 USDC: ready",
    ]
    assert sentences(Outage.objects.get(reference="B"))[1:] == ["Merged into A"]


@pytest.mark.parametrize("event", SENTENCES)
def test_a_sentence_copes_with_what_an_old_entry_does_not_say(event: Event) -> None:
    entry = AuditEvent(event=event, data={}, recorded_at=timezone.now())
    assert recorded(entry)["event"]


def test_an_entry_names_the_actor_and_both_times(engineer: APIClient, make_outage: Make) -> None:
    outage = make_outage(detected_at=timezone.now() - timedelta(minutes=30))
    since = timezone.now() - timedelta(minutes=10)
    path = f"{OUTAGES}/{outage.reference}"
    engineer.post(f"{path}/pause", {"reason": "Storm", "occurred_at": since.isoformat()})
    engineer.post(f"{path}/resume", {})

    created, paused, resumed = engineer.get(f"{path}/timeline").json()["results"]

    recorded_event = AuditEvent.objects.get(event="outage.paused")
    assert paused == {
        "id": str(recorded_event.pk),
        "timestamp": recorded_event.recorded_at.isoformat().replace("+00:00", "Z"),
        "occurred_at": since.isoformat().replace("+00:00", "Z"),
        "event": "Clock paused: Storm",
        "user": recorded_event.actor,
        "event_type": "outage.paused",
        "schema_version": 1,
        "data": recorded_event.data,
        "planned": False,
    }
    assert created["occurred_at"] == outage.detected_at.isoformat().replace("+00:00", "Z")
    assert resumed["occurred_at"] is None


# What is planned


def planned(client: APIClient, outage: Outage) -> list[dict[str, Any]]:
    """Of the detail and of the timeline, which agree."""
    entries = client.get(f"{OUTAGES}/{outage.reference}").json()["timeline"]
    assert entries == client.get(f"{OUTAGES}/{outage.reference}/timeline").json()["results"]
    return [entry for entry in entries if entry["planned"]]


def test_an_open_outage_will_breach(clock: Traveller, engineer: APIClient, make_outage: Make) -> None:
    outage = make_outage(detected_at=NOW - timedelta(minutes=5))

    assert planned(engineer, outage) == [
        {
            "id": None,
            "timestamp": "2026-01-16T10:11:00Z",
            "occurred_at": None,
            "event": "SLA breached, if the outage is not resolved before",
            "user": "system",
            "event_type": "sla_breach_due",
            "schema_version": 1,
            "data": {},
            "planned": True,
        }
    ]
    assert AuditEvent.objects.stream(outage.stream).count() == 1


def test_what_is_paused_or_past_is_not_planned(
    clock: Traveller, engineer: APIClient, make_outage: Make
) -> None:
    outage, old = make_outage(), make_outage(detected_at=NOW - timedelta(minutes=16))
    pausing.pause(outage.reference, reason="Storm")

    assert planned(engineer, outage) == planned(engineer, old) == []


def test_a_payment_has_a_next_step_until_it_is_paid(
    clock: Traveller, engineer: APIClient, make_outage: Make, parties: None
) -> None:
    outage = make_outage()
    payment = settle(outage.reference).payment
    assert payment is not None

    assert [(one["event_type"], one["timestamp"], one["data"]) for one in planned(engineer, outage)] == [
        ("payment_step_due", "2026-01-16T10:00:00Z", {"payment_id": payment.reference})
    ]
    Payment.objects.update(state=Payment.State.HELD)
    assert planned(engineer, outage) == []


def test_a_failed_delivery_is_tried_again(clock: Traveller, engineer: APIClient, make_outage: Make) -> None:
    webhook = Webhook(url="https://example.com/hook", events=["outage.created"], created_by="7")
    webhook.secret = signing.new_secret()
    webhook.save()
    outage, other = make_outage(detected_at=NOW - timedelta(hours=1)), make_outage()
    first, _ = Delivery.objects.order_by("pk")
    assert planned(engineer, outage) == []

    Delivery.objects.filter(pk=first.pk).update(attempts=1, next_attempt_at=NOW + timedelta(minutes=5))

    assert [(one["event_type"], one["timestamp"], one["data"]) for one in planned(engineer, outage)] == [
        ("webhook_retry_due", "2026-01-16T10:05:00Z", {"delivery_id": str(first.pk)})
    ]
    assert [one["event_type"] for one in planned(engineer, other)] == ["sla_breach_due"]
    Webhook.objects.update(status="paused")
    assert planned(engineer, outage) == []


# By the page


def test_planned_entries_follow_the_last_page_and_are_not_counted(
    engineer: APIClient, make_outage: Make
) -> None:
    outage = make_outage()
    for text in ("one", "two"):
        lifecycle.comment(outage.reference, text=text)
    path = f"{OUTAGES}/{outage.reference}/timeline"

    first = engineer.get(path, {"limit": 2}).json()
    last = engineer.get(path, {"limit": 2, "offset": 2}).json()
    beyond = engineer.get(path, {"offset": 3}).json()

    assert [entry["planned"] for entry in first["results"]] == [False, False]
    assert [entry["planned"] for entry in last["results"]] == [False, True]
    assert (first["total"], first["has_next"], last["has_next"]) == (3, True, False)
    assert beyond["results"] == []
    assert "outages" not in first
    by_page = engineer.get(path, {"page": 2, "page_size": 2}).json()
    assert by_page["items"] == last["results"]
    cursor = engineer.get(path, {"cursor": "", "limit": "2"}).json()["next_cursor"]
    assert engineer.get(path, {"cursor": cursor, "limit": "2"}).json()["results"] == last["results"]


def test_a_timeline_is_of_an_outage(engineer: APIClient) -> None:
    assert engineer.get(f"{OUTAGES}/OUT999/timeline").status_code == 404


# The clock of the detail


def test_the_detail_shows_the_clock_with_its_evidence(
    clock: Traveller, engineer: APIClient, make_outage: Make, parties: None
) -> None:
    outage = make_outage(detected_at=NOW - timedelta(minutes=30))
    actor = outage.created_by
    pausing.pause(outage.reference, reason="Storm", occurred_at=NOW - timedelta(minutes=20))
    pausing.resume(outage.reference, occurred_at=NOW - timedelta(minutes=15))

    told = engineer.get(f"{OUTAGES}/{outage.reference}").json()["clock"]

    at = [f"2026-01-16T{time}:00Z" for time in ("09:30", "09:40", "09:45", "10:00")]
    assert told == {
        "counted_minutes": 25,
        "counted": [
            {"start": at[0], "end": at[1], "reason": ""},
            {"start": at[2], "end": None, "reason": ""},
        ],
        "excluded": [{"start": at[1], "end": at[2], "reason": "paused: Storm"}],
        "facts": [
            {"kind": kind, "detail": detail, "occurred_at": when, "recorded_at": at[3], "actor": actor}
            for kind, detail, when in (
                ("detected", "", at[0]),
                ("severity", "critical", at[0]),
                ("paused", "Storm", at[1]),
                ("resumed", "", at[2]),
            )
        ],
    }
    settle(outage.reference)
    clock.shift(timedelta(minutes=10))
    told = engineer.get(f"{OUTAGES}/{outage.reference}").json()["clock"]
    assert (told["counted_minutes"], told["counted"][-1]["end"]) == (25, at[3])
