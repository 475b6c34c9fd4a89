"""Objecting to a result."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from apexchainx import context
from apexchainx.errors import Conflict, Invalid, NotFound, NotReady
from audit.events import Event
from audit.log import record
from disputes.models import LONGEST_REASON, Dispute
from outages.models import Outage
from payments.models import CONTRACT, DISPUTED, Payment
from sla.models import SLAResult

# Money that has not set out yet waits for the ruling; what is under way is marked, so that it does not set
# out again should it not arrive; what has arrived is left alone.
WAITING = (Payment.State.READY, Payment.State.PARKED, Payment.State.AWAITING_PAYER)
UNDER_WAY = (Payment.State.BATCHED,)


@transaction.atomic
def file(outage_reference: str, *, reason: str, sla_result_id: str | None = None) -> Dispute:
    """Object to a result of the outage, the latest one unless told otherwise; its payment is held meanwhile.

    Raises Invalid for a bad reason or a malformed id, NotFound for an unknown outage, NotReady for one that
    is not resolved or has no such result, and Conflict where the result has an open dispute.
    """
    reason, result_id = _clean(reason), _parsed(sla_result_id)
    outage = Outage.objects.select_for_update(of=("self",)).filter(reference=outage_reference).first()
    if outage is None:
        raise NotFound(f"There is no outage {outage_reference}.")
    result = _result(outage, result_id)
    payment = _unpaid(result)
    dispute = _open(outage, result, reason)
    is_held = payment is not None and _hold(payment)
    record(
        Event.DISPUTE_FILED,
        f"dispute:{dispute.reference}",
        stream=outage.stream,
        outage_id=outage.reference,
        dispute_id=dispute.reference,
        sla_result_id=result.pk,
        status=dispute.status,
    )
    if payment is not None and is_held:
        record(Event.PAYMENT_HELD, f"payment:{payment.reference}", stream=outage.stream, **payment.facts)
    return dispute


def _clean(reason: str) -> str:
    reason = reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise Invalid("reason", f"Give a reason of 1 to {LONGEST_REASON} characters.")
    return reason


def _parsed(sla_result_id: str | None) -> UUID | None:
    try:
        return None if sla_result_id is None else UUID(sla_result_id)
    except ValueError as error:
        raise Invalid("sla_result_id", "The id of an SLA result is a UUID.") from error


def _result(outage: Outage, result_id: UUID | None) -> SLAResult:
    if not outage.is_resolved:
        raise NotReady(f"Outage {outage.reference} is not resolved: there is no result to dispute yet.")
    if result_id is None:
        return outage.sla_results.get(is_latest=True)
    result = outage.sla_results.filter(pk=result_id).first()
    if result is None:
        raise NotReady(
            f"Outage {outage.reference} has no such SLA result.", details={"field": "sla_result_id"}
        )
    return result


def _unpaid(result: SLAResult) -> Payment | None:
    """The result's payment, locked, where it moves, or would move once the contract has agreed."""
    payments = Payment.objects.select_for_update(of=("self",)).select_related("outage")
    moving = Q(state__in=(*WAITING, *UNDER_WAY))
    asking = Q(state=Payment.State.HELD, reason__startswith=CONTRACT)
    return payments.filter(moving | asking, sla_result=result).first()


def _hold(payment: Payment) -> bool:
    """Whether it is held now, rather than marked on its way."""
    payment.reason = DISPUTED
    if payment.state in WAITING:
        payment.state, payment.next_action_at = Payment.State.HELD, None
    payment.save(update_fields=("state", "reason", "next_action_at"))
    return payment.state == Payment.State.HELD


def _open(outage: Outage, result: SLAResult, reason: str) -> Dispute:
    try:
        with transaction.atomic():
            return Dispute.objects.create(
                outage=outage, sla_result=result, reason=reason, filed_by=context.current().actor
            )
    except IntegrityError as error:
        if "disputes_one_open_per_result" not in str(error):
            raise
        raise Conflict(f"The result of {outage.reference} has an open dispute already.") from error
