"""From a result to money that is due."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apexchainx import context
from audit.events import Event
from audit.log import record
from outages.models import Outage
from outages.services.locking import locked_open
from outages.services.resolving import evidence_of, resolve
from payments import tasks
from payments.models import Payment
from sla.models import ClockSource, SLAResult
from sla.services import Governing, evaluate_all
from wallets.models import Wallet

POOL = "pool"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one resolution came to. A result of zero moves no money."""

    outage: Outage
    result: SLAResult
    payment: Payment | None


@transaction.atomic
def settle(
    reference: str,
    *,
    at: datetime | None = None,
    minutes: int | None = None,
    notes: str = "",
    root_cause: str = "",
    version: int | None = None,
) -> Settlement:
    """Resolve, evaluate, pay: all of it, or none of it. Raises as `locked_open` and `resolve` do."""
    outage = locked_open(reference, version=version)
    governing = Governing([outage])
    calendar = governing.policy(outage).rule.calendar
    evidence = resolve(
        outage,
        evidence_of(outage),
        calendar=calendar,
        at=at,
        minutes=minutes,
        notes=notes,
        root_cause=root_cause,
    )
    [result] = evaluate_all([outage], [evidence], governing)
    return Settlement(outage, result, pay(result))


@transaction.atomic(savepoint=False)
def pay(result: SLAResult) -> Payment | None:
    """The payment that a result asks for, once: a reward leaves the pool, a penalty comes to it."""
    if not result.amount:
        return None
    is_reward = result.outcome == SLAResult.Outcome.REWARD
    team, operator = result.outage.team_key, result.outage.operator_key
    payer, payee = (POOL, team) if is_reward else (operator, POOL)
    party = Wallet.objects.approved().filter(owner__key=team if is_reward else operator).first()
    address = party.address if party else ""
    state, reason = first_state(result, has_wallet=party is not None)
    payment = Payment.objects.create(
        source_key=f"sla:{result.pk}",
        type=result.outcome,
        sla_result=result,
        outage=result.outage,
        payer=payer,
        payee=payee,
        amount=abs(result.amount),
        asset_code=settings.STELLAR_ASSET_CODE,
        from_address=settings.STELLAR_POOL_ADDRESS if is_reward else address,
        to_address=address if is_reward else settings.STELLAR_POOL_ADDRESS,
        state=state,
        reason=reason,
        correlation_id=context.current().correlation_id,
        next_action_at=timezone.now() if state in {Payment.State.READY, Payment.State.PARKED} else None,
    )
    stream = result.outage.stream
    record(Event.PAYMENT_INITIATED, f"payment:{payment.reference}", stream=stream, **payment.facts)
    if state == Payment.State.READY:
        transaction.on_commit(tasks.ring, robust=True)
    return payment


def first_state(result: SLAResult, *, has_wallet: bool) -> tuple[Payment.State, str]:
    """Where a payment starts and, unless it is ready, why it is not paid at once."""
    if result.clock_source != ClockSource.MEASURED:
        return Payment.State.HELD, f"clock_{result.clock_source}"
    if abs(result.amount) > settings.MAX_AUTO_PAYMENT_AMOUNT:
        return Payment.State.HELD, "over_automatic_limit"
    if result.outcome == SLAResult.Outcome.PENALTY:
        return Payment.State.AWAITING_PAYER, "payer_has_not_paid"
    if not has_wallet:
        return Payment.State.PARKED, "no_wallet"
    return Payment.State.READY, ""
