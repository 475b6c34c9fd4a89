"""From a result to money that is due."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apexchainx import context
from apexchainx.bulk import insert
from audit.events import Event
from audit.log import record_all
from outages.models import Outage
from outages.services.locking import locked_open
from outages.services.resolving import evidence_of, resolve
from payments import tasks
from payments.models import Payment
from payments.settlement.starting import first_state
from sla.models import SLAResult
from sla.services import Governing, evaluate_all
from wallets.models import Owner, Status

POOL = "pool"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one resolution came to. A result of zero moves no money."""

    outage: Outage
    result: SLAResult
    payment: Payment | None


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who pays or is paid; without an address they have no approved wallet."""

    key: str
    address: str = ""


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
    return pay_all([result])[0]


@transaction.atomic(savepoint=False)
def pay_all(results: Sequence[SLAResult]) -> list[Payment | None]:
    """As `pay`, all or none, with one statement for each kind of row; None for a result of zero."""
    if any(result.asked for result in results):
        transaction.on_commit(tasks.ring_contract, robust=True)
    paying = [result for result in results if result.amount]
    if not paying:
        return [None] * len(results)
    parties = parties_of(paying)
    payments = insert([owed(result, parties) for result in paying])
    record_all(
        (Event.PAYMENT_INITIATED, f"payment:{payment.reference}", payment.outage.stream, payment.facts)
        for payment in payments
    )
    if any(payment.state == Payment.State.READY for payment in payments):
        transaction.on_commit(tasks.ring, robust=True)
    made = {payment.sla_result_id: payment for payment in payments}
    return [made.get(result.pk) for result in results]


def owed(result: SLAResult, parties: Mapping[int | str, Party]) -> Payment:
    """The money between the pool and the outage's team or operator, not saved."""
    outage, is_reward = result.outage, result.outcome == SLAResult.Outcome.REWARD
    named, default = (
        (outage.team_id, settings.DEFAULT_TEAM)
        if is_reward
        else (outage.operator_id, settings.DEFAULT_OPERATOR)
    )
    party = parties.get(named or default, Party(default))
    state, reason = first_state(result, has_wallet=bool(party.address))
    pool = Party(POOL, settings.STELLAR_POOL_ADDRESS)
    payer, payee = (pool, party) if is_reward else (party, pool)
    return Payment(
        source_key=f"sla:{result.pk}",
        type=result.outcome,
        sla_result=result,
        outage=outage,
        payer=payer.key,
        payee=payee.key,
        amount=abs(result.amount),
        asset_code=settings.STELLAR_ASSET_CODE,
        from_address=payer.address,
        to_address=payee.address,
        state=state,
        reason=reason,
        correlation_id=context.current().correlation_id,
        next_action_at=timezone.now() if state in {Payment.State.READY, Payment.State.PARKED} else None,
    )


def parties_of(results: Iterable[SLAResult]) -> dict[int | str, Party]:
    """By id and by key, every owner that may be paid or billed for these outages."""
    ids = {pk for result in results for pk in (result.outage.team_id, result.outage.operator_id) if pk}
    owners = Owner.objects.filter(
        Q(pk__in=ids) | Q(key__in=(settings.DEFAULT_TEAM, settings.DEFAULT_OPERATOR))
    )
    found: dict[int | str, Party] = {}
    for owner in owners.select_related("wallet"):
        wallet = getattr(owner, "wallet", None)
        address = wallet.address if wallet and wallet.status == Status.APPROVED else ""
        found[owner.pk] = found[owner.key] = Party(owner.key, address)
    return found
