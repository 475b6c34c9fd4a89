"""Orders to the contract over HTTP: a job each, which holds the hash of the real transaction in the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django_celery_results.models import TaskResult
from rest_framework.test import APIClient

from apexchainx.stellar import horizon, keys, soroban
from apexchainx.stellar.sandbox.soroban.instance import CONTRACT_ID
from audit.models import AuditEvent
from conftest import OPERATOR_ADDRESS, PREFIX
from payments.settlement import contract
from payments.tests.contract_bench import Governed, advance_after, hold, in_charge, invocation
from sla.models import ContractInvocation, PolicyVersion

pytestmark = pytest.mark.django_db
ADMIN = f"{PREFIX}/admin"
ORDERS = [
    ("propose-admin", {"new_admin": OPERATOR_ADDRESS}),
    ("accept-admin", {}),
    ("cancel-admin-proposal", {}),
    ("renounce-admin", {"confirm": True}),
    ("propose-operator", {"new_operator": OPERATOR_ADDRESS}),
    ("accept-operator", {}),
]


@pytest.fixture
def governed(sandbox: str, settings: Any, tmp_path: Path) -> Governed:
    return in_charge(sandbox, settings, tmp_path)


@pytest.fixture
def admin(client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("admin")


def job_of(client: APIClient, answer: Any) -> Any:
    assert answer.status_code == 202, answer.json()
    return client.get(f"{PREFIX}/jobs/{answer.json()['id']}").json()


def test_a_proposal_is_a_job_whose_result_holds_the_transactions_hash(
    governed: Governed, admin: APIClient
) -> None:
    answer = admin.post(f"{ADMIN}/propose-admin", {"new_admin": OPERATOR_ADDRESS})
    waiting = job_of(admin, answer)
    assert answer.json() == waiting
    assert (waiting["task"], waiting["status"], waiting["queue"], waiting["result"]) == (
        "contract.propose_admin",
        "pending",
        "signer",
        None,
    )
    assert soroban.roles().pending_admin is None

    assert contract.advance() == 1

    job = job_of(admin, answer)
    seen = soroban.outcome(job["result"]["transaction_hash"])
    assert seen
    assert (job["status"], job["error"]) == ("success", None)
    assert job["result"] == {
        "function": "propose_admin",
        "argument": OPERATOR_ADDRESS,
        "transaction_hash": seen.hash,
        "ledger": seen.ledger,
        "fee_stroops": seen.fee,
    }
    assert seen.successful
    assert soroban.roles().pending_admin == OPERATOR_ADDRESS


def test_an_order_is_audited_with_who_gave_it(governed: Governed, admin: APIClient) -> None:
    answer = admin.post(f"{ADMIN}/propose-operator", {"new_operator": OPERATOR_ADDRESS})
    contract.advance()

    ordered, obeyed = AuditEvent.objects.stream("contract")
    assert [ordered.event, obeyed.event] == ["contract.ordered", "contract.order_obeyed"]
    assert ordered.data == {
        "function": "propose_operator",
        "argument": OPERATOR_ADDRESS,
        "job_id": answer.json()["id"],
    }
    assert ordered.source == "api"
    assert obeyed.actor == "system"
    assert obeyed.correlation_id == ordered.correlation_id
    assert obeyed.data["contract_tx_hash"] == invocation().hash


def test_the_roles_pass_on(governed: Governed, admin: APIClient, settings: Any, tmp_path: Path) -> None:
    """Whoever accepts signs with a key of their own: the signer is given it in between."""
    heirs = {name: keys.generate() for name in ("admin", "operator")}
    for name, heir in heirs.items():
        horizon.friendbot(heir.address)
        admin.post(f"{ADMIN}/propose-{name}", {f"new_{name}": heir.address})
    assert contract.advance() == 2
    for name, heir in heirs.items():
        hold(settings, name.upper(), heir, tmp_path)
        admin.post(f"{ADMIN}/accept-{name}")
    assert contract.advance() == 2

    roles = soroban.roles()
    assert (roles.admin, roles.operator) == (heirs["admin"].address, heirs["operator"].address)
    assert (roles.pending_admin, roles.pending_operator) == (None, None)
    assert set(TaskResult.objects.values_list("status", flat=True)) == {"SUCCESS"}


def test_a_proposal_is_taken_back_and_the_role_given_up(governed: Governed, admin: APIClient) -> None:
    admin.post(f"{ADMIN}/propose-admin", {"new_admin": OPERATOR_ADDRESS})
    admin.post(f"{ADMIN}/cancel-admin-proposal")
    contract.advance()
    assert soroban.roles().pending_admin is None

    admin.post(f"{ADMIN}/renounce-admin", {"confirm": True})
    contract.advance()

    with pytest.raises(soroban.ContractRefused, match="NotInitialized"):
        soroban.roles()


def test_what_the_contract_refuses_ends_the_job_with_its_word(governed: Governed, admin: APIClient) -> None:
    answer = admin.post(f"{ADMIN}/accept-admin")

    contract.advance()

    job = job_of(admin, answer)
    assert (job["status"], job["result"]) == ("failure", None)
    assert job["error"] == "ContractRefused: The SLA contract refuses: NoPendingTransfer."
    assert AuditEvent.objects.get(event="contract.order_refused").data["error"] == "NoPendingTransfer"


def test_an_order_is_not_kept_for_a_contract_that_may_take_it_later(
    governed: Governed, admin: APIClient
) -> None:
    governed.apply(soroban.freeze_config())
    answer = admin.post(f"{ADMIN}/renounce-admin", {"confirm": True})
    contract.advance()
    governed.apply(soroban.unfreeze_config())

    assert advance_after(days=1) == 0
    assert job_of(admin, answer)["error"] == "ContractRefused: The SLA contract refuses: ConfigFrozen."
    assert soroban.roles().admin == governed.admin.address


def test_an_order_is_carried_while_the_contract_is_paused(governed: Governed, admin: APIClient) -> None:
    governed.pause()
    answer = admin.post(f"{ADMIN}/propose-admin", {"new_admin": OPERATOR_ADDRESS})

    contract.advance()

    assert job_of(admin, answer)["status"] == "success"


def test_an_order_waits_for_an_rpc_that_is_down(governed: Governed, admin: APIClient, settings: Any) -> None:
    url, settings.STELLAR_SOROBAN_URL = settings.STELLAR_SOROBAN_URL, "http://127.0.0.1:9"
    answer = admin.post(f"{ADMIN}/propose-admin", {"new_admin": OPERATOR_ADDRESS})
    contract.advance()
    assert job_of(admin, answer)["status"] == "pending"

    settings.STELLAR_SOROBAN_URL = url
    advance_after(seconds=16)

    assert job_of(admin, answer)["status"] == "success"


def test_a_request_that_is_repeated_gives_one_order(governed: Governed, admin: APIClient) -> None:
    first, second = (
        admin.post(f"{ADMIN}/propose-admin", {"new_admin": OPERATOR_ADDRESS}, HTTP_IDEMPOTENCY_KEY="once")
        for _ in range(2)
    )

    assert first.json() == second.json()
    assert ContractInvocation.objects.count() == TaskResult.objects.count() == 1


@pytest.mark.parametrize(("path", "body"), ORDERS)
def test_no_contract_is_configured_in_local_mode(admin: APIClient, path: str, body: dict[str, Any]) -> None:
    answer = admin.post(f"{ADMIN}/{path}", body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONTRACT_NOT_CONFIGURED")
    assert ContractInvocation.objects.count() == TaskResult.objects.count() == 0


@pytest.mark.parametrize("path", ["propose-admin", "accept-operator"])
def test_nobody_is_named_who_could_give_the_order(admin: APIClient, settings: Any, path: str) -> None:
    settings.CONTRACT_EXECUTION_MODE = "soroban_rpc"

    answer = admin.post(f"{ADMIN}/{path}", {"new_admin": OPERATOR_ADDRESS})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONTRACT_NOT_CONFIGURED")
    assert "_ADDRESS is not set" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("propose-admin", {}, "new_admin"),
        ("propose-admin", {"new_admin": OPERATOR_ADDRESS[:-1] + "A"}, "new_admin"),
        ("propose-admin", {"new_admin": 7}, "new_admin"),
        ("propose-operator", {"new_operator": CONTRACT_ID}, "new_operator"),
        ("propose-operator", {"new_operator": ""}, "new_operator"),
        ("renounce-admin", {}, "confirm"),
        ("renounce-admin", {"confirm": False}, "confirm"),
    ],
)
def test_what_is_no_order(
    governed: Governed, admin: APIClient, path: str, body: dict[str, Any], field: str
) -> None:
    answer = admin.post(f"{ADMIN}/{path}", body)

    assert answer.status_code == 400
    assert set(answer.json()["error"]["details"]["fields"]) == {field}
    assert ContractInvocation.objects.count() == TaskResult.objects.count() == 0


def test_how_the_contract_stands(governed: Governed, admin: APIClient) -> None:
    PolicyVersion.objects.filter(severity="low").update(threshold_minutes=100)
    governed.pause()

    said = admin.get(f"{ADMIN}/contract").json()

    assert (said["standing"], said["is_paused"], said["pause_reason"]) == ("paused", True, "maintenance")
    assert said["is_usable"] is False
    assert said["roles"] == {
        "admin": governed.admin.address,
        "operator": governed.operator.address,
        "pending_admin": None,
        "pending_operator": None,
    }
    assert said["config_version_hash"] == "1417728228875630226"
    assert [(each["severity"], each["is_equal"]) for each in said["terms"]] == [
        ("critical", True),
        ("high", True),
        ("medium", True),
        ("low", False),
    ]
    assert said["terms"][3]["contract"]["threshold_minutes"] == 120
    assert said["terms"][3]["policy"]["threshold_minutes"] == 100


def test_how_a_contract_stands_that_nobody_initialised(admin: APIClient, sandbox: str, settings: Any) -> None:
    settings.STELLAR_SOROBAN_URL, settings.CONTRACT_EXECUTION_MODE = sandbox, "soroban_rpc"

    said = admin.get(f"{ADMIN}/contract").json()

    assert (said["standing"], said["is_usable"]) == ("not_initialized", False)
    assert (said["roles"], said["config_version_hash"], said["terms"]) == (None, None, [])


def test_nobody_knows_how_it_stands_while_the_rpc_is_down(admin: APIClient, settings: Any) -> None:
    settings.STELLAR_SOROBAN_URL, settings.CONTRACT_EXECUTION_MODE = "http://127.0.0.1:9", "soroban_rpc"

    answer = admin.get(f"{ADMIN}/contract")

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "STELLAR_TIMEOUT")


def test_there_is_nothing_to_stand_in_local_mode(admin: APIClient) -> None:
    assert admin.get(f"{ADMIN}/contract").json()["error"]["code"] == "CONTRACT_NOT_CONFIGURED"
