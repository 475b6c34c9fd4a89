"""The door that does not wait: what stellar-core says at once, in Horizon's statuses."""

import json
from typing import Any

import pytest
import requests
from stellar_sdk import Asset, FeeBumpTransactionEnvelope, Keypair, Server, TransactionEnvelope
from stellar_sdk.exceptions import BadRequestError, BadResponseError

from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import decoded, pay

XLM = Asset.native()


@pytest.fixture
def slow(server: Server) -> Server:
    """Its ledgers close only when they are told to."""
    bench.settings(server, period_seconds=3600)
    return server


def offer(server: Server, envelope: TransactionEnvelope | FeeBumpTransactionEnvelope) -> tuple[int, Any]:
    """Status and document, whether the SDK takes them for an error or not."""
    try:
        return 201, server.submit_transaction_async(envelope, skip_memo_required_check=True)
    except (BadRequestError, BadResponseError) as error:
        return error.status, json.loads(error.message)


def test_a_valid_one_is_pending(slow: Server) -> None:
    source = bench.funded(slow)
    envelope = bench.signed(slow, source, pay(source, XLM, "1"))

    assert offer(slow, envelope) == (201, {"tx_status": "PENDING", "hash": envelope.hash_hex()})
    assert not bench.is_known(slow, envelope)

    bench.close(slow)
    assert bench.is_known(slow, envelope)


def test_one_that_waits_already_is_a_duplicate(slow: Server) -> None:
    source = bench.funded(slow)
    envelope = bench.signed(slow, source, pay(source, XLM, "1"))
    offer(slow, envelope)

    assert offer(slow, envelope) == (409, {"tx_status": "DUPLICATE", "hash": envelope.hash_hex()})


def test_a_second_one_of_its_source_is_to_try_again_later(slow: Server) -> None:
    source = bench.funded(slow)
    first, second = (bench.signed(slow, source, pay(source, XLM, amount)) for amount in ("1", "2"))
    offer(slow, first)

    assert offer(slow, second) == (503, {"tx_status": "TRY_AGAIN_LATER", "hash": second.hash_hex()})

    bench.close(slow)
    assert (bench.is_known(slow, first), bench.is_known(slow, second)) == (True, False)


def test_one_that_cannot_be_valid_is_an_error_with_its_result(slow: Server) -> None:
    source = bench.funded(slow)
    envelope = bench.built(slow, source, pay(source, XLM, "1"))

    status, document = offer(slow, envelope)

    assert (status, document["tx_status"], document["hash"]) == (400, "ERROR", envelope.hash_hex())
    assert decoded(document["error_result_xdr"]) == ("txBAD_AUTH", [], 0)


def test_an_applied_one_is_to_try_again_later_and_after_ten_ledgers_an_error(slow: Server) -> None:
    source = bench.funded(slow)
    envelope = bench.signed(slow, source, pay(source, XLM, "1"))
    offer(slow, envelope)
    bench.close(slow)

    recent = offer(slow, envelope)
    for _ in range(10):
        bench.close(slow)
    status, late = offer(slow, envelope)

    assert recent == (503, {"tx_status": "TRY_AGAIN_LATER", "hash": envelope.hash_hex()})
    assert (status, late["tx_status"]) == (400, "ERROR")
    assert decoded(late["error_result_xdr"]) == ("txBAD_SEQ", [], 0)
    assert bench.post(slow, envelope)["successful"] is True, "the other door knows history"


def test_one_that_fails_in_its_ledger_is_pending_at_first(slow: Server) -> None:
    source = bench.funded(slow)
    envelope = bench.signed(slow, source, pay(Keypair.random(), XLM, "1"))

    assert offer(slow, envelope)[0] == 201

    bench.close(slow)
    assert slow.transactions().transaction(envelope.hash_hex()).call()["successful"] is False


def test_a_fee_bump_takes_the_place_of_what_waits(slow: Server) -> None:
    source = bench.funded(slow)
    inner = bench.signed(slow, source, pay(source, XLM, "1"))
    cheap, dear = (bench.bumped(source, inner, fee) for fee in (999, 1000))
    offer(slow, inner)

    status, document = offer(slow, cheap)

    assert (status, document["tx_status"]) == (400, "ERROR")
    assert decoded(document["error_result_xdr"]) == ("txINSUFFICIENT_FEE", [], 2000)
    assert offer(slow, dear) == (201, {"tx_status": "PENDING", "hash": dear.hash_hex()})
    bench.close(slow)
    assert slow.transactions().transaction(inner.hash_hex()).call()["successful"] is True


@pytest.mark.parametrize(
    ("form", "kind"),
    [({"tx": "AAAA"}, "transaction_malformed"), ({}, "bad_request"), ({"tx": ""}, "bad_request")],
)
def test_what_is_no_transaction_is_a_problem(sandbox: str, form: dict[str, str], kind: str) -> None:
    answer = requests.post(f"{sandbox}/transactions_async", form, timeout=5)

    assert (answer.status_code, answer.json()["type"]) == (400, f"https://stellar.org/horizon-errors/{kind}")
