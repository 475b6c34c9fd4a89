"""The partial update: what it changes, what it tells, and what it refuses."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import Traveller

from apexchainx import context
from audit.models import AuditEvent
from conftest import NOW, PREFIX
from outages.models import Fact, Outage
from outages.services.merging import merge
from payments.models import Payment
from payments.services.settling import settle
from sla.models import SLAResult

pytestmark = pytest.mark.django_db
OUTAGES = f"{PREFIX}/outages"
HALF_PAST_NINE = NOW - timedelta(minutes=30)
Make = Callable[..., Outage]
Change = Callable[..., Any]


@pytest.fixture
def outage(clock: Traveller, acting: context.Context, make_outage: Make) -> Outage:
    return make_outage(detected_at=HALF_PAST_NINE, severity="medium")


@pytest.fixture
def engineer(clock: Traveller, client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


@pytest.fixture
def change(engineer: APIClient, outage: Outage) -> Change:
    return lambda **body: engineer.patch(f"{OUTAGES}/{outage.reference}", body)


def again() -> Outage:
    found: Outage = Outage.objects.get()
    return found


def told() -> list[tuple[str, dict[str, Any]]]:
    """What was told since the report, without what every event about an outage says."""
    common = {"outage_id", "site_name", "severity", "status", "detected_at"}
    events = (
        AuditEvent.objects.exclude(event="outage.created").filter(event__startswith="outage.").order_by("id")
    )
    return [
        (event.event, {name: value for name, value in event.data.items() if name not in common})
        for event in events
    ]


def written() -> tuple[int, int, list[Any]]:
    return Fact.objects.count(), AuditEvent.objects.count(), list(Outage.objects.values())


PLAIN: list[tuple[str, Any, Any]] = [
    ("site_name", "Cell Tower Alpha", "Cell Tower Beta"),
    ("site_id", "", "SITE1"),
    ("region", "", "West"),
    ("description", "", "No power"),
    ("affected_services", [], ["4G", "5G"]),
    ("affected_subscribers", None, 500),
    ("root_cause", "", "UPS"),
    ("resolution_notes", "", "On our way"),
]


@pytest.mark.parametrize(("field", "before", "after"), PLAIN, ids=[field for field, *_ in PLAIN])
def test_a_field_is_changed_and_told(change: Change, field: str, before: Any, after: Any) -> None:
    answer = change(**{field: after})

    assert (answer.status_code, answer.json()["message"], answer.json()["sla_triggered"]) == (
        200,
        "Outage updated successfully",
        False,
    )
    assert answer.json()[field] == after
    assert (getattr(again(), field), again().version) == (after, 2)
    assert told() == [("outage.updated", {"changes": {field: {"from": before, "to": after}}})]
    moved = [("placed", field)] if field in {"site_name", "region", "affected_services"} else []
    assert list(Fact.objects.order_by("id").values_list("kind", "detail")[2:]) == moved


def test_a_place_is_changed_and_taken_away(change: Change) -> None:
    assert change(location={"latitude": 9.082, "longitude": 8.675}).json()["location"] == {
        "latitude": 9.082,
        "longitude": 8.675,
    }
    assert change(location=None).json()["location"] is None
    assert [data["changes"]["latitude"] for _, data in told()] == [
        {"from": None, "to": "9.082"},
        {"from": "9.082", "to": None},
    ]


def test_owners_are_changed_by_their_keys(change: Change, make_wallet: Callable[..., Any]) -> None:
    make_wallet("lagos", "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7")

    assert change(team="lagos").json()["team"] == "lagos"
    assert told() == [("outage.updated", {"changes": {"team": {"from": "operations", "to": "lagos"}}})]


def test_an_owner_exists(change: Change) -> None:
    before = written()
    answer = change(operator="nobody", description="No power")

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "OWNER_UNKNOWN")
    assert written() == before


def test_raising_the_severity_escalates(change: Change) -> None:
    change(severity="critical")

    step = {"from": "medium", "to": "critical"}
    assert told() == [("outage.updated", {"changes": {"severity": step}}), ("outage.escalated", step)]
    fact = Fact.objects.latest("id")
    assert (fact.kind, fact.detail, fact.occurred_at, fact.recorded_at) == ("severity", "critical", NOW, NOW)


def test_lowering_the_severity_does_not(change: Change) -> None:
    change(severity="low")

    assert told() == [("outage.updated", {"changes": {"severity": {"from": "medium", "to": "low"}}})]
    assert Fact.objects.filter(kind="severity", detail="low").count() == 1


def test_a_new_assignee_has_an_event_of_their_own(change: Change) -> None:
    change(assigned_to="ada")
    change(assigned_to=None, description="No power")

    assert told() == [
        ("outage.assigned", {"assigned_to": "ada"}),
        ("outage.updated", {"changes": {"description": {"from": "", "to": "No power"}}}),
        ("outage.assigned", {"assigned_to": ""}),
    ]
    assert list(Fact.objects.filter(kind="assigned").values_list("detail", flat=True)) == ["ada", ""]


def test_a_detection_is_corrected_with_a_reason(change: Change) -> None:
    answer = change(detected_at="2026-01-16T09:15:00Z", reason="The alarm log says so")

    assert answer.json()["created_at"] == "2026-01-16T09:15:00Z"
    step = {"from": "2026-01-16T09:30:00Z", "to": "2026-01-16T09:15:00Z"}
    assert told() == [
        ("outage.updated", {"changes": {"detected_at": step}}),
        ("outage.detection_corrected", {"reason": "The alarm log says so", **step}),
    ]
    fact = Fact.objects.latest("id")
    assert (fact.kind, fact.detail, fact.occurred_at, fact.recorded_at) == (
        "detected",
        "The alarm log says so",
        datetime.fromisoformat("2026-01-16T09:15:00Z"),
        NOW,
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"detected_at": "2026-01-16T09:15:00Z"}, "reason"),
        ({"detected_at": "2026-01-16T09:15:00Z", "reason": " "}, "reason"),
        ({"detected_at": "2026-01-16T10:06:00Z", "reason": "So"}, "detected_at"),
        ({"created_at": "1999-12-31T23:59:59Z", "reason": "So"}, "detected_at"),
        ({"detected_at": "2026-01-16T09:15:00Z", "created_at": "2026-01-16T09:16:00Z"}, "detected_at"),
        ({"reason": "x" * 501}, "reason"),
        ({"severity": "urgent"}, "severity"),
        ({"severity": None}, "severity"),
        ({"site_name": ""}, "site_name"),
        ({"site_name": "x" * 256}, "site_name"),
        ({"services_affected": ["x"] * 101}, "affected_services"),
        ({"affected_services": ["x"], "services_affected": []}, "affected_services"),
        ({"assigned_to": "x" * 256}, "assigned_to"),
        ({"root_cause": "x" * 5001}, "root_cause"),
        ({"status": "closed"}, "status"),
        ({"status": "open", "state": "resolved"}, "status"),
        ({"status": "active", "state": "investigating"}, "status"),
        ({"resolved_at": "2026-01-16T09:45:00Z"}, "resolved_at"),
        ({"mttr_minutes": 5, "status": "open"}, "mttr_minutes"),
        ({"mttr_minutes": -1, "status": "resolved"}, "mttr_minutes"),
    ],
)
def test_a_bad_change_is_refused_by_field(change: Change, body: dict[str, Any], field: str) -> None:
    before = written()
    answer = change(description="No power", **body)

    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, field)
    assert written() == before


def test_a_detection_a_little_ahead_is_now(change: Change) -> None:
    answer = change(detected_at="2026-01-16T10:04:00Z", reason="Clocks differ")
    assert answer.json()["detected_at"] == "2026-01-16T10:00:00Z"


# States, in both vocabularies


@pytest.mark.parametrize("name", ["status", "state"])
def test_an_update_begins_and_ends_the_investigation(change: Change, name: str) -> None:
    assert change(**{name: "investigating"}).json()["state"] == "investigating"
    assert change(**{name: "open"}).json()["state"] == "investigating"
    assert change(**{name: "active"}).json()["state"] == "active"

    assert told() == [
        ("outage.investigated", {}),
        ("outage.updated", {"changes": {"state": {"from": "investigating", "to": "active"}}}),
    ]
    assert Fact.objects.filter(kind="investigating").count() == 1


@pytest.mark.parametrize("name", ["status", "state"])
def test_resolving_by_an_update_settles(change: Change, parties: None, name: str) -> None:
    answer = change(
        **{name: "resolved"},
        resolved_at="2026-01-16T09:50:00Z",
        root_cause="UPS",
        resolution_notes="Replaced",
        severity="critical",
    ).json()

    assert (answer["status"], answer["sla_triggered"], answer["mttr_minutes"]) == ("resolved", True, 20)
    assert (answer["root_cause"], answer["resolution_notes"]) == ("UPS", "Replaced")
    assert (answer["sla_result"]["severity"], answer["sla_result"]["amount"]) == ("critical", -500)
    assert answer["stellar_payment"]["status"] == "held"
    step = {"from": "medium", "to": "critical"}
    assert told() == [
        ("outage.updated", {"changes": {"severity": step}}),
        ("outage.escalated", step),
        ("outage.resolved", {"resolved_at": "2026-01-16T09:50:00Z", "mttr_minutes": 20}),
    ]


def test_what_was_noted_before_stays(change: Change, parties: None) -> None:
    change(resolution_notes="On our way", root_cause="UPS")
    answer = change(status="resolved").json()
    assert (answer["resolution_notes"], answer["root_cause"]) == ("On our way", "UPS")


def test_a_resolution_that_cannot_be_changes_nothing(change: Change, parties: None) -> None:
    before = written()
    answer = change(status="resolved", resolved_at="2026-01-16T09:00:00Z", severity="critical")

    assert (answer.status_code, SLAResult.objects.count()) == (422, 0)
    assert written() == before


def test_declared_minutes_settle_too(change: Change, parties: None) -> None:
    answer = change(status="resolved", mttr_minutes=20).json()
    assert (answer["mttr_minutes"], answer["resolved_at"]) == (20, "2026-01-16T09:50:00Z")


# After the end


def test_a_resolved_outage_takes_cause_notes_and_assignee(
    change: Change, outage: Outage, parties: None
) -> None:
    settle(outage.reference)
    answer = change(root_cause="UPS", resolution_notes="Replaced", assigned_to="ada")

    assert (answer.status_code, answer.json()["sla_triggered"]) == (200, False)
    assert (again().root_cause, again().resolution_notes, again().assigned_to) == ("UPS", "Replaced", "ada")
    assert SLAResult.objects.count() == 1


AFTERWARDS: list[dict[str, Any]] = [
    {"site_name": "Elsewhere"},
    {"severity": "critical"},
    {"region": "West"},
    {"team": "lagos"},
    {"location": {"latitude": 1, "longitude": 1}},
    {"detected_at": "2026-01-16T09:15:00Z", "reason": "So"},
    {"status": "open"},
    {"status": "active"},
    {"state": "investigating"},
    {"status": "resolved", "resolved_at": "2026-01-16T09:50:00Z"},
    {"status": "resolved", "mttr_minutes": 1},
]


@pytest.mark.parametrize("body", AFTERWARDS, ids=str)
def test_it_refuses_all_else(change: Change, outage: Outage, parties: None, body: dict[str, Any]) -> None:
    settle(outage.reference)
    before = written()
    answer = change(**body, root_cause="UPS")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
    assert "resolved" in answer.json()["detail"]
    assert written() == before


def test_an_identical_repeat_changes_nothing(change: Change, outage: Outage, parties: None) -> None:
    change(status="resolved", root_cause="UPS")
    before = written()
    answer = change(status="resolved", root_cause="UPS")

    assert (answer.status_code, answer.json()["sla_triggered"]) == (200, False)
    assert written() == before
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("fate", ["open", "investigating", "resolved", "merged"])
def test_a_document_may_be_sent_back_whole(
    engineer: APIClient, outage: Outage, make_outage: Make, parties: None, fate: str, method: str
) -> None:
    path = f"{OUTAGES}/{outage.reference}"
    if fate == "investigating":
        engineer.post(f"{path}/investigate")
    if fate == "resolved":
        settle(outage.reference)
    if fate == "merged":
        merge(outage.reference, into=make_outage().reference)
    document = engineer.get(path).json()
    before = written()

    answer = getattr(engineer, method)(path, document)

    assert answer.status_code == 200
    assert {**document, "message": "Outage updated successfully", "sla_triggered": False} == answer.json()
    assert written() == before


def test_an_empty_update_changes_nothing(change: Change) -> None:
    before = written()
    assert change().status_code == 200
    assert written() == before


def test_an_unknown_outage_is_not_found(engineer: APIClient) -> None:
    for method in (engineer.put, engineer.patch):
        assert method(f"{OUTAGES}/OUT999", {"site_name": "Elsewhere"}).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_changing_takes_the_right(client_as: Callable[[str], APIClient], outage: Outage, role: str) -> None:
    before = written()
    assert client_as(role).patch(f"{OUTAGES}/{outage.reference}", {"region": "West"}).status_code == 403
    assert written() == before
