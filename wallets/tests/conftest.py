"""A wallet, and ledgers that answer and that do not."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from apexchainx.embedded_postgres import free_port
from apexchainx.management import demo_ledger
from apexchainx.stellar import horizon, keys
from apexchainx.stellar.keys import KeyPair
from conftest import NOW, TEAM_ADDRESS
from wallets.models import Wallet


@pytest.fixture
def wallet(make_wallet: Callable[..., Wallet]) -> Wallet:
    return make_wallet("operations", TEAM_ADDRESS)


@pytest.fixture
def known(clock: time_machine.Traveller, wallet: Wallet) -> Wallet:
    """The ledger said fifteen seconds ago that the wallet holds 1,234.50 USDC and 10 XLM."""
    said = {"is_funded": True, "has_trustline": True, "usdc": Decimal("1234.5"), "xlm": Decimal(10)}
    Wallet.objects.update(fetched_at=NOW, **said)
    clock.shift(15)
    return wallet


@pytest.fixture
def holder(sandbox: str, issuer: KeyPair) -> KeyPair:
    """An account with 5,000 USDC, and 10,000 XLM less the fee for its trustline."""
    holder = keys.generate()
    demo_ledger.set_up(issuer, [holder], grants={holder.address: Decimal(5000)})
    return holder


@pytest.fixture
def ledger_down(settings: Any) -> None:
    settings.STELLAR_HORIZON_URL = f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def no_ledger_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger must not even be asked."""

    def asked(address: str) -> None:
        raise AssertionError(f"The ledger was asked about {address}.")

    monkeypatch.setattr(horizon, "account", asked)
