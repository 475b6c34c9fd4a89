"""The contract in charge: no payment sets out before it has agreed."""

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apexchainx.accounts.models import User
from apexchainx.stellar import soroban
from apexchainx.stellar.soroban import Outcome
from audit.models import AuditEvent
from disputes.services import file
from outages.models import Outage
from payments import tasks
from payments.models import Payment
from payments.services.settling import settle
from payments.settlement import contract, payouts
from payments.tests.conftest import Bank
from payments.tests.contract_bench import Governed, advance_after, invocation, shown
from sla.models import ContractInvocation, PolicyVersion

pytestmark = pytest.mark.django_db
Due = Callable[[], Payment]
FILE = "STELLAR_CONTRACT_OPERATOR_SECRET_FILE"


def test_a_payment_waits_for_the_contract_and_is_paid_once_it_agrees(
    governed: Governed, bank: Bank, due: Due
) -> None:
    before = governed.sequence
    payment = due()
    assert (payment.state, payment.reason) == ("held", "contract_pending")
    assert payouts.advance() == 0

    assert contract.advance() == 1
    assert payouts.advance() == 2

    row = invocation()
    seen = soroban.outcome(row.hash)
    assert seen
    assert (row.state, row.ledger, row.fee, row.error) == ("confirmed", seen.ledger, seen.fee, "")
    assert row.answer == {
        "status": "met",
        "amount": "1500",
        "rating": "exceptional",
        "threshold_minutes": 15,
        "mttr_minutes": 0,
        "config_version_hash": "1417728228875630226",
    }
    assert (row.account, row.sequence) == (governed.operator.address, before + 1)
    assert shown(payment) == ("paid", "")
    assert bank.received == Decimal(1500)
    kept = soroban.latest_result(payment.outage.reference)
    assert kept
    assert kept.amount == 1500


def test_what_the_contract_says_is_told_under_the_request_that_asked(
    governed: Governed, due: Due, acting: Any
) -> None:
    payment = due()
    contract.advance()

    row, event = invocation(), AuditEvent.objects.get(event="sla.contract_confirmed")
    assert (event.stream, event.correlation_id, event.actor) == (
        payment.outage.stream,
        "test-correlation",
        "system",
    )
    assert (event.data["contract_tx_hash"], event.data["ledger"]) == (row.hash, row.ledger)


def test_a_contract_that_is_configured_otherwise_stops_the_payment(
    governed: Governed, bank: Bank, due: Due, caplog: pytest.LogCaptureFixture
) -> None:
    governed.configure("critical", 15, 100, 700)
    payment = due()

    contract.advance()
    payouts.advance()

    row = invocation()
    assert (row.state, row.error) == ("mismatch", "amount")
    assert row.answer
    assert row.answer["amount"] == "1400"
    assert shown(payment) == ("held", "contract_mismatch")
    assert bank.received == 0
    assert [record.levelno for record in caplog.records if "does not agree" in record.message] == [
        logging.ERROR
    ]
    stated = AuditEvent.objects.get(event="sla.contract_mismatch").data
    assert (stated["differs"], stated["answer"]["amount"]) == ("amount", "1400")
    assert AuditEvent.objects.filter(event="payment.held").count() == 1


def test_the_contract_is_not_asked_about_fractions(governed: Governed, due: Due) -> None:
    PolicyVersion.objects.filter(severity="critical").update(reward_base=Decimal("750.5"))
    before = governed.sequence
    payment = due()

    contract.advance()

    row = invocation()
    assert (row.state, row.error, row.hash) == ("mismatch", "terms_are_not_whole_numbers", "")
    assert shown(payment) == ("held", "contract_mismatch")
    assert governed.sequence == before


def test_a_paused_contract_is_waited_for(governed: Governed, due: Due) -> None:
    governed.pause()
    payment = due()
    before = governed.sequence

    assert contract.advance() == 0
    assert shown(payment) == ("held", "contract_paused")
    assert (invocation().state, invocation().last_answer) == ("pending", "contract_paused")
    assert governed.sequence == before

    governed.unpause()
    assert contract.advance() == 0, "it rests"
    advance_after(seconds=16)
    assert shown(payment) == ("ready", "")


