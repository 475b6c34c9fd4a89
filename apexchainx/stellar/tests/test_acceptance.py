"""What a client of Horizon relies on, driven by the SDK's synchronous and its asynchronous client."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from stellar_sdk import (
    Asset,
    ChangeTrust,
    Keypair,
    ManageData,
    Server,
    TransactionEnvelope,
)
from stellar_sdk.client.aiohttp_client import AiohttpClient
from stellar_sdk.exceptions import BadRequestError, BadResponseError, NotFoundError
from stellar_sdk.operation import Operation
from stellar_sdk.sep.exceptions import AccountRequiresMemoError
from stellar_sdk.server_async import ServerAsync

from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay
from apexchainx.stellar.tests.conftest import sdk

XLM = Asset.native()


class Client:
    """One of the SDK's clients; what it answers does not depend on which."""

    def __init__(self, url: str, *, is_async: bool) -> None:
        self.url = url
        self.is_async = is_async

    def submit(self, envelope: TransactionEnvelope) -> Any:
        return self._run(lambda server: server.submit_transaction(envelope))

    def offer(self, envelope: TransactionEnvelope) -> Any:
        return self._run(lambda server: server.submit_transaction_async(envelope))

    def found(self, envelope: TransactionEnvelope) -> Any:
        return self._run(lambda server: server.transactions().transaction(envelope.hash_hex()).call())

    def account(self, owner: Keypair) -> Any:
        return self._run(lambda server: server.accounts().account_id(owner.public_key).call())

    def sequence(self, owner: Keypair) -> int:
        return int(self._run(lambda server: server.load_account(owner.public_key)).sequence)

    def base_fee(self) -> int:
        return int(self._run(lambda server: server.fetch_base_fee()))

    def payments(self, owner: Keypair) -> list[dict[str, Any]]:
        page = self._run(lambda server: server.payments().for_account(owner.public_key).limit(200).call())
        return list(page["_embedded"]["records"])

    def _run(self, call: Callable[[Any], Any]) -> Any:
        if self.is_async:
            return asyncio.run(self._awaited(call))
        with sdk(self.url) as server:
            return call(server)

    async def _awaited(self, call: Callable[[Any], Awaitable[Any]]) -> Any:
        async with ServerAsync(self.url, AiohttpClient()) as server:
            return await call(server)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def client(request: pytest.FixtureRequest, sandbox: str) -> Client:
    return Client(sandbox, is_async=request.param)


@pytest.fixture
def holder(server: Server, usdc: Asset, mint: Keypair) -> Keypair:
    """It has 100 USDC."""
    holder = bench.holder(server, usdc)
    bench.send(server, mint, pay(holder, usdc, "100"))
    return holder


def test_a_payment_moves_the_money_once_and_is_found(
    client: Client, server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    envelope = bench.signed(server, mint, pay(holder, usdc, "5"))

    record = client.submit(envelope)

    assert (record["hash"], record["successful"]) == (envelope.hash_hex(), True)
    assert client.submit(envelope) == record
    assert client.found(envelope) == record
    assert client.account(holder)["balances"][0]["balance"] == "105.0000000"
    assert [each["amount"] for each in client.payments(holder)[1:]] == ["100.0000000", "5.0000000"]
    assert client.sequence(mint) == int(record["source_account_sequence"])
    assert client.base_fee() == 100


def test_a_payment_that_fails_uses_its_number_and_stays_failed(
    client: Client, server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    stranger = bench.funded(server)
    envelope = bench.signed(server, mint, pay(holder, usdc, "5"), pay(stranger, usdc, "5"))

    for _ in range(2):
        with pytest.raises(BadRequestError) as refusal:
            client.submit(envelope)
        assert bench.words(refusal.value) == ("tx_failed", ["op_success", "op_no_trust"])

    assert client.found(envelope)["successful"] is False
    assert client.account(holder)["balances"][0]["balance"] == "100.0000000"
    assert client.sequence(mint) == envelope.transaction.sequence


def _unsigned(server: Server, source: Keypair) -> TransactionEnvelope:
    return bench.built(server, source, pay(source, XLM, "1"))


def _signed_twice_over(server: Server, source: Keypair) -> TransactionEnvelope:
    envelope = bench.signed(server, source, pay(source, XLM, "1"))
    envelope.sign(Keypair.random())
    return envelope


def _with_number(ahead: int) -> Callable[[Server, Keypair], TransactionEnvelope]:
    def make(server: Server, source: Keypair) -> TransactionEnvelope:
        envelope = _unsigned(server, source)
        envelope.transaction.sequence += ahead
        envelope.sign(source)
        return envelope

    return make


def _with_fee(fee: int) -> Callable[[Server, Keypair], TransactionEnvelope]:
    return lambda server, source: bench.signed(server, source, pay(source, XLM, "1"), base_fee=fee)


def _bound(first: int, last: int) -> Callable[[Server, Keypair], TransactionEnvelope]:
    return lambda server, source: bench.signed(server, source, pay(source, XLM, "1"), bounds=(first, last))


def _of(*operations: Operation) -> Callable[[Server, Keypair], TransactionEnvelope]:
    return lambda server, source: bench.signed(server, source, *operations)


def _of_a_stranger(server: Server, _source: Keypair) -> TransactionEnvelope:
    stranger = Keypair.random()
    return bench.signed(server, stranger, pay(stranger, XLM, "1"))


def _poor(server: Server, source: Keypair) -> TransactionEnvelope:
    """One that offers a fee above the reserve that its account is left with."""
    bench.send(server, source, pay(bench.funded(server), XLM, "9998.99"))
    return bench.signed(server, source, pay(source, XLM, "1"), base_fee=200_000)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_of(), ("tx_missing_operation", [])),
        (_bound(2**33, 0), ("tx_too_early", [])),
        (_bound(0, 1), ("tx_too_late", [])),
        (_with_fee(99), ("tx_insufficient_fee", [])),
        (_of_a_stranger, ("tx_no_source_account", [])),
        (_with_number(-1), ("tx_bad_seq", [])),
        (_with_number(1), ("tx_bad_seq", [])),
        (_unsigned, ("tx_bad_auth", [])),
        (_poor, ("tx_insufficient_balance", [])),
        (_of(pay(Keypair.random(), XLM, "0")), ("tx_failed", ["op_malformed"])),
        (_signed_twice_over, ("tx_bad_auth_extra", [])),
    ],
)
def test_what_may_not_enter_a_ledger_is_refused_with_its_code(
    client: Client,
    server: Server,
    make: Callable[[Server, Keypair], TransactionEnvelope],
    words: tuple[str, list[str]],
) -> None:
    source = bench.funded(server)
    envelope = make(server, source)
    before = client.account(source)

    with pytest.raises(BadRequestError) as refusal:
        client.submit(envelope)

    assert bench.words(refusal.value) == words
    assert client.account(source) == before
    with pytest.raises(NotFoundError):
        client.found(envelope)


