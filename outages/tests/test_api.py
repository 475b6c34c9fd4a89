from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import Traveller

from audit.models import AuditEvent
from conftest import NOW, PREFIX
from outages.models import Outage
from outages.services import lifecycle, merging
from payments.models import Payment
from payments.services.settling import settle
from sla.models import SLAResult

pytestmark = pytest.mark.django_db
OUTAGES = f"{PREFIX}/outages"


@pytest.fixture
def engineer(client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


def test_create_answers_the_whole_outage_with_both_names(clock: Traveller, engineer: APIClient) -> None:
    body = {
        "site_name": "Cell Tower Beta",
        "site_id": "SITE456",
        "severity": "high",
        "description": "Intermittent service degradation",
        "services_affected": ["4G"],
        "affected_subscribers": 500,
        "location": {"latitude": 9.082, "longitude": 8.675},
        "assigned_to": "user123",
    }
    answer = engineer.post(OUTAGES, body)

    assert answer.status_code == 201
    made = answer.json()
    assert made.pop("sla_status") == {
        "status": "in_progress",
        "mttr_minutes": None,
        "threshold_minutes": 30,
        "time_remaining_minutes": 30,
        "breach_at": "2026-01-16T10:31:00Z",
        "penalty_amount": None,
        "reward_amount": None,
        "performance_rating": None,
        "rating": None,
        "payment_type": None,
        "smart_contract_invoked": False,
        "contract_tx_hash": None,
    }
    assert made.pop("updated_at") == "2026-01-16T10:00:00Z"
    assert made == {
        "id": made["id"],
        "site_name": "Cell Tower Beta",
        "site_id": "SITE456",
        "region": "",
        "severity": "high",
        "status": "open",
        "state": "active",
        "detected_at": "2026-01-16T10:00:00Z",
        "created_at": "2026-01-16T10:00:00Z",
        "resolved_at": None,
        "mttr_minutes": None,
        "description": "Intermittent service degradation",
        "root_cause": "",
        "resolution_notes": "",
        "affected_services": ["4G"],
        "services_affected": ["4G"],
        "affected_subscribers": 500,
        "location": {"latitude": 9.082, "longitude": 8.675},
        "assigned_to": "user123",
        "created_by": str(Outage.objects.get().created_by),
        "team": "operations",
        "operator": "operator",
        "correlation_id": answer["X-Correlation-ID"],
        "source": "api",
        "acknowledged_at": None,
        "paused_since": None,
        "merged_into": None,
        "recurrence_of": None,
        "stellar_payment": None,
        "message": "Outage created successfully",
    }
    assert Outage.objects.get().reference == made["id"]


def test_ids_are_numbered_and_skip_what_clients_have_taken(engineer: APIClient) -> None:
    first = engineer.post(OUTAGES, {"site_name": "A", "severity": "low"}).json()["id"]
    taken = f"OUT{int(first.removeprefix('OUT')) + 1:03d}"
    assert engineer.post(OUTAGES, {"id": taken, "site_name": "B", "severity": "low"}).json()["id"] == taken
    third = engineer.post(OUTAGES, {"site_name": "C", "severity": "low"}).json()["id"]
    assert third == f"OUT{int(first.removeprefix('OUT')) + 2:03d}"

    again = engineer.post(OUTAGES, {"id": taken, "site_name": "B", "severity": "low"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "CONFLICT")
    assert Outage.objects.count() == 3


GOOD = {"site_name": "Cell Tower Alpha", "severity": "critical"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"severity": "urgent"}, "severity"),
        ({"severity": None}, "severity"),
        ({"severity": ["critical"]}, "severity"),
        ({"site_name": None}, "site_name"),
        ({"site_name": ""}, "site_name"),
        ({"site_name": 7}, "site_name"),
        ({"site_name": "x" * 256}, "site_name"),
        ({"description": "x" * 5001}, "description"),
        ({"affected_services": ["x"] * 101}, "affected_services"),
        ({"affected_services": "4G"}, "affected_services"),
        ({"affected_services": None}, "affected_services"),
        ({"affected_services": ["4G"], "services_affected": ["5G"]}, "affected_services"),
        ({"affected_subscribers": -1}, "affected_subscribers"),
        ({"affected_subscribers": 2**31}, "affected_subscribers"),
        ({"location": {"latitude": 91, "longitude": 0}}, "location.latitude"),
        ({"location": {"latitude": 9}}, "location.longitude"),
        ({"detected_at": "2026-01-16T09:30:00"}, "detected_at"),
        ({"detected_at": "yesterday"}, "detected_at"),
        ({"detected_at": "1999-12-31T23:59:59Z"}, "detected_at"),
        ({"detected_at": "9999-12-31T23:59:59Z"}, "detected_at"),
        ({"id": "has space"}, "id"),
        ({"id": "bulk-history"}, "id"),
    ],
)
def test_a_bad_outage_is_refused_by_field(engineer: APIClient, change: dict[str, Any], field: str) -> None:
    answer = engineer.post(OUTAGES, {**GOOD, **change})

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], list(error["details"]["fields"])) in [
        ("VALIDATION_ERROR", [field]),
        ("VALIDATION_ERROR", [f"{field}.0"]),
    ]
    assert not Outage.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("missing", GOOD)
