import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection, transaction

from apexchainx import context
from apexchainx.errors import Conflict, DomainError, Invalid, NotFound, NotReady
from audit.models import AuditEvent
from disputes.models import LONGEST_REASON, Dispute
from disputes.services import file
from payments.models import Payment
from payments.services.settling import settle

pytestmark = pytest.mark.django_db

REASON = "The clock began before the engineer was told."


@pytest.fixture
def written(facts):
    """(disputes, payments, facts), to be compared before and after."""

    def look():
        payments = list(Payment.objects.order_by("id").values_list("state", "reason", "next_action_at"))
        return Dispute.objects.count(), payments, facts()

    return look


def test_a_dispute_is_about_the_latest_result(acting, settled):
    dispute = file(settled.outage.reference, reason=f"  {REASON}\n")

    kept = Dispute.objects.get()
    assert (kept.outage, kept.sla_result) == (settled.outage, settled.result)
    assert (kept.status, kept.reason, kept.filed_by, kept.resolution_notes) == ("open", REASON, "7", "")
    assert dispute.created_at == kept.created_at


def test_a_dispute_and_the_hold_are_facts_of_the_outage(acting, settled):
    dispute = file(settled.outage.reference, reason=REASON)

    filed, held = list(AuditEvent.objects.stream(settled.outage.stream))[-2:]
    assert (filed.event, filed.subject) == ("dispute.filed", f"dispute:{dispute.reference}")
    assert filed.data == {
        "outage_id": settled.outage.reference,
        "dispute_id": dispute.reference,
        "sla_result_id": str(settled.result.pk),
        "status": "open",
    }
    assert (held.event, held.subject) == ("payment.held", f"payment:{settled.payment.reference}")
    assert (held.data["payment_id"], held.data["reason"]) == (settled.payment.reference, "disputed")
    assert {filed.correlation_id, held.correlation_id} == {"test-correlation"}


def test_a_result_may_be_named(settled, make_settled):
    other = make_settled()

    dispute = file(other.outage.reference, reason=REASON, sla_result_id=str(other.result.pk))
    assert dispute.sla_result == other.result
    assert Payment.objects.get(pk=settled.payment.pk).state == "ready"


@pytest.mark.parametrize("state", ["ready", "parked", "awaiting_payer"])
def test_money_that_waits_is_held(settled, facts, state):
    Payment.objects.update(state=state, reason="before", next_action_at=datetime(2026, 1, 16, tzinfo=UTC))

    file(settled.outage.reference, reason=REASON)
    payment = Payment.objects.get()
    assert (payment.state, payment.reason, payment.next_action_at) == ("held", "disputed", None)
    assert facts(event="payment.held") == [("payment.held", f"payment:{payment.reference}")]


@pytest.mark.parametrize("state", ["held", "paid", "failed", "cancelled"])
def test_money_that_does_not_wait_is_left_alone(settled, facts, state):
    landed = {"transaction_hash": "a" * 64, "confirmed_at": datetime(2026, 1, 16, tzinfo=UTC)}
    Payment.objects.update(state=state, reason="before", next_action_at=None, **landed)

    file(settled.outage.reference, reason=REASON)
    payment = Payment.objects.get()
    assert (payment.state, payment.reason) == (state, "before")
    assert facts(event="payment.held") == []
    assert Dispute.objects.count() == 1


def test_money_on_its_way_is_marked_and_not_called_back(settled, facts):
    Payment.objects.update(state="batched", reason="", next_action_at=None)

    file(settled.outage.reference, reason=REASON)

    payment = Payment.objects.get()
    assert (payment.state, payment.reason, payment.next_action_at) == ("batched", "disputed", None)
    assert facts(event="payment.held") == []


def test_a_result_without_payment_may_be_disputed(settled, facts):
    Payment.objects.all().delete()

    file(settled.outage.reference, reason=REASON)
    assert [event for event, _ in facts()][-1] == "dispute.filed"


