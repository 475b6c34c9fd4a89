"""What clients are told of the contract: a hash only once a ledger has shown it."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from rest_framework.test import APIClient

from apexchainx.api.renderers import encode
from conftest import PREFIX
from outages.models import Outage
from outages.serializers.documents import outage_documents
from outages.serializers.outage import OutageSerializer
from outages.views.lifecycle import told
from payments.services.settling import settle
from payments.settlement import contract
from payments.tests.contract_bench import in_charge, invocation

pytestmark = pytest.mark.django_db
NOT_ASKED = {"smart_contract_invoked": False, "contract_tx_hash": None}


@pytest.fixture
def engineer(client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


@pytest.fixture
def outage(
    sandbox: str, settings: Any, tmp_path: Path, parties: None, make_outage: Callable[..., Outage]
) -> Outage:
    """Resolved, while the contract is in charge."""
    in_charge(sandbox, settings, tmp_path)
    return settle(make_outage().reference).outage


def seen(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in NOT_ASKED}


def everything_said(client: APIClient, reference: str) -> list[dict[str, Any]]:
    """In the list, the detail, and the status."""
    [listed] = client.get(f"{PREFIX}/outages").json()["results"]
    detail = client.get(f"{PREFIX}/outages/{reference}").json()
    status = client.get(f"{PREFIX}/sla/status/{reference}").json()
    return [seen(listed["sla_status"]), seen(detail["sla_status"]), seen(status)]


def test_nothing_is_asked_in_local_mode(
    engineer: APIClient, parties: None, make_outage: Callable[..., Outage]
) -> None:
    reference = make_outage().reference
    answer = engineer.post(f"{PREFIX}/outages/{reference}/resolve", {}).json()

    assert seen(answer["outage"]["sla_status"]) == NOT_ASKED
    assert everything_said(engineer, reference) == [NOT_ASKED] * 3
    calculated = engineer.post(f"{PREFIX}/sla/calculate", {"outage_id": reference}).json()
    assert calculated["contract_invocation"] is None


def test_a_resolution_says_that_the_contract_is_asked(
    engineer: APIClient, outage: Outage, make_outage: Callable[..., Outage]
) -> None:
    answer = engineer.post(f"{PREFIX}/outages/{make_outage().reference}/resolve", {}).json()

    assert (answer["payment"]["status"], answer["payment"]["reason"]) == ("held", "contract_pending")
    assert seen(answer["outage"]["sla_status"]) == NOT_ASKED


def test_a_hash_is_shown_once_a_ledger_has_shown_it(engineer: APIClient, outage: Outage) -> None:
    contract.claim()
    assert everything_said(engineer, outage.reference) == [NOT_ASKED] * 3
    asked = {"outage_id": outage.reference}
    pending = engineer.post(f"{PREFIX}/sla/calculate", asked).json()["contract_invocation"]
    assert pending == {"tx_hash": None, "status": "pending", "gas_cost_xlm": None}

    contract.carry(invocation())

    row = invocation()
    assert (
        everything_said(engineer, outage.reference)
        == [{"smart_contract_invoked": True, "contract_tx_hash": row.hash}] * 3
    )
    done = engineer.post(f"{PREFIX}/sla/calculate", asked).json()["contract_invocation"]
    assert row.fee
    assert done == {
        "tx_hash": row.hash,
        "status": "confirmed",
        "gas_cost_xlm": float(Decimal(row.fee) / 10_000_000),
    }


@pytest.mark.parametrize("is_carried", [False, True])
def test_the_database_writes_what_the_serializer_says(outage: Outage, *, is_carried: bool) -> None:
    if is_carried:
        contract.advance()

    [written] = orjson.loads(encode(outage_documents([outage.pk])))

    assert written == orjson.loads(encode(OutageSerializer(told().get(pk=outage.pk)).data))
    assert written["sla_status"]["smart_contract_invoked"] is is_carried


def test_a_preview_asks_no_network(engineer: APIClient, settings: Any) -> None:
    settings.CONTRACT_EXECUTION_MODE = "soroban_rpc"
    settings.STELLAR_SOROBAN_URL = settings.STELLAR_HORIZON_URL = "http://127.0.0.1:9"

    said = engineer.post(f"{PREFIX}/sla/preview", {"severity": "critical", "mttr_minutes": 25}).json()

    assert (said["sla_result"]["amount"], said["contract_invocation"]) == (-1000, None)


def test_the_timeline_says_what_the_contract_said(engineer: APIClient, outage: Outage) -> None:
    contract.advance()

    timeline = engineer.get(f"{PREFIX}/outages/{outage.reference}").json()["timeline"]

    [said] = [entry for entry in timeline if entry["event_type"] == "sla.contract_confirmed"]
    assert said["event"] == f"The contract has confirmed the result in ledger {invocation().ledger}"


def test_reading_costs_the_same_in_both_modes(
    engineer: APIClient, outage: Outage, settings: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2) as in_charge_of_it:
        engineer.get(f"{PREFIX}/sla/status/{outage.reference}")
    settings.CONTRACT_EXECUTION_MODE = "local_adapter"

    with django_assert_num_queries(len(in_charge_of_it)):
        engineer.get(f"{PREFIX}/sla/status/{outage.reference}")
