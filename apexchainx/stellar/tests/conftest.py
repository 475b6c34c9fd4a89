"""A sandbox ledger for each test, and the unmodified SDK that speaks to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stellar_sdk import Server
from stellar_sdk.client.requests_client import RequestsClient

from apexchainx.stellar import horizon, keys
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.server import running


@pytest.fixture
def issuer() -> KeyPair:
    return keys.generate()


@pytest.fixture
def sandbox(tmp_path: Path, settings: Any, issuer: KeyPair) -> Iterator[str]:
    """The URL of a new ledger that the settings point to; the issuer's account exists."""
    with running(tmp_path / "sandbox.sqlite3") as url:
        settings.STELLAR_HORIZON_URL = url
        settings.STELLAR_NETWORK_PASSPHRASE = PASSPHRASE
        settings.STELLAR_ASSET_CODE = "USDC"
        settings.STELLAR_ASSET_ISSUER = issuer.address
        horizon.friendbot(issuer.address)
        yield url


@pytest.fixture
def server(sandbox: str) -> Iterator[Server]:
    with sdk(sandbox) as server:
        yield server


def sdk(url: str) -> Server:
    return Server(url, RequestsClient(num_retries=0, request_timeout=5, post_timeout=40))
