"""Acknowledge, investigate, assign, pause, resume, comment, delete: services and what stands before them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import Traveller

from apexchainx import context
from apexchainx.errors import Conflict, Invalid, NotFound, NotReady, Stale
from audit.models import AuditEvent
from conftest import NOW, PREFIX
from outages.models import Fact, Outage
from outages.services import lifecycle, pausing
from outages.services.merging import merge
from outages.tests.racing import race
from payments.services.settling import settle

pytestmark = pytest.mark.django_db
OUTAGES = f"{PREFIX}/outages"
HALF_PAST_NINE = NOW - timedelta(minutes=30)
Make = Callable[..., Outage]


@pytest.fixture
def engineer(clock: Traveller, client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


@pytest.fixture
def outage(clock: Traveller, acting: context.Context, make_outage: Make) -> Outage:
    return make_outage(detected_at=HALF_PAST_NINE)


def again(outage: Outage) -> Outage:
    found: Outage = Outage.objects.get(pk=outage.pk)
    return found


def later_facts(outage: Outage) -> list[tuple[str, str, Any, Any, str]]:
    """(kind, detail, occurred_at, recorded_at, actor) of what was stated after the report."""
    columns = ("kind", "detail", "occurred_at", "recorded_at", "actor")
    return list(outage.facts.exclude(kind__in=("detected", "severity")).values_list(*columns))


def told_since_creation(outage: Outage) -> list[tuple[str, dict[str, Any]]]:
    events = AuditEvent.objects.stream(outage.stream).exclude(event="outage.created")
    return [(event.event, event.data) for event in events]


def written() -> tuple[int, int, list[Any]]:
    """What a refusal must leave alone."""
    return Fact.objects.count(), AuditEvent.objects.count(), list(Outage.objects.order_by("pk").values())


SAID = {
    "site_name": "Cell Tower Alpha",
    "severity": "critical",
    "status": "open",
    "detected_at": "2026-01-16T09:30:00Z",
}


def test_acknowledging_says_who_has_seen_it_and_when(outage: Outage) -> None:
    lifecycle.acknowledge(outage.reference)

    seen = again(outage)
    assert (seen.acknowledged_at, seen.acknowledged_by, seen.state, seen.version) == (NOW, "7", "active", 2)
    assert later_facts(outage) == [("acknowledged", "", NOW, NOW, "7")]
    assert told_since_creation(outage) == [("outage.acknowledged", {"outage_id": outage.reference, **SAID})]


def test_investigating_changes_the_state(outage: Outage) -> None:
    lifecycle.investigate(outage.reference)

    assert (again(outage).state, again(outage).status, again(outage).version) == ("investigating", "open", 2)
    assert later_facts(outage) == [("investigating", "", NOW, NOW, "7")]
    assert told_since_creation(outage) == [("outage.investigated", {"outage_id": outage.reference, **SAID})]


@pytest.mark.parametrize("verb", [lifecycle.acknowledge, lifecycle.investigate])
def test_a_second_time_conflicts(outage: Outage, verb: Callable[..., Outage]) -> None:
    verb(outage.reference)
    before = written()

    with pytest.raises(Conflict, match="already"):
        verb(outage.reference)
    assert written() == before


def test_assigning_is_told_once(outage: Outage) -> None:
    lifecycle.assign(outage.reference, assigned_to="ada")
    lifecycle.assign(outage.reference, assigned_to="ada")

    assert (again(outage).assigned_to, again(outage).version) == ("ada", 2)
    assert later_facts(outage) == [("assigned", "ada", NOW, NOW, "7")]
    said = {"outage_id": outage.reference, **SAID, "assigned_to": "ada"}
    assert told_since_creation(outage) == [("outage.assigned", said)]


def test_a_resolved_outage_is_still_assigned(outage: Outage, parties: None) -> None:
    settle(outage.reference)
    assert lifecycle.assign(outage.reference, assigned_to="ada").assigned_to == "ada"


def test_a_comment_is_an_event_and_a_new_version(outage: Outage, parties: None) -> None:
    lifecycle.comment(outage.reference, text="On our way.")
    settle(outage.reference)
    lifecycle.comment(outage.reference, text="It was the UPS.")

    assert again(outage).version == 4
    assert [data["text"] for event, data in told_since_creation(outage) if event == "outage.commented"] == [
        "On our way.",
        "It was the UPS.",
    ]


# The clock stands still


def test_a_pause_and_its_end_keep_both_times(outage: Outage) -> None:
    quarter, ten_to = NOW - timedelta(minutes=15), NOW - timedelta(minutes=10)
    pausing.pause(outage.reference, reason="No access to the site", occurred_at=quarter)
    assert again(outage).paused_at == quarter
    pausing.resume(outage.reference, occurred_at=ten_to)

    assert (again(outage).paused_at, again(outage).version) == (None, 3)
    assert later_facts(outage) == [
        ("paused", "No access to the site", quarter, NOW, "7"),
        ("resumed", "", ten_to, NOW, "7"),
    ]
    about = {"outage_id": outage.reference, **SAID}
    assert told_since_creation(outage) == [
        (
            "outage.paused",
            {**about, "reason": "No access to the site", "occurred_at": "2026-01-16T09:45:00Z"},
        ),
        ("outage.resumed", {**about, "occurred_at": "2026-01-16T09:50:00Z"}),
    ]


def test_what_is_paused_does_not_count(make_outage: Make, clock: Traveller, parties: None) -> None:
    outage = make_outage()
    clock.shift(timedelta(minutes=5))
    pausing.pause(outage.reference, reason="Storm")
    clock.shift(timedelta(minutes=20))
    pausing.resume(outage.reference)
    clock.shift(timedelta(minutes=5))

    result = settle(outage.reference).result

    assert (result.mttr_minutes, result.clock_source) == (10, "measured")


def test_an_outage_may_be_resolved_while_it_is_paused(
    outage: Outage, clock: Traveller, parties: None
) -> None:
    pausing.pause(outage.reference, reason="Storm")
    clock.shift(timedelta(minutes=20))

    assert settle(outage.reference).result.mttr_minutes == 30
    assert again(outage).paused_at is None


def test_pauses_follow_each_other(outage: Outage) -> None:
    pausing.pause(outage.reference, reason="Storm", occurred_at=NOW - timedelta(minutes=20))
    pausing.resume(outage.reference, occurred_at=NOW - timedelta(minutes=10))
    before = written()

    with pytest.raises(NotReady, match=r"2026-01-16T09:45:00Z .* resumed at 2026-01-16T09:50:00Z"):
        pausing.pause(outage.reference, reason="Storm", occurred_at=NOW - timedelta(minutes=15))
    assert written() == before
    pausing.pause(outage.reference, reason="Storm", occurred_at=NOW - timedelta(minutes=10))


@pytest.mark.parametrize(
    ("minutes", "sentence"),
    [
        (1, "2026-01-16T10:01:00Z lies in the future; it is 2026-01-16T10:00:00Z"),
        (-31, "2026-01-16T09:29:00Z lies before the detection at 2026-01-16T09:30:00Z"),
    ],
)
def test_a_pause_lies_between_detection_and_now(outage: Outage, minutes: int, sentence: str) -> None:
    before = written()

    with pytest.raises(NotReady, match=sentence) as refusal:
        pausing.pause(outage.reference, reason="Storm", occurred_at=NOW + timedelta(minutes=minutes))
    assert refusal.value.details == {"field": "occurred_at"}
    assert written() == before


def test_a_pause_does_not_end_before_it_began(outage: Outage) -> None:
    pausing.pause(outage.reference, reason="Storm", occurred_at=NOW - timedelta(minutes=5))
    before = written()

    with pytest.raises(NotReady, match=r"2026-01-16T09:54:00Z .* paused at 2026-01-16T09:55:00Z"):
        pausing.resume(outage.reference, occurred_at=NOW - timedelta(minutes=6))
    assert written() == before


def test_a_pause_says_why(outage: Outage) -> None:
    before = written()
    with pytest.raises(Invalid):
        pausing.pause(outage.reference, reason=" ")
    assert written() == before


def test_only_what_runs_is_paused_and_only_what_is_paused_is_resumed(outage: Outage) -> None:
    before = written()
    with pytest.raises(Conflict, match="is not paused"):
        pausing.resume(outage.reference)
    assert written() == before

    pausing.pause(outage.reference, reason="Storm")
    before = written()
    with pytest.raises(Conflict, match="already paused, since 2026-01-16T10:00:00Z"):
        pausing.pause(outage.reference, reason="Storm")
    assert written() == before


# Refusals of all


CALLS: list[tuple[str, Callable[..., object], dict[str, Any]]] = [
    ("acknowledge", lifecycle.acknowledge, {}),
    ("investigate", lifecycle.investigate, {}),
    ("assign", lifecycle.assign, {"assigned_to": "ada"}),
    ("pause", pausing.pause, {"reason": "Storm"}),
    ("resume", pausing.resume, {}),
    ("comment", lifecycle.comment, {"text": "Hm."}),
    ("merge", merge, {"into": "OUT-B"}),
]
every_call = pytest.mark.parametrize(("name", "call", "body"), CALLS, ids=[name for name, *_ in CALLS])
WHILE_OPEN = [call for call in CALLS if call[0] not in {"assign", "comment"}]


@pytest.mark.parametrize(("name", "call", "body"), WHILE_OPEN, ids=[name for name, *_ in WHILE_OPEN])
def test_a_resolved_outage_refuses(
    outage: Outage, make_outage: Make, parties: None, name: str, call: Callable[..., object], body: Any
) -> None:
    make_outage(reference="OUT-B")
    settle(outage.reference)
    before = written()

    with pytest.raises(Conflict, match="already resolved"):
        call(outage.reference, **body)
    assert written() == before


@every_call
def test_a_stale_version_is_refused(
    outage: Outage, make_outage: Make, name: str, call: Callable[..., object], body: Any
) -> None:
    make_outage(reference="OUT-B")
    lifecycle.comment(outage.reference, text="Somebody was quicker.")
    before = written()

    with pytest.raises(Stale):
        call(outage.reference, **body, version=1)
    assert written() == before


@every_call
def test_an_unknown_outage_is_not_found(
    make_outage: Make, name: str, call: Callable[..., object], body: Any
) -> None:
    make_outage(reference="OUT-B")
    with pytest.raises(NotFound, match="OUT-X"):
        call("OUT-X", **body)


@every_call
def test_each_verb_answers_the_whole_outage_over_http(
    engineer: APIClient, outage: Outage, make_outage: Make, name: str, call: Any, body: Any
) -> None:
    make_outage(reference="OUT-B")
    if name == "resume":
        pausing.pause(outage.reference, reason="Storm")
    answer = engineer.post(f"{OUTAGES}/{outage.reference}/{name}", body)

    assert answer.status_code == 200
    assert answer.json() == engineer.get(f"{OUTAGES}/{outage.reference}").json()
    assert answer["ETag"] == engineer.get(f"{OUTAGES}/{outage.reference}")["ETag"]


@every_call
def test_each_verb_happens_once_under_a_key(
    engineer: APIClient, outage: Outage, make_outage: Make, name: str, call: Any, body: Any
) -> None:
    make_outage(reference="OUT-B")
    if name == "resume":
        pausing.pause(outage.reference, reason="Storm")
    path, once = f"{OUTAGES}/{outage.reference}/{name}", "once"
    first = engineer.post(path, body, HTTP_IDEMPOTENCY_KEY=once)
    before = written()

    second = engineer.post(path, body, HTTP_IDEMPOTENCY_KEY=once)

    assert (second.status_code, second["Idempotency-Replayed"]) == (200, "true")
    assert second.json() == first.json()
    assert written() == before


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("assign", {}, "assigned_to"),
        ("assign", {"assigned_to": ""}, "assigned_to"),
        ("assign", {"assigned_to": "x" * 256}, "assigned_to"),
        ("assign", {"assigned_to": 7}, "assigned_to"),
        ("pause", {}, "reason"),
        ("pause", {"reason": "  "}, "reason"),
        ("pause", {"reason": "x" * 501}, "reason"),
        ("pause", {"reason": "Storm", "occurred_at": "2026-01-16T09:45:00"}, "occurred_at"),
        ("resume", {"occurred_at": "then"}, "occurred_at"),
        ("comment", {"text": ""}, "text"),
        ("comment", {"text": "x" * 5001}, "text"),
        ("merge", {}, "into"),
        ("merge", {"into": "x" * 65}, "into"),
    ],
)
def test_bad_bodies_are_refused_by_field(
    engineer: APIClient, outage: Outage, verb: str, body: dict[str, Any], field: str
) -> None:
    before = written()
    answer = engineer.post(f"{OUTAGES}/{outage.reference}/{verb}", body)

    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, field)
    assert written() == before


@pytest.mark.django_db(transaction=True)
def test_of_twenty_who_pause_at_once_one_does(make_outage: Make) -> None:
    reference = make_outage().reference

    outcomes = race([lambda: pausing.pause(reference, reason="Storm")] * 20)

    assert sorted(outcomes) == ["CONFLICT"] * 19 + ["done"]
    assert Fact.objects.filter(kind="paused").count() == 1
    assert AuditEvent.objects.filter(event="outage.paused").count() == 1


# Deletion


def test_a_deleted_outage_leaves_its_story(
    outage: Outage, client_as: Callable[[str], APIClient], facts: Callable[..., list[tuple[str, str]]]
) -> None:
    answer = client_as("admin").delete(f"{OUTAGES}/{outage.reference}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert (Outage.objects.count(), Fact.objects.count()) == (0, 0)
    assert facts(stream=outage.stream) == [
        ("outage.created", outage.stream),
        ("outage.deleted", outage.stream),
    ]
    snapshot = AuditEvent.objects.get(event="outage.deleted").data["snapshot"]
    assert (snapshot["id"], snapshot["reference"], snapshot["site_name"], snapshot["created_by"]) == (
        str(outage.pk),
        outage.reference,
        "Cell Tower Alpha",
        "7",
    )


def test_what_others_build_on_is_not_deleted(outage: Outage, make_outage: Make, parties: None) -> None:
    merge(make_outage().reference, into=outage.reference)
    before = written()
    with pytest.raises(Conflict, match="name it: outage"):
        lifecycle.delete(outage.reference)
    assert written() == before

    settle(outage.reference)
    before = written()
    with pytest.raises(Conflict, match=r"name it: .*SLA result"):
        lifecycle.delete(outage.reference)
    assert written() == before


@pytest.mark.parametrize("role", ["viewer", "engineer", "manager", "auditor"])
def test_only_an_admin_deletes(client_as: Callable[[str], APIClient], make_outage: Make, role: str) -> None:
    assert client_as(role).delete(f"{OUTAGES}/{make_outage().reference}").status_code == 403
    assert Outage.objects.count() == 1
