from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import Traveller

from audit.models import AuditEvent
from conftest import NOW, PREFIX
from outages.models import Outage
from payments.models import Payment
from payments.services.settling import settle
from sla.models import SLAResult

pytestmark = pytest.mark.django_db
SLA = f"{PREFIX}/sla"


@pytest.fixture
def engineer(client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


@pytest.mark.parametrize("path", ["configs", "config"])
def test_configs_have_the_four_severities_as_their_only_keys(
    client_as: Callable[[str], APIClient], path: str
) -> None:
    assert client_as("viewer").get(f"{SLA}/{path}").json() == {
        "critical": {"threshold_minutes": 15, "penalty_per_minute": 100.00, "reward_base": 750.00},
        "high": {"threshold_minutes": 30, "penalty_per_minute": 50.00, "reward_base": 750.00},
        "medium": {"threshold_minutes": 60, "penalty_per_minute": 25.00, "reward_base": 750.00},
        "low": {"threshold_minutes": 120, "penalty_per_minute": 10.00, "reward_base": 600.00},
    }


def test_status_is_404_until_the_outage_is_resolved(
    clock: Traveller, engineer: APIClient, make_outage: Callable[..., Outage], parties: None
) -> None:
    outage = make_outage(detected_at=NOW - timedelta(minutes=25))
    path = f"{SLA}/status/{outage.reference}"
    for unknown in (path, f"{SLA}/status/OUT404"):
        answer = engineer.get(unknown)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    settle(outage.reference)

    told = engineer.get(path).json()

    result = SLAResult.objects.get()
    assert told == {
        "id": str(result.pk),
        "outage_id": outage.reference,
        "severity": "critical",
        "status": "violated",
        "outcome": "penalty",
        "payment_type": "penalty",
        "rating": "poor",
        "performance_rating": "poor",
        "mttr_minutes": 25,
        "threshold_minutes": 15,
        "amount": -1000.00,
        "penalty_amount": 1000.00,
        "reward_amount": 0.00,
        "policy_version": "critical-v1",
        "is_latest": True,
        "computed_at": "2026-01-16T10:00:00Z",
        "reason_code": "mttr_exceeded",
        "decision_trace": ["25 minutes against a threshold of 15.", "10 minutes over at 100 each: -1000."],
        "clock_source": "declared",
        "smart_contract_invoked": False,
        "contract_tx_hash": None,
        "payment_executed": False,
        "payment_tx_hash": None,
    }


def test_status_of_an_outage_whose_payment_is_through(
    engineer: APIClient, make_outage: Callable[..., Outage], parties: None
) -> None:
    outage = make_outage()
    settle(outage.reference)
    Payment.objects.update(state="paid", transaction_hash="ab" * 32, confirmed_at=NOW, ledger=3)

    told = engineer.get(f"{SLA}/status/{outage.reference}").json()

    assert (told["payment_executed"], told["payment_tx_hash"]) == (True, "ab" * 32)


def test_calculate_with_minutes_is_a_preview_that_writes_nothing(
    engineer: APIClient, make_outage: Callable[..., Outage]
) -> None:
    outage = make_outage(severity="high")
    before = AuditEvent.objects.count()

    answers = [
        engineer.post(f"{SLA}/calculate", {"outage_id": outage.reference, "mttr_minutes": 95}),
        engineer.post(f"{SLA}/calculate", {"outage_id": "NOTYET", "mttr_minutes": 95.9, "severity": "high"}),
        engineer.get(f"{SLA}/calculate", {"mttr_minutes": "95", "severity": "high"}),
        engineer.post(f"{SLA}/preview", {"mttr_minutes": 95, "severity": "high"}),
    ]

    for answer in answers:
        assert answer.status_code == 200
        assert (answer.json()["preview"], answer.json()["contract_invocation"]) == (True, None)
        assert answer.json()["sla_result"] == {
            "id": None,
            "severity": "high",
            "status": "violated",
            "outcome": "penalty",
            "payment_type": "penalty",
            "rating": "poor",
            "performance_rating": "poor",
            "mttr_minutes": 95,
            "threshold_minutes": 30,
            "amount": -3250.00,
            "policy_version": "high-v1",
            "reason_code": "mttr_exceeded",
            "decision_trace": ["95 minutes against a threshold of 30.", "65 minutes over at 50 each: -3250."],
        }
    assert [answer.json()["outage_id"] for answer in answers] == [outage.reference, None, None, None]
    assert (SLAResult.objects.count(), AuditEvent.objects.count()) == (0, before)


def test_calculate_without_minutes_answers_the_result_of_a_resolved_outage(
    engineer: APIClient, make_outage: Callable[..., Outage], parties: None
) -> None:
    outage = make_outage()
    refused = engineer.post(f"{SLA}/calculate", {"outage_id": outage.reference})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "UNPROCESSABLE_ENTITY")
    settle(outage.reference)

    told = engineer.post(f"{SLA}/calculate", {"outage_id": outage.reference}).json()

    assert (told["outage_id"], told["preview"]) == (outage.reference, False)
    assert (told["sla_result"]["id"], told["sla_result"]["amount"]) == (
        str(SLAResult.objects.get().pk),
        1500.00,
    )


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "outage_id"),
        ({"mttr_minutes": -1, "severity": "low"}, 400, "mttr_minutes"),
        ({"mttr_minutes": "soon", "severity": "low"}, 400, "mttr_minutes"),
        ({"mttr_minutes": 5, "severity": "urgent"}, 400, "severity"),
        ({"outage_id": 7}, 400, "outage_id"),
        ({"mttr_minutes": 5}, 422, "severity"),
    ],
)
def test_a_bad_calculation_is_refused_by_field(
    engineer: APIClient, body: dict[str, Any], status: int, field: str
) -> None:
    answer = engineer.post(f"{SLA}/calculate", body)

    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (status, field)
    assert not SLAResult.objects.exists()


def test_calculate_of_an_unknown_outage_is_404(engineer: APIClient) -> None:
    assert engineer.post(f"{SLA}/calculate", {"outage_id": "OUT404"}).status_code == 404


def test_a_viewer_may_preview_and_not_calculate(client_as: Callable[[str], APIClient]) -> None:
    body, viewer = {"mttr_minutes": "5", "severity": "low"}, client_as("viewer")

    assert viewer.post(f"{SLA}/preview", body).status_code == 200
    assert viewer.get(f"{SLA}/calculate", body).status_code == 200
    assert viewer.post(f"{SLA}/calculate", body).status_code == 403
