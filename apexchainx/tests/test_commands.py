import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3
from django.conf import settings
from django.core.management import CommandError, call_command
from standardwebhooks import Webhook

from apexchainx import embedded_postgres
from apexchainx.demo.client import Api, StoryFailed, require, wait_for
from apexchainx.demo.receiver import Delivery, listening
from apexchainx.management import instance as instances
from apexchainx.management.instance import Instance

MANAGE = (sys.executable, str(settings.BASE_DIR / "manage.py"))


@pytest.fixture
def here(tmp_path: Path) -> Instance:
    return Instance(tmp_path / "var", embedded_postgres.free_port(), embedded_postgres.free_port())


@pytest.fixture
def environment() -> dict[str, str]:
    """As a fresh shell has it: no database yet."""
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {"DEBUG": "true"}


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def with_postgres(*command: str, env: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603
        (*MANAGE, "with_postgres", "--", *command),
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_with_postgres_gives_a_database_and_returns_the_exit_code(environment: dict[str, str]) -> None:
    code = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']).close(); raise SystemExit(7)"
    with with_postgres(sys.executable, "-c", code, env=environment) as process:
        assert process.wait(60) == 7


def test_with_postgres_keeps_a_database_that_is_named_already(environment: dict[str, str]) -> None:
    named = {**environment, "DATABASE_URL": "postgresql://somewhere/else"}
    with with_postgres("sh", "-c", "echo $DATABASE_URL", env=named) as process:
        assert process.communicate(timeout=60)[0] == "postgresql://somewhere/else\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_with_postgres_passes_signals_on(environment: dict[str, str], number: int) -> None:
    code = f"""
import os, signal
signal.signal({number}, lambda *_: os._exit(9))
print(os.environ["DATABASE_URL"], flush=True)
signal.pause()
"""
    with with_postgres(sys.executable, "-c", code, env=environment) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        process.send_signal(number)
        assert process.wait(60) == 9
    port = int(url.rpartition(":")[2].partition("/")[0])
    assert not instances.is_taken(port)


def test_with_postgres_needs_a_command() -> None:
    with pytest.raises(CommandError, match="Say what to run"):
        call_command("with_postgres", "--")


def test_up_refuses_a_taken_port_before_anything_starts(here: Instance, busy_port: int) -> None:
    with pytest.raises(CommandError, match=f"Port {busy_port} is taken; choose another with --port"):
        call_command("up", port=busy_port, ledger_port=here.ledger_port, var=here.var)
    with pytest.raises(CommandError, match="choose another with --ledger-port"):
        call_command("up", port=here.port, ledger_port=busy_port, var=here.var)
    assert not here.var.exists()


@pytest.mark.parametrize("port", ["0", "65536", "abc", "-1"])
def test_up_refuses_what_is_no_port(here: Instance, port: str) -> None:
    with pytest.raises(CommandError, match="a port is a number from 1 to 65535"):
        call_command("up", "--port", port, "--var", str(here.var))
    assert not here.var.exists()


@pytest.mark.parametrize("name", ["up", "demo", "demo_data", "with_postgres", "sandbox_ledger"])
def test_help_ends_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command(name, "--help")
    assert re.search(rf"\n\nexamples:\n  \S*(manage.py|apex) {name}", capsys.readouterr().out)


def test_secrets_are_made_once_and_for_their_owner_alone(here: Instance) -> None:
    instances.prepare(here)
    made = {path.name: path.read_text() for path in here.keys.iterdir()}
    instances.prepare(here)
    assert {path.name: path.read_text() for path in here.keys.iterdir()} == made
    accounts = ("issuer", "pool", "contract-admin", "contract-operator")
    files = {f"{name}.{kind}" for name in accounts for kind in ("address", "secret")}
    assert made.keys() == {"django.secret", *files}
    assert {path.stat().st_mode & 0o077 for path in (here.var, here.keys, *here.keys.iterdir())} == {0}


def test_only_the_signer_learns_where_secret_keys_are(
    here: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in instances.SIGNER_ONLY:
        monkeypatch.setenv(name, "/somewhere")
    instances.prepare(here)
    variables = instances.environment(here, "postgresql://x/y")
    children = [make(here, variables) for make in (instances.ledger, instances.web, instances.worker)]
    assert [child.name for child in children if instances.SIGNER_ONLY.keys() & child.environment.keys()] == []
    signer = instances.signer(here, variables)
    assert {name: signer.environment[name] for name in instances.SIGNER_ONLY} == {
        "STELLAR_POOL_SECRET_FILE": str(here.keys / "pool.secret"),
        "STELLAR_CONTRACT_ADMIN_SECRET_FILE": str(here.keys / "contract-admin.secret"),
        "STELLAR_CONTRACT_OPERATOR_SECRET_FILE": str(here.keys / "contract-operator.secret"),
    }


def test_saved_environment_can_be_read_by_a_shell(here: Instance) -> None:
    instances.prepare(here)
    instances.save_environment(here, {"AWKWARD": "it's $HOME; `x`"}, embedded=True)
    said = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", '. "$0"; printf %s "$AWKWARD"', str(here.var / "env")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert said.stdout == "it's $HOME; `x`"
    assert (here.var / "env").stat().st_mode & 0o077 == 0


def test_demo_needs_a_running_instance_when_it_is_given_an_address(here: Instance) -> None:
    with pytest.raises(CommandError, match="does not answer"):
        call_command("demo", url=here.url, var=here.var)


def test_receiver_believes_only_what_is_signed() -> None:
    secret = "whsec_" + "c2VjcmV0IG9mIHRoZSBkZW1vIHN0b3J5IQ=="
    body, now = json.dumps({"type": "outage.created"}), datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }
    with listening() as receiver:
        assert urllib3.request("POST", receiver.url, body=body.encode(), headers=headers).status == 204
    delivery = receiver.deliveries[0]
    assert delivery.is_signed_with(secret)
    assert not Delivery(delivery.headers, delivery.body + b" ").is_signed_with(secret)
    assert not Delivery({}, delivery.body).is_signed_with(secret)


def test_story_tells_what_it_found_instead() -> None:
    with pytest.raises(StoryFailed, match="the amount is 1, not 2"):
        require("the amount", 1, 2)
    with pytest.raises(StoryFailed, match="the payment did not happen within 0 s"):
        wait_for("the payment", lambda: None, seconds=0)
    with pytest.raises(StoryFailed, match="GET http"):
        Api("http://127.0.0.1:1").get("/health")