def test_a_missing_field_is_named(engineer: APIClient, missing: str) -> None:
    answer = engineer.post(OUTAGES, {name: value for name, value in GOOD.items() if name != missing})

    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == missing
    assert not Outage.objects.exists()


def test_an_unknown_owner_is_a_refusal(engineer: APIClient) -> None:
    answer = engineer.post(OUTAGES, {**GOOD, "team": "nobody"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "OWNER_UNKNOWN")
    assert not Outage.objects.exists()


def test_state_and_numbers_cannot_be_assigned(engineer: APIClient) -> None:
    body = {**GOOD, "state": "resolved", "status": "resolved", "mttr_minutes": 1, "created_by": "somebody"}
    made = engineer.post(OUTAGES, body).json()

    assert (made["state"], made["mttr_minutes"]) == ("active", None)
    assert made["created_by"] != "somebody"


def test_a_detection_ahead_of_our_clock_counts_from_now(clock: Traveller, engineer: APIClient) -> None:
    body = {**GOOD, "detected_at": (NOW + timedelta(minutes=4)).isoformat()}
    assert engineer.post(OUTAGES, body).json()["detected_at"] == "2026-01-16T10:00:00Z"


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("auditor", 403), ("manager", 201), ("admin", 201)]
)
def test_writing_takes_the_right(client_as: Callable[[str], APIClient], role: str, status: int) -> None:
    assert client_as(role).post(OUTAGES, GOOD).status_code == status
    assert Outage.objects.count() == (status == 201)


