"""One number is used once, whoever sends what how often."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stellar_sdk import Asset, Keypair, Server, TransactionEnvelope
from stellar_sdk.exceptions import BadRequestError

from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay
from apexchainx.stellar.tests.conftest import sdk

XLM = Asset.native()
STRANGER = Keypair.random()


def test_an_applied_envelope_sent_again_is_answered_by_its_record(
    server: Server, usdc: Asset, mint: Keypair
) -> None:
    holder = bench.holder(server, usdc)
    envelope = bench.signed(server, mint, pay(holder, usdc, "5"))
    first = bench.post(server, envelope)
    bench.send(server, mint, pay(holder, usdc, "1"))
    sequence = bench.sequence(server, mint)

    assert bench.post(server, envelope) == first
    assert bench.balances(server, holder)["USDC"] == "6.0000000"
    assert bench.sequence(server, mint) == sequence


def test_a_failed_envelope_sent_again_is_answered_by_its_failure(server: Server) -> None:
    source = bench.funded(server)
    envelope = bench.signed(server, source, pay(STRANGER, XLM, "5"))
    first = bench.refused(server, envelope)
    bench.send(server, source, pay(source, XLM, "1"))

    again = bench.refused(server, envelope)

    assert again.extras == first.extras
    assert bench.words(again) == ("tx_failed", ["op_no_destination"])
    assert bench.balances(server, source) == {"XLM": "9999.9999800"}


def test_a_refused_envelope_is_judged_anew(server: Server, usdc: Asset, mint: Keypair) -> None:
    """What was refused before a ledger is in no history, so the same envelope may pass later."""
    source = bench.funded(server)
    later = bench.built(server, source, pay(source, XLM, "1"))
    later.transaction.sequence += 1
    later.sign(source)
    assert bench.words(bench.refused(server, later)) == ("tx_bad_seq", [])

    bench.send(server, source, pay(source, XLM, "1"))

    assert bench.post(server, later)["successful"] is True


def test_of_two_envelopes_with_one_number_the_first_is_applied(
    server: Server, usdc: Asset, mint: Keypair
) -> None:
    holder = bench.holder(server, usdc)
    first, second = (bench.signed(server, mint, pay(holder, usdc, amount)) for amount in ("5", "6"))

    bench.post(server, first)

    assert bench.words(bench.refused(server, second)) == ("tx_bad_seq", [])
    assert not bench.is_known(server, second)
    assert bench.balances(server, holder)["USDC"] == "5.0000000"


def test_of_many_at_once_with_one_number_exactly_one_is_applied(
    sandbox: str, server: Server, usdc: Asset, mint: Keypair
) -> None:
    holder = bench.holder(server, usdc)
    sequence = bench.sequence(server, mint)
    envelopes = [bench.signed(server, mint, pay(holder, usdc, str(amount))) for amount in range(1, 9)]
    start = threading.Barrier(len(envelopes))

    def submitted(envelope: TransactionEnvelope) -> Any:
        with sdk(sandbox) as own:
            start.wait(5)
            try:
                return bench.post(own, envelope)["hash"]
            except BadRequestError as error:
                return bench.words(error)

    with ThreadPoolExecutor(len(envelopes)) as pool:
        answers = list(pool.map(submitted, envelopes))

    (winner,) = [each for each in answers if isinstance(each, str)]
    assert answers.count(("tx_bad_seq", [])) == 7
    won = next(amount for amount, each in enumerate(envelopes, start=1) if each.hash_hex() == winner)
    assert bench.balances(server, holder)["USDC"] == f"{won}.0000000"
    assert bench.sequence(server, mint) == sequence + 1


def test_one_envelope_sent_by_many_at_once_is_applied_once(
    sandbox: str, server: Server, usdc: Asset, mint: Keypair
) -> None:
    holder = bench.holder(server, usdc)
    envelope = bench.signed(server, mint, pay(holder, usdc, "5"))
    start = threading.Barrier(8)

    def submitted(_: int) -> Any:
        with sdk(sandbox) as own:
            start.wait(5)
            return bench.post(own, envelope)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(submitted, range(8)))

    assert answers == [answers[0]] * 8
    assert bench.balances(server, holder)["USDC"] == "5.0000000"
