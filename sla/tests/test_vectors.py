"""Stored results under policies with each vector's terms: the third way to the same verdict."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from time_machine import Traveller

from conftest import NOW
from outages.models import Outage
from outages.services.resolving import evidence_of, resolve
from sla.models import PolicyVersion
from sla.services import evaluate
from sla.tests.test_policy import WORDS

VECTORS = json.loads((Path(__file__).parent / "data" / "sla_vectors.json").read_text())


def test_stored_results_agree_with_the_contract(
    acting: object, clock: Traveller, make_outage: Callable[..., Outage]
) -> None:
    """The outages lie in the past, so that every length of them fits."""
    lawful = [each for each in VECTORS if not each.get("judge_only")]
    longest = max(each["mttr_minutes"] for each in lawful)
    clock.move_to(NOW + timedelta(minutes=longest))

    for vector in lawful:
        PolicyVersion.objects.filter(severity=vector["severity"]).update(
            threshold_minutes=vector["config"]["threshold_minutes"],
            penalty_per_minute=Decimal(vector["config"]["penalty_per_minute"]),
            reward_base=Decimal(vector["config"]["reward_base"]),
        )
        outage = make_outage(severity=vector["severity"], detected_at=NOW)
        resolve(outage, evidence_of(outage), calendar=None, minutes=vector["mttr_minutes"])
        stored = evaluate(outage)
        stored.refresh_from_db()

        assert said(stored, vector["expect"]) == expected(vector["expect"]), vector["case"]

    assert len(lawful) == 165


def said(result: Any, names: dict[str, Any]) -> dict[str, Any]:
    found = {
        "status": result.status,
        "payment_type": result.outcome,
        "rating": result.rating,
        "amount": result.amount,
    }
    return {name: found[name] for name in names}


def expected(expect: dict[str, Any]) -> dict[str, Any]:
    return {name: WORDS.get(value, value) for name, value in expect.items()}
