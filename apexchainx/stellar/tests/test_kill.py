"""SIGKILL at any moment: what was answered as applied stays applied, and nothing is half done."""

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from stellar_sdk import Asset, Keypair, Server
from stellar_sdk.exceptions import SdkError

from apexchainx.stellar.sandbox.amounts import TOTAL
from apexchainx.stellar.sandbox.server import running
from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import burn, pay
from apexchainx.stellar.tests.conftest import sdk
from apexchainx.stellar.tests.processes import process

XLM = Asset.native()
KILLS = 3
PAYERS = 3


@dataclass
class Load:
    """Payers who pay as fast as they are answered, and the hashes of what was answered as applied."""

    receiver: Keypair
    payers: list[Keypair]
    usdc: Asset
    applied: list[str] = field(default_factory=list)
    sent: int = 0

    @contextmanager
    def on(self, url: str) -> Iterator[None]:
        threads = [threading.Thread(target=self._pay, args=(url, each)) for each in self.payers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join()

    def _pay(self, url: str, payer: Keypair) -> None:
        with sdk(url) as own, suppress(SdkError):
            while True:
                operations = (
                    pay(self.receiver, self.usdc, "2"),
                    burn(self.usdc, "1"),
                    pay(self.receiver, XLM, "1"),
                )
                envelope = bench.signed(own, payer, *operations)
                self.sent += 1
                self.applied.append(bench.post(own, envelope)["hash"])


def founded(server: Server) -> Load:
    mint = bench.funded(server)
    usdc = Asset("USDC", mint.public_key)
    receiver, *payers = (bench.holder(server, usdc) for _ in range(1 + PAYERS))
    for payer in payers:
        bench.send(server, mint, pay(payer, usdc, "100000"))
    return Load(receiver, payers, usdc)


@pytest.mark.parametrize("period", ["0", "0.02"])
def test_no_kill_loses_a_ledger_or_leaves_one_half_closed(tmp_path: Path, period: str) -> None:
    path, chance = tmp_path / "ledger.sqlite3", random.Random(period)  # noqa: S311
    with process(path, "--period", period) as (_, url), sdk(url) as server:
        load = founded(server)
    before = counted(path)

    for _ in range(KILLS):
        with process(path, "--period", period) as (child, url), load.on(url):
            wanted = len(load.applied) + chance.randrange(1, 12)
            deadline = time.monotonic() + 10
            while len(load.applied) < wanted and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(chance.random() / 20)
            child.kill()

    after = counted(path)
    paid = after.transactions - before.transactions
    assert set(load.applied) <= after.hashes
    assert len(load.applied) >= KILLS
    assert len(load.applied) <= paid <= load.sent
    assert after.latest == after.ledgers
    assert after.operations - before.operations == 3 * paid
    assert after.xlm == before.xlm - 300 * paid
    assert after.usdc == before.usdc - paid * 10**7
    with running(path) as url, sdk(url) as server:
        held = bench.balances(server, load.receiver)
        assert held["USDC"] == f"{2 * paid}.0000000"
        assert sum(bench.sequence(server, each) % 2**32 for each in load.payers) == paid + PAYERS
        assert bench.send(server, load.receiver, pay(load.receiver, XLM, "1"))["ledger"] == after.latest + 1


@dataclass(frozen=True)
class Counted:
    """What stands in the file of a ledger that is not running; sums in stroops."""

    hashes: set[str]
    ledgers: int
    latest: int
    operations: int
    xlm: int
    usdc: int

    @property
    def transactions(self) -> int:
        return len(self.hashes)


def counted(path: Path) -> Counted:
    with closing(sqlite3.connect(path)) as file:
        hashes = {hash_ for (hash_,) in file.execute("SELECT hash FROM applied")}
        ((ledgers, latest),) = file.execute("SELECT count(*), max(sequence) FROM ledger")
        ((operations,),) = file.execute("SELECT count(*) FROM operation")
        ((xlm,),) = file.execute("SELECT sum(balance) FROM account")
        ((usdc,),) = file.execute("SELECT sum(balance) FROM line")
        ((fees,),) = file.execute("SELECT sum(json_extract(document, '$.fee_charged') + 0) FROM applied")
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert xlm == TOTAL - fees
    return Counted(hashes, ledgers, latest, operations, xlm, usdc)
