"""A ledger on which the pool can pay the team."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apexchainx.management import demo_ledger
from apexchainx.stellar import horizon, keys
from apexchainx.stellar.keys import KeyPair
from outages.models import Outage
from payments.models import Payment
from payments.services.settling import settle
from payments.tests.contract_bench import Governed, in_charge
from wallets.models import Wallet

FUNDS = Decimal(100_000)


@dataclass(frozen=True)
class Bank:
    """The accounts of a test, and what the ledger says of the team's."""

    issuer: KeyPair
    pool: KeyPair
    team: KeyPair

    @property
    def received(self) -> Decimal:
        account = horizon.account(self.team.address)
        return account.usdc if account else Decimal(0)


@pytest.fixture
def bank(
    sandbox: str, issuer: KeyPair, settings: Any, tmp_path: Path, make_wallet: Callable[..., Wallet]
) -> Bank:
    """The pool is funded, the team can receive and has an approved wallet, this process is the signer."""
    pool, team = keys.generate(), keys.generate()
    demo_ledger.set_up(issuer, [pool, team], grants={pool.address: FUNDS})
    keys.write_secret(tmp_path / "pool.secret", pool)
    settings.STELLAR_POOL_ADDRESS = pool.address
    settings.STELLAR_POOL_SECRET_FILE = str(tmp_path / "pool.secret")
    make_wallet(settings.DEFAULT_TEAM, team.address)
    return Bank(issuer, pool, team)


@pytest.fixture
def due(make_outage: Callable[..., Outage]) -> Callable[[], Payment]:
    """A reward of 1500 that waits to be paid."""

    def make() -> Payment:
        payment = settle(make_outage().reference).payment
        assert payment is not None
        return payment

    return make


@pytest.fixture
def governed(bank: Bank, sandbox: str, settings: Any, tmp_path: Path) -> Governed:
    """The contract is in charge, at the ledger where the pool pays."""
    return in_charge(sandbox, settings, tmp_path)
