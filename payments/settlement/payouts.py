"""Carrying payments to the ledger.

Each step claims a row in a short transaction, speaks to the network with none open, and records the outcome
in another. A payment is bound to one (channel, sequence number) before anything is signed, and every envelope
for it uses that pair: the network consumes a number once, so it cannot be paid twice, whoever dies when.
"""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apexchainx.context import acting_as
from apexchainx.errors import Unavailable
from apexchainx.stellar import envelopes, horizon, keys
from apexchainx.stellar.horizon import LedgerTransaction
from audit.events import Event
from audit.log import record
from payments.models import DISPUTED, Attempt, Channel, Payment, StellarTransaction
from wallets.models import Wallet

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
PARKED_RETRY = timedelta(seconds=60)
STEPS_PER_RUN = 200


def advance() -> int:
    """Take whatever steps are due, at most STEPS_PER_RUN; the answer is how many were taken."""
    steps = 0
    try:
        while steps < STEPS_PER_RUN and (carry_next() or prepare_next()):
            steps += 1
    except Unavailable as error:
        logger.warning("Payments wait for the next sweep: %s", error)
    return steps


# Transactions that are under way


def carry_next() -> bool:
    """Bring one unfinished transaction a step further. False where none is due."""
    work = claim()
    if work is None:
        return False
    try:
        carry(work)
    except Unavailable as error:
        postpone(work, str(error))
    return True


def carry(work: StellarTransaction) -> None:
    """Look for its envelopes on the ledger; where none landed, send the newest, or what may replace it."""
    attempts = list(work.attempts.order_by("-number"))
    for attempt in attempts:
        found = horizon.transaction(attempt.hash)
        if found is not None:
            finish(work, attempt, found)
            return
    if not attempts or may_be_replaced(work, attempts[0]):
        attempts.insert(0, sign(work))
    submit(work, attempts[0])


def claim() -> StellarTransaction | None:
    """Lease the transaction that waits longest; a worker that dies holds it no longer than the lease."""
    now = timezone.now()
    with transaction.atomic():
        work = (
            StellarTransaction.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("channel", "payment__outage", "payment__sla_result")
            .filter(state__in=StellarTransaction.LIVE, next_action_at__lte=now)
            .order_by("next_action_at", "id")
            .first()
        )
        if work is None:
            return None
        work.next_action_at, work.tries = now + LEASE, work.tries + 1
        work.save(update_fields=("next_action_at", "tries"))
    return work


def may_be_replaced(work: StellarTransaction, newest: Attempt) -> bool:
    """Only when the newest envelope has expired by the network's own clock and its number is still unused."""
    if horizon.latest_close() <= newest.max_time:
        return False
    account = horizon.account(work.channel.address)
    return account is not None and account.sequence < work.sequence


def sign(work: StellarTransaction) -> Attempt:
    """Sign the payment as its row states it and keep the envelope with its hash before anybody is sent it."""
    payment = work.payment
    max_time = timezone.now() + timedelta(seconds=settings.PAYMENT_VALID_SECONDS)
    envelope = envelopes.payment(
        signer=pool_key(),
        sequence=work.sequence,
        destination=payment.to_address,
        amount=payment.amount,
        memo=f"SLA:{payment.reference}",
        base_fee=base_fee(),
        max_time=int(max_time.timestamp()),
    )
    with transaction.atomic():
        attempt = Attempt.objects.create(
            transaction=work,
            number=work.attempts.count() + 1,
            hash=envelope.hash,
            envelope_xdr=envelope.xdr,
            max_time=datetime.fromtimestamp(envelope.max_time, UTC),
        )
        work.state = StellarTransaction.State.SUBMITTED
        work.save(update_fields=("state",))
        tell(Event.PAYMENT_SIGNED, payment, envelope_hash=envelope.hash, sequence=work.sequence)
    return attempt


def base_fee() -> int:
    """What most others bid for an operation, in stroops, within our cap."""
    return min(max(horizon.fee_stats().p90, 100), settings.STELLAR_MAX_FEE)


def pool_key() -> keys.KeyPair:
    """The pool's key, which must be the one whose address everybody else knows."""
    pair = keys.read_secret(Path(settings.STELLAR_POOL_SECRET_FILE))
    if pair.address != settings.STELLAR_POOL_ADDRESS:
        raise Unavailable("The signer's key is not the key of STELLAR_POOL_ADDRESS.")
    return pair


def submit(work: StellarTransaction, attempt: Attempt) -> None:
    """Send the stored envelope. Whatever is not seen on the ledger then is unknown, and looked up again."""
    answer = horizon.submit(attempt.envelope_xdr)
    if answer.outcome in {horizon.Outcome.APPLIED, horizon.Outcome.FAILED_ON_LEDGER}:
        found = horizon.transaction(attempt.hash)
        if found is not None:
            finish(work, attempt, found)
            return
    postpone(work, f"{answer.code} {answer.detail}".strip())


def postpone(work: StellarTransaction, answer: str) -> None:
    work.next_action_at, work.last_answer = next_try(work.tries), answer[:255]
    work.save(update_fields=("next_action_at", "last_answer"))


