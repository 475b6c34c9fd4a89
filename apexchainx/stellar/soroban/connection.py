"""How the RPC is spoken to: once, with a deadline, and with one exception for whatever goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings

from apexchainx.errors import DomainError, Unavailable

if TYPE_CHECKING:
    from stellar_sdk import SorobanServer, TransactionBuilder

SECONDS = 15
NULL_ACCOUNT = "GAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAWHF"


@contextmanager
def connected() -> "Iterator[SorobanServer]":
    """It repeats nothing by itself. Whatever the RPC, or what stands before it, does wrong is Unavailable."""
    from stellar_sdk import SorobanServer
    from stellar_sdk.client.requests_client import RequestsClient
    from stellar_sdk.exceptions import SorobanRpcErrorResponse

    client = RequestsClient(num_retries=0, request_timeout=SECONDS, post_timeout=SECONDS)
    try:
        with SorobanServer(settings.STELLAR_SOROBAN_URL, client) as server:
            yield server
    except DomainError:
        raise
    except SorobanRpcErrorResponse as error:
        message = f"The Soroban RPC refuses the request: {error.code}."
        raise Unavailable(message, code="STELLAR_TIMEOUT") from error
    except Exception as error:
        message = f"The Soroban RPC does not answer as it should: {type(error).__name__}."
        raise Unavailable(message, code="STELLAR_TIMEOUT") from error


def invoking(
    builder: "TransactionBuilder", function: str, arguments: list[Any], *, max_time: int
) -> "TransactionBuilder":
    """The one operation of a transaction that calls the contract."""
    builder.add_time_bounds(0, max_time)
    return builder.append_invoke_contract_function_op(settings.STELLAR_CONTRACT_ID, function, arguments)