def test_a_contract_that_is_not_initialised_is_not_called(
    governed: Governed, due: Due, settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    payment = due()
    health = soroban.health()
    needy = type(health)(standing=soroban.Standing.NEEDS_MIGRATION, needs_migration=True)
    monkeypatch.setattr(soroban, "health", lambda: needy)

    assert contract.advance() == 0

    assert shown(payment) == ("held", "contract_needs_migration")
    assert invocation().state == "pending"
    [alert] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "cannot be used (needs_migration)" in alert.getMessage()


def test_what_the_contract_refuses_for_good_is_held_with_its_word(
    governed: Governed, due: Due, make_outage: Callable[..., Outage]
) -> None:
    """Somebody has had the same outage judged with other minutes before."""
    payment = due()
    other = soroban.calculate_sla(payment.outage.reference, "critical", 99)
    prepared = soroban.prepare(other, signer=governed.operator, max_time=int(timezone.now().timestamp()) + 60)
    soroban.send(prepared.envelope_xdr)

    contract.advance()

    row = invocation()
    assert (row.state, row.error, row.ledger) == ("refused", "DuplicateOutageInput", None)
    assert shown(payment) == ("held", "contract_refused")
    assert AuditEvent.objects.get(event="sla.contract_refused").data["error"] == "DuplicateOutageInput"


def test_a_result_waits_until_our_key_is_the_operators(governed: Governed, due: Due) -> None:
    governed.apply(soroban.set_operator(governed.admin.address))
    payment = due()
    contract.advance()
    assert (invocation().state, shown(payment)) == ("pending", ("held", "contract_unauthorized"))

    governed.apply(soroban.set_operator(governed.operator.address))
    advance_after(seconds=2)

    assert shown(payment) == ("ready", "")


def test_weak_evidence_is_still_held_after_the_contract_agreed(
    governed: Governed, make_outage: Callable[..., Outage]
) -> None:
    payment = settle(make_outage(detected_at=timezone.now() - timedelta(minutes=25)).reference).payment
    assert payment
    assert (payment.state, payment.reason) == ("held", "contract_pending")

    contract.advance()

    assert shown(payment) == ("held", "clock_declared")
    assert invocation().state == "confirmed"


def test_a_team_without_a_wallet_is_parked_after_the_contract_agreed(
    governed: Governed, make_outage: Callable[..., Outage], settings: Any
) -> None:
    settings.DEFAULT_TEAM = "nobody"
    payment = settle(make_outage().reference).payment
    assert payment

    contract.advance()

    assert shown(payment) == ("parked", "no_wallet")


def test_a_disputed_payment_stays_where_it_is_when_the_contract_agrees(
    governed: Governed, bank: Bank, due: Due
) -> None:
    payment = due()
    file(payment.outage.reference, reason="The clock began too early.")
    assert shown(payment) == ("held", "disputed")

    contract.advance()
    payouts.advance()

    assert invocation().state == "confirmed"
    assert shown(payment) == ("held", "disputed")
    assert bank.received == 0


def test_a_key_of_somebody_else_signs_nothing(governed: Governed, due: Due, settings: Any) -> None:
    due()
    settings.STELLAR_CONTRACT_OPERATOR_ADDRESS = governed.admin.address

    contract.advance()

    assert invocation().state == "pending"
    assert invocation().last_answer == (
        "The key in STELLAR_CONTRACT_OPERATOR_SECRET_FILE is not that of STELLAR_CONTRACT_OPERATOR_ADDRESS."
    )


def test_an_answer_that_is_no_result_stops_the_payment(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment, real = due(), soroban.outcome

    def garbled(hash_: str) -> Outcome | None:
        found = real(hash_)
        return found and Outcome(found.hash, True, found.ledger, found.created_at, found.fee, {"a": 1})

    monkeypatch.setattr(soroban, "outcome", garbled)
    contract.advance()

    assert (invocation().state, invocation().error) == ("mismatch", "unreadable")
    assert shown(payment) == ("held", "contract_mismatch")


@pytest.mark.parametrize("page", ["", "{pk}/change/"])
def test_the_admin_shows_calls_and_changes_none(
    governed: Governed, due: Due, make_user: Callable[..., User], client: Client, page: str
) -> None:
    due()
    client.force_login(make_user("admin", is_staff=True, is_superuser=True))
    path = "/admin/sla/contractinvocation/"

    answer = client.get(path + page.format(pk=invocation().pk))

    assert answer.status_code == 200
    assert b"calculate_sla" in answer.content
    assert client.get(f"{path}add/").status_code == 403


@pytest.mark.parametrize(("mode", "statements"), [("local_adapter", 16), ("soroban_rpc", 17)])
def test_asking_costs_one_statement_and_locally_none(
    make_outage: Callable[..., Outage],
    parties: None,
    settings: Any,
    django_assert_num_queries: Callable[..., Any],
    mode: str,
    statements: int,
) -> None:
    settings.CONTRACT_EXECUTION_MODE = mode
    reference = make_outage().reference
    begin_and_commit = 2

    with django_assert_num_queries(statements + begin_and_commit):
        settle(reference)

    assert ContractInvocation.objects.count() == statements - 16


def test_the_signer_says_at_its_start_how_the_contract_stands(
    governed: Governed, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "payments.tasks")
    tasks.check_contract()
    settings.STELLAR_SOROBAN_URL = "http://127.0.0.1:9"
    tasks.check_contract()

    ready, silent = (record.getMessage() for record in caplog.records if record.name == "payments.tasks")
    assert ready == "The SLA contract is ready"
    assert silent.startswith("The SLA contract cannot be asked: The Soroban RPC does not answer")


@pytest.mark.parametrize(("name", "value"), [("CONTRACT_EXECUTION_MODE", "local_adapter"), (FILE, "")])
def test_other_workers_and_local_mode_ask_nothing_at_their_start(
    governed: Governed, settings: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    def fail() -> None:
        pytest.fail("asked")

    monkeypatch.setattr(soroban, "health", fail)
    setattr(settings, name, value)

    tasks.check_contract()


def test_nothing_is_carried_in_local_mode(governed: Governed, due: Due, settings: Any) -> None:
    payment = due()
    settings.CONTRACT_EXECUTION_MODE = "local_adapter"

    assert contract.advance() == 0
    assert shown(payment) == ("held", "contract_pending")
