"""Carrying calls of the SLA contract to the network: calculations of results, and orders of an admin.

The steps are those of a payout: a call is bound to one (account, sequence number), its envelope and hash are
kept before anybody is sent them, and whatever is not seen in a ledger is unknown and looked up again.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from apexchainx.errors import NotReady, Unavailable
from apexchainx.jobs import orders
from apexchainx.stellar import horizon, keys, soroban
from apexchainx.stellar.soroban import ContractRefused, Invocation, Prepared, Standing
from payments.settlement import answers
from payments.settlement.payouts import base_fee, next_try
from sla.models import ContractInvocation
from sla.services.contract import OPEN, is_in_charge, whole

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
# Seconds between looks at a ledger that is about to close; a longer wait is left to the sweep.
LOOKS = (0, 0.5, 1, 1, 1.5, 2)
# For how long nothing is tried while the network is silent or the contract is closed.
REST = timedelta(seconds=15)
STEPS_PER_RUN = 10
State = ContractInvocation.State


def advance() -> int:
    """Take whatever steps are due, at most STEPS_PER_RUN; the answer is how many were taken."""
    due = ContractInvocation.objects.due(timezone.now())
    if not is_in_charge() or not due.exists():
        return 0
    try:
        standing = check()
    except Unavailable as error:
        logger.warning("Calls of the contract wait: %s", error)
        due.update(next_action_at=timezone.now() + REST, last_answer=error.message[:255])
        return 0
    if standing != Standing.READY:
        answers.suspend(f"contract_{standing}", until=timezone.now() + REST)
    steps = 0
    while steps < STEPS_PER_RUN and carry_next():
        steps += 1
    return steps


def check() -> Standing:
    """How the contract stands; an alert where no call can be made. Raises Unavailable."""
    standing = soroban.health().standing
    if standing not in OPEN:
        logger.error("ALERT: the SLA contract cannot be used (%s); payments wait for it", standing)
    return standing


def carry_next() -> bool:
    """Bring one call a step further. False where none is due."""
    row = claim()
    if row is None:
        return False
    try:
        carry(row)
    except (Unavailable, NotReady) as error:
        wait(row, error.message)
    return True


def claim() -> ContractInvocation | None:
    """Lease the call that waits longest. `tries` marks the lease: an older one changes nothing."""
    now = timezone.now()
    with transaction.atomic():
        row = (
            ContractInvocation.objects.due(now)
            .select_for_update(skip_locked=True, of=("self",))
            .select_related("result__outage", "result__policy")
            .order_by("next_action_at", "id")
            .first()
        )
        if row is None:
            return None
        row.next_action_at, row.tries = now + LEASE, row.tries + 1
        row.save(update_fields=("next_action_at", "tries"))
    return row


def carry(row: ContractInvocation) -> None:
    """Look for its envelopes; where none landed, send the newest again, or what may replace it."""
    if row.state == State.PENDING:
        if row.result and whole(row.result.policy.terms) is None:
            answers.differ(row, "terms_are_not_whole_numbers")
        elif sign(row):
            send(row)
    elif not has_landed(row):
        send_again(row)


def has_landed(row: ContractInvocation) -> bool:
    """Whether a ledger shows it; then what came of it is recorded."""
    for hash_ in (row.hash, *row.earlier_hashes):
        found = soroban.outcome(hash_)
        if found is not None:
            answers.finish(row, found)
            return True
    return False


def send_again(row: ContractInvocation) -> None:
    """The identical envelope; another only when it has expired by the network's clock, its number unused."""
    if row.max_time is None or horizon.latest_close() <= row.max_time:
        send(row)
        return
    account = horizon.account(row.account)
    if account is not None and account.sequence < (row.sequence or 0):
        if sign(row):
            send(row)
    elif not has_landed(row):
        logger.error(
            "ALERT: number %s of %s is used, and no ledger shows for what", row.sequence, row.account
        )
        wait(row, "Its sequence number is used, and no ledger shows the call.")
        answers.explain(row, "contract_stuck")


