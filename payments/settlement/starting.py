"""Where a payment starts, and where it goes on once the contract has spoken."""

from django.conf import settings

from payments.models import CONTRACT, Payment
from sla.models import ClockSource, ContractInvocation, SLAResult

UNSETTLED = {
    ContractInvocation.State.PENDING: f"{CONTRACT}pending",
    ContractInvocation.State.SIGNED: f"{CONTRACT}pending",
    ContractInvocation.State.MISMATCH: f"{CONTRACT}mismatch",
    ContractInvocation.State.REFUSED: f"{CONTRACT}refused",
}


def first_state(result: SLAResult, *, has_wallet: bool) -> tuple[Payment.State, str]:
    """The state and, unless it is ready, why it is not paid at once.

    A payment shows one reason. The contract's comes first, because most of the time it goes away by itself;
    then come those that need a person, so that nobody releases what the contract has not agreed to.
    """
    if result.asked and (reason := UNSETTLED.get(ContractInvocation.State(result.asked.state))):
        return Payment.State.HELD, reason
    if result.clock_source != ClockSource.MEASURED:
        return Payment.State.HELD, f"clock_{result.clock_source}"
    if abs(result.amount) > settings.MAX_AUTO_PAYMENT_AMOUNT:
        return Payment.State.HELD, "over_automatic_limit"
    if result.outcome == SLAResult.Outcome.PENALTY:
        return Payment.State.AWAITING_PAYER, "payer_has_not_paid"
    if not has_wallet:
        return Payment.State.PARKED, "no_wallet"
    return Payment.State.READY, ""
