"""A call made by a person at a terminal, from beginning to end, with nothing kept."""

import time
from collections.abc import Sequence

from apexchainx.errors import Unavailable
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.soroban.invocations import Invocation
from apexchainx.stellar.soroban.sending import Outcome, outcome, prepare, send

VALID_SECONDS = 60
LOOK_SECONDS = 0.5


def apply(invocation: Invocation, *, signer: KeyPair, cosigners: Sequence[KeyPair] = ()) -> Outcome:
    """Simulate, sign, send, and wait until a ledger shows it.

    Raises ContractRefused, NotReady where the signer has no account, and Unavailable where no ledger shows
    it in time: then it may still land.
    """
    until = time.time() + VALID_SECONDS
    prepared = prepare(invocation, signer=signer, cosigners=cosigners, max_time=int(until))
    sent = send(prepared.envelope_xdr)
    while time.time() < until:
        found = outcome(prepared.hash)
        if found and found.error:
            raise found.error
        if found:
            return found
        time.sleep(LOOK_SECONDS)
    raise Unavailable(f"No ledger shows {prepared.hash} yet: {sent.detail or 'accepted'}.")