def sign(row: ContractInvocation) -> bool:
    """Sign the call as its row states it, and keep envelope and hash. False where it is not to be sent."""
    key = key_of(row)
    is_pinned = row.state == State.SIGNED and row.account == key.address
    sequence = row.sequence if is_pinned else next_sequence(key.address)
    max_time = int(timezone.now().timestamp()) + settings.PAYMENT_VALID_SECONDS
    try:
        prepared = soroban.prepare(
            call(row), signer=key, max_time=max_time, sequence=sequence, base_fee=base_fee()
        )
    except ContractRefused as refusal:
        answers.refuse(row, refusal)
        return False
    return keep(row, key.address, prepared)


def call(row: ContractInvocation) -> Invocation:
    if row.result:
        result = row.result
        return soroban.calculate_sla(result.outage.reference, result.severity, result.mttr_minutes)
    return Invocation(row.function, (("address", row.argument),) if row.argument else ())


def key_of(row: ContractInvocation) -> keys.KeyPair:
    """The operator calculates and accepts that role, the admin does everything else."""
    if row.function in {ContractInvocation.CALCULATION, "accept_operator"}:
        return known_key(
            "STELLAR_CONTRACT_OPERATOR",
            settings.STELLAR_CONTRACT_OPERATOR_SECRET_FILE,
            settings.STELLAR_CONTRACT_OPERATOR_ADDRESS,
        )
    return known_key(
        "STELLAR_CONTRACT_ADMIN",
        settings.STELLAR_CONTRACT_ADMIN_SECRET_FILE,
        settings.STELLAR_CONTRACT_ADMIN_ADDRESS,
    )


def known_key(name: str, file: str, address: str) -> keys.KeyPair:
    """The key in that file, which must be the one whose address everybody else knows."""
    if not file:
        raise Unavailable(f"{name}_SECRET_FILE is not set for the signer.")
    key = keys.read_secret(Path(file))
    if key.address != address:
        raise Unavailable(f"The key in {name}_SECRET_FILE is not that of {name}_ADDRESS.")
    return key


def next_sequence(address: str) -> int:
    """After what the network shows and after all that we ever bound: what it shows may be old."""
    account = horizon.account(address)
    if account is None:
        raise NotReady(f"The account {address} does not exist on the ledger.")
    ours = ContractInvocation.objects.filter(account=address).aggregate(last=Max("sequence"))["last"]
    return max(account.sequence, ours or 0) + 1


def keep(row: ContractInvocation, address: str, prepared: Prepared) -> bool:
    """False where another signer was faster: nothing was sent, and its envelope is forgotten."""
    kept = {
        "state": State.SIGNED,
        "account": address,
        "sequence": prepared.sequence,
        "envelope_xdr": prepared.envelope_xdr,
        "hash": prepared.hash,
        "earlier_hashes": [*row.earlier_hashes, *([row.hash] if row.hash else [])],
        "max_time": datetime.fromtimestamp(prepared.max_time, UTC),
    }
    try:
        with transaction.atomic():
            is_ours = answers.leased(row).update(**kept) == 1
            if is_ours and row.job_id:
                orders.begin(row.job_id)
    except IntegrityError:
        wait(row, "Another call of this account is under way.")
        return False
    for name, value in kept.items():
        setattr(row, name, value)
    return is_ours


def send(row: ContractInvocation) -> None:
    """Send the stored envelope, and wait a little where a ledger is about to close over it."""
    sent = soroban.send(row.envelope_xdr)
    looks = LOOKS if sent.sending == soroban.Sending.ACCEPTED else LOOKS[:1]
    for pause in looks:
        time.sleep(pause)
        if has_landed(row):
            return
    wait(row, sent.detail or "accepted")


def wait(row: ContractInvocation, answer: str) -> None:
    answers.leased(row).update(next_action_at=next_try(row.tries), last_answer=answer[:255])
