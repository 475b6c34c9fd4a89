"""The process itself: it starts, stops, and refuses what it cannot do."""

import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apexchainx.stellar.sandbox.server import running
from apexchainx.stellar.tests.conftest import sdk
from apexchainx.stellar.tests.processes import process


@pytest.fixture
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command blocks no signals and, should it come to run, does not wait for one."""
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)
    monkeypatch.setattr(signal, "sigwait", lambda _: None)


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
