"""How Horizon is spoken to: once, with a deadline, and with one exception for whatever goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apexchainx.errors import Unavailable

if TYPE_CHECKING:
    from stellar_sdk import Server
    from stellar_sdk.client.requests_client import RequestsClient

READ_SECONDS = 5
SUBMIT_SECONDS = 35

Document = dict[str, Any]


def client(read_seconds: int) -> "RequestsClient":
    """It repeats nothing by itself: who retries a payment must know what came of it before."""
    from stellar_sdk.client.requests_client import RequestsClient

    return RequestsClient(num_retries=0, request_timeout=read_seconds, post_timeout=SUBMIT_SECONDS)


def connected() -> "Server":
    from stellar_sdk import Server

    return Server(settings.STELLAR_HORIZON_URL, client(READ_SECONDS))


@contextmanager
def translated() -> Iterator[None]:
    """Whatever Horizon, or what stands before it, may do wrong is Unavailable."""
    from stellar_sdk.exceptions import BaseHorizonError

    try:
        yield
    except BaseHorizonError as error:
        raise Unavailable(f"Horizon answers {error.status}.", code="STELLAR_TIMEOUT") from error
    except Exception as error:
        message = f"Horizon does not answer as it should: {type(error).__name__}."
        raise Unavailable(message, code="STELLAR_TIMEOUT") from error


def found(call: Callable[[], Document]) -> Document | None:
    """None for Horizon's own 404; a 404 of anybody else says nothing about the ledger."""
    from stellar_sdk.exceptions import NotFoundError

    with translated():
        try:
            return call()
        except NotFoundError as error:
            if (error.type or "").endswith("/not_found"):
                return None
            raise
