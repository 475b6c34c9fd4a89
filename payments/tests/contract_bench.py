"""The SLA contract in charge of a test, and small steps with it by its admin."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine
from django.utils import timezone

from apexchainx.stellar import horizon, keys, soroban
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.soroban import Invocation, Outcome
from payments.models import Payment
from payments.settlement import contract
from sla.models import ContractInvocation


@dataclass(frozen=True)
class Governed:
    """Who governs the contract, and who calls it."""

    admin: KeyPair
    operator: KeyPair

    def apply(self, invocation: Invocation, **options: Any) -> Outcome:
        """By its admin; that it does not land at once fails the test."""
        prepared = soroban.prepare(
            invocation, signer=self.admin, max_time=int(timezone.now().timestamp()) + 60, **options
        )
        soroban.send(prepared.envelope_xdr)
        landed = soroban.outcome(prepared.hash)
        assert landed
        assert landed.successful, landed.error
        return landed

    @property
    def sequence(self) -> int:
        """The operator's, as the ledger has it."""
        account = horizon.account(self.operator.address)
        assert account
        return account.sequence

    def initialise(self) -> None:
        self.apply(soroban.initialize(self.operator.address), cosigners=[self.operator])

    def configure(self, severity: str, threshold: int, penalty: int, reward: int) -> None:
        self.apply(
            soroban.set_config(
                severity, threshold_minutes=threshold, penalty_per_minute=penalty, reward_base=reward
            )
        )

    def pause(self) -> None:
        self.apply(soroban.pause("maintenance"))

    def unpause(self) -> None:
        self.apply(soroban.unpause())


def in_charge(url: str, settings: Any, directory: Path) -> Governed:
    """A new contract at that ledger decides, and this process is the signer."""
    found = Governed(keys.generate(), keys.generate())
    settings.STELLAR_SOROBAN_URL = url
    settings.CONTRACT_EXECUTION_MODE = "soroban_rpc"
    for name, key in (("ADMIN", found.admin), ("OPERATOR", found.operator)):
        horizon.friendbot(key.address)
        hold(settings, name, key, directory)
    found.initialise()
    return found


def hold(settings: Any, name: str, key: KeyPair, directory: Path) -> None:
    """From now on this is the key of that role."""
    file = directory / f"{key.address}.secret"
    if not file.exists():
        keys.write_secret(file, key)
    setattr(settings, f"STELLAR_CONTRACT_{name}_ADDRESS", key.address)
    setattr(settings, f"STELLAR_CONTRACT_{name}_SECRET_FILE", str(file))


def advance_after(**time: int) -> int:
    """The sweep that comes when leases and waits are over."""
    with time_machine.travel(timezone.now() + timedelta(**time)):
        return contract.advance()


def invocation() -> ContractInvocation:
    """The only one."""
    return ContractInvocation.objects.get()


def shown(payment: Payment) -> tuple[str, str]:
    payment.refresh_from_db()
    return payment.state, payment.reason
