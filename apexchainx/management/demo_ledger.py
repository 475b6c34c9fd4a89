"""Accounts on a test ledger: funded, trusting our asset, and with some of it to spend."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from django.conf import settings

from apexchainx.errors import Conflict, Unavailable
from apexchainx.stellar import envelopes, horizon
from apexchainx.stellar.keys import KeyPair

ATTEMPTS = 10


def set_up(issuer: KeyPair, holders: Iterable[KeyPair], *, grants: dict[str, Decimal]) -> None:
    """Fund everybody, let the holders trust the asset, and mint the grants; what is there already is kept.

    Raises Unavailable when the ledger does not do it.
    """
    everybody = [issuer, *holders]
    with ThreadPoolExecutor(len(everybody)) as pool:
        list(pool.map(fund, everybody))
        list(pool.map(_trust, everybody[1:]))
    for address, amount in grants.items():
        _grant(issuer, address, amount)


def fund(owner: KeyPair) -> None:
    """By friendbot, where it has no account yet. Raises Conflict and Unavailable."""
    if horizon.account(owner.address):
        return
    try:
        horizon.friendbot(owner.address)
    except Conflict:
        if not horizon.account(owner.address):
            raise


def _trust(owner: KeyPair) -> None:
    account = _account(owner.address)
    if account.has_trustline:
        return
    _submit(
        envelopes.trustline(
            signer=owner, sequence=account.sequence + 1, base_fee=settings.STELLAR_MAX_FEE, max_time=_soon()
        )
    )


def _grant(issuer: KeyPair, address: str, amount: Decimal) -> None:
    if _account(address).usdc:
        return
    _submit(
        envelopes.payment(
            signer=issuer,
            sequence=_account(issuer.address).sequence + 1,
            destination=address,
            amount=amount,
            memo="demo grant",
            base_fee=settings.STELLAR_MAX_FEE,
            max_time=_soon(),
        )
    )


def _account(address: str) -> horizon.Account:
    """A new account shows up with the next ledger."""
    for _ in range(ATTEMPTS):
        if account := horizon.account(address):
            return account
        time.sleep(0.3)
    raise Unavailable(f"The ledger does not show the account {address}.")


def _submit(envelope: envelopes.Envelope) -> None:
    """Sending the same envelope again is safe: its number can be used once."""
    for _ in range(ATTEMPTS):
        submission = horizon.submit(envelope.xdr)
        if submission.outcome == horizon.Outcome.APPLIED:
            return
        if submission.outcome == horizon.Outcome.FAILED_ON_LEDGER:
            break
        time.sleep(0.3)
    raise Unavailable(
        f"The ledger refuses {envelope.hash}: {submission.code} {submission.operations} {submission.detail}"
    )


def _soon() -> int:
    return int(time.time()) + 60