def next_try(tries: int) -> datetime:
    wait = settings.PAYMENT_BACKOFF[min(tries, len(settings.PAYMENT_BACKOFF)) - 1]
    return timezone.now() + timedelta(seconds=wait)


def finish(work: StellarTransaction, attempt: Attempt, landing: LedgerTransaction) -> None:
    """Record the landing, once."""
    with transaction.atomic():
        row = StellarTransaction.objects.select_for_update().get(pk=work.pk)
        if row.state not in StellarTransaction.LIVE:
            return
        payment = (
            Payment.objects.select_for_update(of=("self",)).select_related("outage").get(pk=row.payment_id)
        )
        row.state = (
            StellarTransaction.State.SETTLED
            if landing.successful
            else StellarTransaction.State.FAILED_ONCHAIN
        )
        row.last_answer = ",".join(landing.operations)[:255]
        row.save(update_fields=("state", "last_answer"))
        payment.transaction_hash, payment.ledger = attempt.hash, landing.ledger
        if landing.successful:
            complete(payment, landing)
        elif payment.reason == DISPUTED:
            hold(payment)
        elif PARKING & set(landing.operations):
            park(payment, next(code for code in landing.operations if code in PARKING))
        else:
            fail(payment, ",".join(landing.operations))


# A destination that cannot receive yet may be made able to.
PARKING = {"op_no_trust", "op_no_destination", "op_line_full", "op_not_authorized"}


def complete(payment: Payment, landing: LedgerTransaction) -> None:
    payment.state, payment.reason, payment.next_action_at = Payment.State.PAID, "", None
    payment.confirmed_at = landing.created_at
    payment.save()
    tell(Event.PAYMENT_COMPLETED, payment, ledger=landing.ledger, confirmed_at=landing.created_at)


def hold(payment: Payment) -> None:
    """Disputed on its way, and it has not arrived: it waits for the ruling."""
    payment.state, payment.next_action_at = Payment.State.HELD, None
    payment.save()
    tell(Event.PAYMENT_HELD, payment)


def fail(payment: Payment, codes: str) -> None:
    payment.state, payment.reason, payment.next_action_at = Payment.State.FAILED, codes[:64], None
    payment.save()
    tell(Event.PAYMENT_FAILED, payment)


def park(payment: Payment, reason: str) -> None:
    """Not now: looked at again later, and the reason is shown meanwhile."""
    is_news = payment.state != Payment.State.PARKED or payment.reason != reason
    payment.state, payment.reason = Payment.State.PARKED, reason
    payment.next_action_at = timezone.now() + PARKED_RETRY
    payment.save()
    if is_news:
        tell(Event.PAYMENT_PARKED, payment)


def tell(event: Event, payment: Payment, **more: object) -> None:
    """Whatever carried it, the fact belongs to the request that the payment came from."""
    stream = payment.outage.stream
    with acting_as("system", source="task", correlation_id=payment.correlation_id):
        record(event, f"payment:{payment.reference}", stream=stream, **payment.facts, **more)


# Payments that wait for a transaction


def prepare_next() -> bool:
    """Bind the payment that waits longest to the next sequence number, or park it. False: none is due."""
    channel, _ = Channel.objects.get_or_create(address=settings.STELLAR_POOL_ADDRESS)
    if channel.transactions.filter(state__in=StellarTransaction.LIVE).exists():
        return False
    waiting = Payment.objects.due(timezone.now()).order_by("next_action_at", "id").first()
    if waiting is None:
        return False
    wallet = Wallet.objects.approved().filter(owner__key=waiting.payee).first()
    obstacle = "no_wallet" if wallet is None else cannot_receive(wallet.address)
    pool = horizon.account(channel.address)
    if pool is None:
        raise Unavailable("The pool has no account on the ledger.")
    with transaction.atomic():
        payment = lock_due(waiting.pk)
        if payment is None:
            return True
        if wallet is None or obstacle:
            park(payment, obstacle)
            return True
        return reserve(payment, channel, wallet.address, after=pool.sequence)


def lock_due(pk: int) -> Payment | None:
    return (
        Payment.objects.due(timezone.now())
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("outage")
        .filter(pk=pk)
        .first()
    )


def cannot_receive(address: str) -> str:
    """Why this address cannot hold our asset, or nothing."""
    account = horizon.account(address)
    if account is None:
        return "no_account"
    return "" if account.has_trustline else "no_trustline"


def reserve(payment: Payment, channel: Channel, address: str, *, after: int) -> bool:
    """One payment, one number. Another signer that was faster makes this a step without effect."""
    locked = Channel.objects.select_for_update().get(pk=channel.pk)
    sequence = max(locked.last_sequence, after) + 1
    try:
        with transaction.atomic():
            StellarTransaction.objects.create(channel=locked, sequence=sequence, payment=payment)
    except IntegrityError:
        return False
    locked.last_sequence = sequence
    locked.save(update_fields=("last_sequence",))
    payment.state, payment.reason, payment.to_address = Payment.State.BATCHED, "", address
    payment.next_action_at = None
    payment.save(update_fields=("state", "reason", "to_address", "next_action_at"))
    return True
