"""The unmodified SDK speaking to the test's own ledger, and a server that answers what it is told to."""

from collections.abc import Iterator
from typing import Any

import pytest
from stellar_sdk import Asset, Keypair, Server
from stellar_sdk.client.requests_client import RequestsClient

from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.tests.scripted import Scripted


@pytest.fixture
def server(sandbox: str) -> Iterator[Server]:
    with sdk(sandbox) as server:
        yield server


@pytest.fixture
def usdc(issuer: KeyPair) -> Asset:
    return Asset("USDC", issuer.address)


@pytest.fixture
def mint(issuer: KeyPair) -> Keypair:
    """The issuer's keys, as the SDK has them."""
    return Keypair.from_secret(issuer.secret)


@pytest.fixture
def scripted(settings: Any, issuer: KeyPair) -> Iterator[Scripted]:
    """What the settings take for Horizon; it has no ledger behind it."""
    with Scripted() as scripted:
        settings.STELLAR_HORIZON_URL = scripted.url
        settings.STELLAR_NETWORK_PASSPHRASE = PASSPHRASE
        settings.STELLAR_ASSET_CODE = "USDC"
        settings.STELLAR_ASSET_ISSUER = issuer.address
        yield scripted


def sdk(url: str) -> Server:
    return Server(url, RequestsClient(num_retries=0, request_timeout=5, post_timeout=40))