@pytest.mark.parametrize("reason", ["", " \n\t ", "x" * (LONGEST_REASON + 1)])
def test_a_reason_is_needed(settled, written, reason):
    before = written()

    with pytest.raises(Invalid) as refusal:
        file(settled.outage.reference, reason=reason)
    assert refusal.value.details["field"] == "reason"
    assert written() == before


@pytest.mark.parametrize("reason", ["x", "x" * LONGEST_REASON, f" {'x' * LONGEST_REASON} "])
def test_a_reason_may_be_short_or_long(settled, reason):
    assert file(settled.outage.reference, reason=reason).reason == reason.strip()


@pytest.mark.parametrize("result_id", ["", "SLA001", "12345678-1234-1234-1234-12345678901"])
def test_a_malformed_result_id_is_invalid(settled, written, result_id):
    before = written()

    with pytest.raises(Invalid) as refusal:
        file(settled.outage.reference, reason=REASON, sla_result_id=result_id)
    assert refusal.value.details["field"] == "sla_result_id"
    assert written() == before


def test_a_result_of_another_outage_is_refused(settled, make_settled, written):
    other = make_settled()
    before = written()

    for result_id in (other.result.pk, uuid4()):
        with pytest.raises(NotReady):
            file(settled.outage.reference, reason=REASON, sla_result_id=str(result_id))
    assert written() == before


def test_an_unknown_outage_is_not_found(settled, written):
    before = written()

    with pytest.raises(NotFound):
        file("OUT999", reason=REASON)
    assert written() == before


def test_an_open_outage_has_nothing_to_dispute(make_outage, written):
    outage = make_outage()
    before = written()

    with pytest.raises(NotReady):
        file(outage.reference, reason=REASON)
    assert written() == before


def test_a_second_open_dispute_conflicts(settled, written):
    file(settled.outage.reference, reason=REASON)
    before = written()

    with pytest.raises(Conflict):
        file(settled.outage.reference, reason="Another reason.")
    assert written() == before
    assert Dispute.objects.get().reason == REASON


@pytest.mark.parametrize("status", ["resolved", "rejected"])
def test_after_a_ruling_another_dispute_may_be_filed(settled, status):
    file(settled.outage.reference, reason=REASON)
    Dispute.objects.update(status=status)

    file(settled.outage.reference, reason="Another reason.")
    assert Dispute.objects.filter(status="open").get().reason == "Another reason."


# At the same moment


def attempt(reference: str, person: str = "7") -> str:
    """In a thread of its own: `filed`, or the refusal's code."""
    try:
        with context.acting_as(person, source="api"):
            file(reference, reason=REASON)
    except DomainError as refusal:
        return refusal.code
    finally:
        connection.close()
    return "filed"


def file_during(change: Callable[[], object], reference: str) -> str:
    """What becomes of a filing that starts while the transaction of `change` is still open."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            change()
            filing, is_waiting = pool.submit(attempt, reference), False
            while not is_waiting and not filing.done():
                time.sleep(0.01)
                cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
                is_waiting = cursor.fetchone()[0]
        return filing.result()


@pytest.mark.django_db(transaction=True)
def test_of_ten_filed_at_once_one_is_open(settled, facts):
    barrier = Barrier(10)

    def run(person: int) -> str:
        barrier.wait()
        return attempt(settled.outage.reference, f"person-{person}")

    with ThreadPoolExecutor(10) as pool:
        outcomes = sorted(pool.map(run, range(10)))
    assert outcomes == ["CONFLICT"] * 9 + ["filed"]
    assert Dispute.objects.get().status == "open"
    assert Payment.objects.get().state == "held"
    assert len(facts(event="dispute.filed")) == len(facts(event="payment.held")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_filing_waits_for_a_resolution_that_is_under_way(make_outage, parties):
    reference = make_outage().reference

    assert file_during(lambda: settle(reference), reference) == "filed"
    assert Payment.objects.get().state == "held"


@pytest.mark.django_db(transaction=True)
def test_a_payment_that_sets_out_meanwhile_is_left_alone(settled, facts):
    outcome = file_during(lambda: Payment.objects.update(state="batched"), settled.outage.reference)

    assert outcome == "filed"
    assert Payment.objects.get().state == "batched"
    assert facts(event="payment.held") == []