def test_nobody_gets_in_without_a_token(anonymous: APIClient, make_outage: Callable[..., Outage]) -> None:
    outage = make_outage()

    for answer in (
        anonymous.get(OUTAGES),
        anonymous.post(OUTAGES, GOOD),
        anonymous.get(f"{OUTAGES}/{outage.reference}"),
        anonymous.post(f"{OUTAGES}/{outage.reference}/resolve", {}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert Outage.objects.get().state == "active"


# Lists


def test_filters_take_both_vocabularies(
    engineer: APIClient, make_outage: Callable[..., Outage], parties: None
) -> None:
    active = make_outage(site_name="Lagos 100%", severity="low", region="West").reference
    investigating = make_outage(severity="high").reference
    Outage.objects.filter(reference=investigating).update(state="investigating")
    resolved = settle(make_outage().reference).outage.reference

    def found(**query: str) -> set[str]:
        return {row["id"] for row in engineer.get(OUTAGES, query).json()["results"]}

    assert found(status="open") == found(status="active") == {active, investigating}
    assert found(status="investigating") == {investigating}
    assert found(status="resolved") == {resolved}
    assert found(severity="critical") == {resolved}
    assert found(site_name="lagos 100%") == {active}
    assert found(site_name="100_") == set()
    assert found(region="west") == {active}
    assert found(start_date=timezone.now().date().isoformat()) == {active, investigating, resolved}
    assert found(end_date="2020-01-01") == set()
    assert found(nonsense="x") == {active, investigating, resolved}


@pytest.mark.parametrize(
    "query",
    [
        {"severity": "urgent"},
        {"status": "closed"},
        {"start_date": "soon"},
        {"start_date": "2026-01-16T09:30:00"},
        {"limit": "0"},
        {"limit": "501"},
        {"offset": "-1"},
        {"page": "0"},
        {"page_size": "101"},
        {"cursor": "garbage"},
    ],
)
def test_a_bad_query_is_refused_by_name(engineer: APIClient, query: dict[str, str]) -> None:
    answer = engineer.get(OUTAGES, query)

    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == next(iter(query))


# One outage


def test_detail_tells_the_whole_story(
    engineer: APIClient, make_outage: Callable[..., Outage], parties: None
) -> None:
    outage = make_outage()
    settle(outage.reference, root_cause="UPS battery failure")

    told = engineer.get(f"{OUTAGES}/{outage.reference}").json()

    assert (told["status"], told["mttr_minutes"], told["root_cause"]) == (
        "resolved",
        0,
        "UPS battery failure",
    )
    assert {
        key: told["sla_status"][key] for key in ("status", "reward_amount", "penalty_amount", "rating")
    } == {
        "status": "met",
        "reward_amount": 1500.00,
        "penalty_amount": 0,
        "rating": "exceptional",
    }
    assert told["sla_result"]["policy_version"] == "critical-v1"
    assert (told["stellar_payment"]["amount"], told["stellar_payment"]["status"]) == (1500.00, "pending")
    payment = Payment.objects.get().reference
    assert [(entry["event_type"], entry["event"], entry["schema_version"]) for entry in told["timeline"]] == [
        ("created", "Outage detected at Cell Tower Alpha", 1),
        ("resolved", "Outage resolved after 0 minutes", 1),
        ("sla_evaluated", "SLA met: 0 of 15 minutes, critical-v1", 1),
        ("sla.reward", "SLA met, exceptional: 1500 USDC are earned", 1),
        ("payment_triggered", f"Payment {payment} of 1500 USDC: ready", 1),
        ("payment_step_due", f"Next step of payment {payment}", 1),
    ]


@pytest.mark.parametrize("length", [1, 20])
def test_detail_costs_the_same_however_long_the_story(
    length: int,
    engineer: APIClient,
    make_outage: Callable[..., Outage],
    parties: None,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    """The outage; its result, facts, duplicates and analysis; facts and windows of its clock; timeline and
    retries. An open one is held against the policy in force."""
    resolved, running = make_outage(team="operations"), make_outage(operator="operator")
    for _ in range(length):
        merging.merge(make_outage().reference, into=resolved.reference)
        lifecycle.comment(running.reference, text="Still dark.")
    settle(resolved.reference)
    authentication = 1

    with django_assert_num_queries(9 + authentication):
        engineer.get(f"{OUTAGES}/{resolved.reference}")
    with django_assert_num_queries(10 + authentication):
        engineer.get(f"{OUTAGES}/{running.reference}")


def test_an_unknown_outage_is_404_in_the_envelope(engineer: APIClient) -> None:
    for answer in (engineer.get(f"{OUTAGES}/OUT999"), engineer.post(f"{OUTAGES}/OUT999/resolve", {})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


# Resolving


def test_resolve_answers_outage_sla_and_payment(
    clock: Traveller, engineer: APIClient, make_outage: Callable[..., Outage], parties: None
) -> None:
    reference = make_outage().reference
    clock.shift(timedelta(minutes=10))
    answer = engineer.post(f"{OUTAGES}/{reference}/resolve", {"resolution_notes": "Power restored"})

    assert answer.status_code == 200
    outage, sla, payment = (answer.json()[key] for key in ("outage", "sla", "payment"))
    assert (outage["id"], outage["status"], outage["resolved_at"]) == (
        reference,
        "resolved",
        "2026-01-16T10:10:00Z",
    )
    assert outage["resolution_notes"] == "Power restored"
    assert outage["sla_status"]["status"] == "met"
    assert {
        key: sla[key] for key in ("status", "outcome", "payment_type", "rating", "amount", "mttr_minutes")
    } == {
        "status": "met",
        "outcome": "reward",
        "payment_type": "reward",
        "rating": "excellent",
        "amount": 1125.00,
        "mttr_minutes": 10,
    }
    assert sla["clock_source"] == "measured"
    assert {
        key: payment[key] for key in ("type", "amount", "status", "state", "outage_id", "transaction_hash")
    } == {
        "type": "reward",
        "amount": 1125.00,
        "status": "pending",
        "state": "ready",
        "outage_id": reference,
        "transaction_hash": None,
    }


def test_a_second_resolve_conflicts(
    engineer: APIClient, make_outage: Callable[..., Outage], parties: None
) -> None:
    path = f"{OUTAGES}/{make_outage().reference}/resolve"
    assert engineer.post(path, {}).status_code == 200
    before = AuditEvent.objects.count()

    answer = engineer.post(path, {})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
    assert (SLAResult.objects.count(), Payment.objects.count(), AuditEvent.objects.count()) == (1, 1, before)


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"resolved_at": "2026-01-16T09:00:00Z"}, 422, "before it was detected"),
        ({"resolved_at": "2026-01-16T11:00:00Z"}, 422, "in the future"),
        ({"mttr_minutes": 31}, 422, "in the future"),
        ({"mttr_minutes": 52_704_000}, 422, "in the future"),
        (
            {"mttr_minutes": 20, "resolved_at": "2026-01-16T09:40:00Z"},
            422,
            "20 minutes, but the clock measures 10",
        ),
        ({"resolved_at": "2026-01-16T09:40:00"}, 400, "offset"),
        ({"mttr_minutes": -1}, 400, "mttr_minutes"),
        ({"mttr_minutes": "many"}, 400, "mttr_minutes"),
        ({"mttr_minutes": True}, 400, "mttr_minutes"),
        ({"resolution_notes": 7}, 400, "resolution_notes"),
    ],
)
def test_times_that_cannot_be_are_refused(
    clock: Traveller,
    engineer: APIClient,
    make_outage: Callable[..., Outage],
    body: dict[str, Any],
    status: int,
    sentence: str,
) -> None:
    outage = make_outage(detected_at=NOW - timedelta(minutes=30))
    before = AuditEvent.objects.count()
    answer = engineer.post(f"{OUTAGES}/{outage.reference}/resolve", body)

    assert answer.status_code == status
    assert sentence in answer.json()["detail"]
    assert Outage.objects.get().state == "active"
    assert (SLAResult.objects.count(), AuditEvent.objects.count()) == (0, before)


def test_a_fraction_of_a_minute_is_cut(
    clock: Traveller, engineer: APIClient, make_outage: Callable[..., Outage], parties: None
) -> None:
    outage = make_outage(detected_at=NOW - timedelta(minutes=30))
    sla = engineer.post(f"{OUTAGES}/{outage.reference}/resolve", {"mttr_minutes": 14.9}).json()["sla"]
    assert (sla["mttr_minutes"], sla["amount"]) == (14, 750.00)


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_resolving_takes_the_right(
    client_as: Callable[[str], APIClient], make_outage: Callable[..., Outage], role: str
) -> None:
    answer = client_as(role).post(f"{OUTAGES}/{make_outage().reference}/resolve", {})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert Outage.objects.get().state == "active"
