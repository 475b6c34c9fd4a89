"""The process itself: it starts, stops, refuses what it cannot do, and may be killed at any moment."""

import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command
from stellar_sdk import Asset, Keypair
from stellar_sdk.exceptions import SdkError

from apexchainx.stellar.sandbox.amounts import TOTAL
from apexchainx.stellar.sandbox.server import running
from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay
from apexchainx.stellar.tests.conftest import sdk

XLM = Asset.native()


@contextmanager
def process(path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command as a process of its own, with its URL; afterwards it is dead, one way or the other."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "manage.py", "sandbox_ledger", "--port", str(port), "--file", str(path)]
    with subprocess.Popen(  # noqa: S603
        [*command, *arguments], cwd=project.BASE_DIR, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == f"Sandbox ledger listens on http://127.0.0.1:{port}\n"
            yield child, f"http://127.0.0.1:{port}"
        finally:
            child.kill()


@pytest.fixture
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command blocks no signals and, should it come to run, does not wait for one."""
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)
    monkeypatch.setattr(signal, "sigwait", lambda _: None)


def test_a_kill_loses_no_ledger_and_leaves_none_half_closed(tmp_path: Path) -> None:
    path, answered = tmp_path / "ledger.sqlite3", list[str]()

    def keep_paying(url: str, source: Keypair) -> None:
        with sdk(url) as own, suppress(SdkError):
            while True:
                twice = pay(source, XLM, "1"), pay(receiver, XLM, "1")
                answered.append(bench.send(own, source, *twice)["hash"])

    with process(path, "--period", "0.01") as (child, url), sdk(url) as server:
        receiver, sources = bench.funded(server), [bench.funded(server) for _ in range(3)]
        threads = [threading.Thread(target=keep_paying, args=(url, source)) for source in sources]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 10
        while len(answered) < 50 and time.monotonic() < deadline:
            time.sleep(0.001)
        child.kill()
        for thread in threads:
            thread.join()

    with closing(sqlite3.connect(path)) as file:
        hashes = {hash_ for (hash_,) in file.execute("SELECT hash FROM applied")}
        ((ledgers, latest),) = file.execute("SELECT count(*), max(sequence) FROM ledger")
        ((operations,),) = file.execute("SELECT count(*) FROM operation")
        ((xlm,),) = file.execute("SELECT sum(balance) FROM account")
    payments, fundings = len(hashes) - 4, 4
    assert len(answered) >= 50
    assert set(answered) <= hashes
    assert ledgers == latest
    assert operations == 2 * payments + fundings
    assert xlm == TOTAL - 200 * payments - 100 * fundings
    with running(path) as url, sdk(url) as server:
        assert bench.balances(server, receiver) == {"XLM": f"{10_000 + payments}.0000000"}
        assert sum(bench.sequence(server, source) % 2**32 for source in sources) == payments
        assert bench.send(server, receiver, pay(receiver, XLM, "1"))["ledger"] == latest + 1


def test_it_ends_well_when_it_is_told_to(tmp_path: Path) -> None:
    with process(tmp_path / "ledger.sqlite3", "--period", "5") as (child, url), sdk(url) as server:
        server.root().call()
        child.send_signal(signal.SIGTERM)

        assert child.wait(5) == 0


@pytest.mark.usefixtures("_in_this_process")
def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CommandError, match=f"Cannot listen on 127.0.0.1:{port} .*: Address already in use"
        ):
            call_command("sandbox_ledger", port=port, file=tmp_path / "ledger.sqlite3")


@pytest.mark.usefixtures("_in_this_process")
def test_a_file_in_use_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"

    with (
        running(path),
        pytest.raises(CommandError, match=f"The ledger in {path} cannot run .*: database is locked"),
    ):
        call_command("sandbox_ledger", port=0, file=path)


@pytest.mark.usefixtures("_in_this_process")
def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a ledger, and longer than the header of a database file would have to be " * 3)
    before = path.read_bytes()

    with pytest.raises(CommandError, match="file is not a database"):
        call_command("sandbox_ledger", port=0, file=path)

    assert path.read_bytes() == before


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"period": -1.0}, "--period: from 0 to 3600 seconds"),
        ({"period": float("nan")}, "--period: from 0 to 3600 seconds"),
        ({"period": float("inf")}, "--period: from 0 to 3600 seconds"),
        ({"port": 65_536}, "port must be 0-65535"),
        ({"host": "256.0.0.1"}, "Cannot listen on 256.0.0.1"),
    ],
)
def test_a_senseless_choice_is_refused(tmp_path: Path, choices: dict[str, Any], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("sandbox_ledger", file=tmp_path / "ledger.sqlite3", **{"port": 0, **choices})
