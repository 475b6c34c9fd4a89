"""The unmodified SDK, speaking to the test's own ledger."""

from collections.abc import Iterator

import pytest
from stellar_sdk import Server
from stellar_sdk.client.requests_client import RequestsClient


@pytest.fixture
def server(sandbox: str) -> Iterator[Server]:
    with sdk(sandbox) as server:
        yield server


def sdk(url: str) -> Server:
    return Server(url, RequestsClient(num_retries=0, request_timeout=5, post_timeout=40))
