"""What the contract says to a call, recorded once: on its row, its payment or its job, and in the log."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apexchainx.context import acting_as
from apexchainx.jobs import orders
from apexchainx.stellar.soroban import Calculation, ContractRefused, Outcome
from audit.events import Event
from audit.log import record
from payments.models import CONTRACT, Payment
from payments.settlement.payouts import next_try, tell
from payments.settlement.starting import first_state
from sla.models import ContractInvocation, SLAResult
from sla.policy import digits
from wallets.models import Wallet

logger = logging.getLogger(__name__)

State = ContractInvocation.State
# Refusals that say nothing of a result: it waits until somebody has seen to the contract, or to our key.
PASSING = {
    "ContractPaused": "contract_paused",
    "VersionMismatch": "contract_needs_migration",
    "OutageRecalcLimit": "contract_history_full",
    "NotInitialized": "contract_not_initialized",
    "Unauthorized": "contract_unauthorized",
}


def leased(row: ContractInvocation) -> QuerySet[ContractInvocation]:
    """The row, while the lease is ours and it is as we have read it."""
    return ContractInvocation.objects.filter(pk=row.pk, tries=row.tries, state=row.state)


def locked(row: ContractInvocation) -> ContractInvocation | None:
    """None where somebody else has finished it."""
    found = (
        ContractInvocation.objects.select_for_update(of=("self",))
        .select_related("result__outage", "result__policy")
        .get(pk=row.pk)
    )
    return found if found.state == row.state and found.is_unfinished else None


@transaction.atomic
def finish(row: ContractInvocation, found: Outcome) -> None:
    """A ledger shows the call."""
    here = locked(row)
    if here is None:
        return
    if found.error and may_pass(here, found.error):
        put_back(here, found.error)
        return
    here.hash, here.ledger, here.fee = found.hash, found.ledger, found.fee
    if found.error:
        end_refused(here, found.error)
    elif here.result:
        compare(here, here.result, found)
    else:
        end_obeyed(here)


@transaction.atomic
def refuse(row: ContractInvocation, refusal: ContractRefused) -> None:
    """A simulation fails, so that nothing is sent. What was signed before has expired: its number is free."""
    here = locked(row)
    if here is None:
        return
    here.sequence = None
    if may_pass(here, refusal):
        put_back(here, refusal)
    else:
        end_refused(here, refusal)


@transaction.atomic
def differ(row: ContractInvocation, differs: str) -> None:
    """The contract cannot judge it as we do, and is not asked."""
    here = locked(row)
    if here and here.result:
        end_different(here, here.result, differs)


@transaction.atomic
def suspend(reason: str, *, until: datetime) -> None:
    """Nothing is asked for results until then; their payments say why."""
    due = ContractInvocation.objects.due(timezone.now())
    rows = list(
        due.filter(state=State.PENDING, result__isnull=False)
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("pk", "result_id")
    )
    ContractInvocation.objects.filter(pk__in=[pk for pk, _ in rows]).update(
        next_action_at=until, last_answer=reason
    )
    show(reason, [result for _, result in rows])


def explain(row: ContractInvocation, reason: str) -> None:
    if row.result_id:
        show(reason, [row.result_id])


def show(reason: str, results: Iterable[Any]) -> None:
    held = Payment.objects.filter(state=Payment.State.HELD, reason__startswith=CONTRACT)
    held.filter(sla_result__in=results).update(reason=reason)


def may_pass(here: ContractInvocation, refusal: ContractRefused) -> bool:
    """An order is never kept for later: whoever gave it is told, and may give it again."""
    return here.result is not None and refusal.error in PASSING


def put_back(here: ContractInvocation, refusal: ContractRefused) -> None:
    """It may succeed later, under a number of its own."""
    here.state, here.last_answer = State.PENDING, refusal.error
    here.next_action_at = next_try(here.tries)
    if here.hash:
        here.earlier_hashes, here.hash, here.envelope_xdr = [*here.earlier_hashes, here.hash], "", ""
    here.save()
    explain(here, PASSING[refusal.error])
    logger.warning("A result waits for the SLA contract, which refuses: %s", refusal.error)


def compare(here: ContractInvocation, result: SLAResult, found: Outcome) -> None:
    try:
        said = found.calculation
    except (LookupError, TypeError, ValueError):
        end_different(here, result, "unreadable")
        return
    here.answer = {
        "status": said.status,
        "amount": str(said.amount),
        "rating": said.rating,
        "threshold_minutes": said.threshold_minutes,
        "mttr_minutes": said.mttr_minutes,
        "config_version_hash": str(said.config_version_hash),
    }
    differs = differences(result, said)
    if differs:
        end_different(here, result, ", ".join(differs))
        return
    end(here, State.CONFIRMED)
    state_of(here, result, Event.SLA_CONTRACT_CONFIRMED)
    release(result)


def differences(result: SLAResult, said: Calculation) -> list[str]:
    """The names of what the contract sees in another way."""
    names = ("status", "amount", "rating", "threshold_minutes", "mttr_minutes")
    return [name for name in names if getattr(result, name) != getattr(said, name)]


def end_different(here: ContractInvocation, result: SLAResult, differs: str) -> None:
    here.error = differs[:64]
    end(here, State.MISMATCH)
    state_of(here, result, Event.SLA_CONTRACT_MISMATCH, differs=differs)
    release(result)
    ours = f"{result.status}, {digits(result.amount)}"
    logger.error(
        "ALERT: the SLA contract does not agree with result %s of %s in %s: ours %s, the contract's %s",
        *(result.pk, result.outage.reference, differs, ours, here.answer),
    )


def end_refused(here: ContractInvocation, refusal: ContractRefused) -> None:
    here.error = refusal.error[:64]
    end(here, State.REFUSED)
    if here.result:
        state_of(here, here.result, Event.SLA_CONTRACT_REFUSED, error=refusal.error)
        release(here.result)
    elif here.job_id:
        state_order(here, Event.CONTRACT_ORDER_REFUSED, error=refusal.error)
        orders.fail(here.job_id, refusal)
    logger.error("ALERT: the SLA contract refuses %s: %s", here.function, refusal.error)


def end_obeyed(here: ContractInvocation) -> None:
    end(here, State.CONFIRMED)
    state_order(here, Event.CONTRACT_ORDER_OBEYED)
    if here.job_id:
        cost = {"ledger": here.ledger, "fee_stroops": here.fee}
        said = {"function": here.function, "argument": here.argument or None}
        orders.succeed(here.job_id, {**said, "transaction_hash": here.hash, **cost})


def end(here: ContractInvocation, state: ContractInvocation.State) -> None:
    here.state, here.finished_at = state, timezone.now()
    here.save()


def release(result: SLAResult) -> None:
    """The payment goes where it would have begun without a contract, or says what the contract objects to."""
    payment = (
        Payment.objects.select_for_update(of=("self",))
        .select_related("outage")
        .filter(sla_result=result, state=Payment.State.HELD, reason__startswith=CONTRACT)
        .first()
    )
    if payment is None:
        return
    has_wallet = Wallet.objects.approved().filter(owner__key=payment.payee).exists()
    payment.state, payment.reason = first_state(result, has_wallet=has_wallet)
    moves = payment.state in {Payment.State.READY, Payment.State.PARKED}
    payment.next_action_at = timezone.now() if moves else None
    payment.save(update_fields=("state", "reason", "next_action_at"))
    if payment.state == Payment.State.HELD:
        tell(Event.PAYMENT_HELD, payment)
    elif payment.state == Payment.State.PARKED:
        tell(Event.PAYMENT_PARKED, payment)


def state_of(here: ContractInvocation, result: SLAResult, event: Event, **more: object) -> None:
    """The fact belongs to the request that the result came from."""
    said = {"outage_id": result.outage.reference, "sla_result_id": result.pk, "answer": here.answer}
    seen = {"contract_tx_hash": here.seen_hash, "ledger": here.ledger}
    with acting_as("system", source="task", correlation_id=here.correlation_id):
        record(event, f"sla:{result.pk}", stream=result.outage.stream, **said, **seen, **more)


def state_order(here: ContractInvocation, event: Event, **more: object) -> None:
    seen = {"contract_tx_hash": here.seen_hash, "ledger": here.ledger}
    with acting_as("system", source="task", correlation_id=here.correlation_id):
        record(event, f"contract:{here.function}", stream="contract", **told(here), **seen, **more)


def told(here: ContractInvocation) -> dict[str, Any]:
    """What every event about an order says."""
    return {"function": here.function, "argument": here.argument, "job_id": here.job_id}
