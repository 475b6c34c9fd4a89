"""The signer as a process of its own: killed at the worst moment, started again, the payment is made once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from django_celery_results.models import TaskResult
from kombu import Connection

from apexchainx.stellar.sandbox import PASSPHRASE
from payments.models import Attempt, Payment, StellarTransaction
from payments.tasks import advance
from payments.tests.conftest import Bank

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ledger_period() -> float:
    """Long enough that the first signer dies while it waits for the ledger's answer."""
    return 1


def test_a_killed_signer_is_followed_by_one_that_pays_once(
    bank: Bank, due: Callable[[], Payment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = due()
    with signer(tmp_path, "first") as first:
        ring()
        wait_for("a signed envelope", Attempt.objects.exists)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert not Payment.objects.filter(state="paid").exists()
    StellarTransaction.objects.update(next_action_at=payment.created_at)

    with signer(tmp_path, "second"):
        job = ring()
        wait_for("the confirmation", Payment.objects.filter(state="paid").exists)
        wait_for("the end of the job", TaskResult.objects.filter(task_id=job, status="SUCCESS").exists)

    payment.refresh_from_db()
    assert bank.received == payment.amount
    assert StellarTransaction.objects.get().state == "settled"
    assert Attempt.objects.count() == 1
    assert TaskResult.objects.filter(task_id=job, worker="signer-second@test").exists()


@contextmanager
def signer(directory: Path, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A Celery worker of the queue `signer` on the test's database, with pgmq on it, as in production."""
    log = directory / f"{name}.log"
    place = ("-Q", "signer", "-n", f"signer-{name}@test", "--pool", "solo", "--loglevel", "INFO")
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb"))
        process = subprocess.Popen(  # noqa: S603
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "apexchainx",
                "worker",
                "--without-gossip",
                "--without-mingle",
                *place,
            ],
            env={**os.environ, **environment()},
            cwd=configured.BASE_DIR,
            stdout=output,
            stderr=output,
        )
        try:
            wait_for("the worker", lambda: b" ready." in log.read_bytes())
            yield process
        finally:
            process.kill()
            process.wait()


def environment() -> dict[str, str]:
    names = (
        "STELLAR_HORIZON_URL",
        "STELLAR_ASSET_ISSUER",
        "STELLAR_POOL_ADDRESS",
        "STELLAR_POOL_SECRET_FILE",
    )
    chosen = {name: str(getattr(configured, name)) for name in names}
    return {
        **chosen,
        "STELLAR_NETWORK_PASSPHRASE": PASSPHRASE,
        "DATABASE_URL": database_url(),
        "DATABASE_POOL": "false",
    }


def database_url() -> str:
    at = connection.settings_dict
    return f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def ring() -> str:
    """Send the bell through the real broker; the answer is the job's id."""
    options: dict[str, Any] = {**configured.PGMQ_OPTIONS, "conn_string": database_url()}
    with Connection("pgmq://", transport_options=options) as broker:
        return str(advance.apply_async(connection=broker).id)  # type: ignore[call-arg]


def wait_for(what: str, happened: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.05)