def test_applied_and_answered_by_a_timeout_is_applied_once(
    client: Client, server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    envelope = bench.signed(server, mint, pay(holder, usdc, "5"))
    bench.rule(server, "504_after_apply")

    with pytest.raises(BadResponseError) as timeout:
        client.submit(envelope)
    record = client.submit(envelope)

    assert timeout.value.status == 504
    assert record["successful"] is True
    assert client.account(holder)["balances"][0]["balance"] == "105.0000000"


def test_of_two_at_once_with_one_number_exactly_one_is_applied(
    client: Client, server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    envelopes = [bench.signed(server, mint, pay(holder, usdc, amount)) for amount in ("5", "6")]

    def submitted(envelope: TransactionEnvelope) -> str:
        try:
            return str(client.submit(envelope)["hash"])
        except BadRequestError as error:
            return bench.words(error)[0]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(submitted, envelopes))

    assert answers.count("tx_bad_seq") == 1
    (won,) = [each for each in envelopes if each.hash_hex() in answers]
    amount = {envelopes[0].hash_hex(): "105.0000000", envelopes[1].hash_hex(): "106.0000000"}
    assert client.account(holder)["balances"][0]["balance"] == amount[won.hash_hex()]
    assert client.sequence(mint) == won.transaction.sequence


def test_the_door_that_does_not_wait_says_pending(client: Client, server: Server) -> None:
    source = bench.funded(server)
    envelope = bench.signed(server, source, pay(source, XLM, "1"))

    assert client.offer(envelope) == {"tx_status": "PENDING", "hash": envelope.hash_hex()}
    assert client.found(envelope)["successful"] is True


def test_what_is_issued_is_what_all_hold_together(
    client: Client, server: Server, usdc: Asset, mint: Keypair, holder: Keypair
) -> None:
    other = bench.funded(server)
    for source, operation in (
        (other, ChangeTrust(usdc, "30")),
        (holder, pay(other, usdc, "30")),
        (holder, bench.burn(usdc, "7.5")),
        (mint, pay(holder, usdc, "0.0000001")),
    ):
        client.submit(bench.signed(server, source, operation))
    with pytest.raises(BadRequestError, match="tx_failed"):
        client.submit(bench.signed(server, holder, pay(other, usdc, "1")))

    held = server.accounts().for_asset(usdc).call()["_embedded"]["records"]

    amounts = {each["account_id"]: each["balances"][0]["balance"] for each in held}
    assert amounts == {holder.public_key: "62.5000001", other.public_key: "30.0000000"}


def test_an_account_that_needs_a_memo_gets_no_payment_without_one(client: Client, server: Server) -> None:
    source, needy = bench.funded(server), bench.funded(server)
    bench.send(server, needy, ManageData("config.memo_required", b"1"))
    envelope = bench.signed(server, source, pay(needy, XLM, "1"))

    with pytest.raises(AccountRequiresMemoError):
        client.submit(envelope)

    assert not bench.is_known(server, envelope)
