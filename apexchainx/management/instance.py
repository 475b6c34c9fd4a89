"""One instance of the whole system on this machine: its directory, its secrets, its processes."""

import os
import secrets
import shlex
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import urllib3
from django.conf import settings

from apexchainx.stellar import keys
from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.supervisor import Child

HOST = "127.0.0.1"
# Where the secret keys of these accounts lie, the signer alone is told.
SIGNER_ONLY = {
    "STELLAR_POOL_SECRET_FILE": "pool",
    "STELLAR_CONTRACT_ADMIN_SECRET_FILE": "contract-admin",
    "STELLAR_CONTRACT_OPERATOR_SECRET_FILE": "contract-operator",
}
CONTRACT_MODES = {"contract", "soroban_rpc"}
GUNICORN = (
    *("apexchainx.wsgi:application", "--preload", "-k", "gthread", "--threads", "4"),
    *("--graceful-timeout", "8", "--no-control-socket"),
)
CELERY = ("-A", "apexchainx", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat")
DEFAULTS = {
    "DEBUG": "true",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "WEBHOOK_ALLOW_PRIVATE_NETWORKS": "true",
    "WEBHOOK_ALLOW_HTTP": "true",
    "WALLET_COOLING_OFF_HOURS": "0",
    "WEB_CONCURRENCY": "2",
    "CONTRACT_EXECUTION_MODE": "local_adapter",
}


@dataclass(frozen=True, slots=True)
class Instance:
    """Everything that this instance keeps lies in `var`; several instances run side by side."""

    var: Path
    port: int
    ledger_port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def ledger_url(self) -> str:
        return f"http://{HOST}:{self.ledger_port}"

    @property
    def keys(self) -> Path:
        return self.var / "keys"

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def ready_file(self) -> Path:
        """Is there while all of it is up."""
        return self.var / "ready"

    @property
    def demo_file(self) -> Path:
        return self.var / "demo.json"


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def answers(url: str) -> bool:
    """Whether a GET is answered with 200 within a second."""
    try:
        return urllib3.request("GET", url, timeout=1, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def prepare(instance: Instance) -> None:
    """Make the directories and, at the first start, the secrets. Nobody else may look in."""
    for directory in (instance.var, instance.keys, instance.logs):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret_key = instance.keys / "django.secret"
    if not secret_key.exists():
        write_private(secret_key, secrets.token_urlsafe(64))
    for name in ("issuer", *SIGNER_ONLY.values()):
        address(instance, name)


def keypair(directory: Path, name: str) -> keys.KeyPair:
    """The ledger account of this name; it is made when it is asked for first."""
    path = directory / f"{name}.secret"
    if not path.exists():
        keys.write_secret(path, keys.generate())
    return keys.read_secret(path)


def address(instance: Instance, name: str) -> str:
    """Kept beside the secret, because reading a secret costs a second of imports."""
    path = instance.keys / f"{name}.address"
    if not path.exists():
        write_private(path, keypair(instance.keys, name).address)
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Replace the file as a whole, readable by its owner alone."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
    draft.replace(path)


def environment(instance: Instance, database_url: str) -> dict[str, str]:
    """What the settings of every process of this instance read. It holds no ledger secret."""
    chosen = {name: os.environ.get(name, default) for name, default in DEFAULTS.items()}
    return chosen | {
        "DATABASE_URL": database_url,
        "SECRET_KEY": (instance.keys / "django.secret").read_text().strip(),
        "APP_BASE_URL": instance.url,
        "STELLAR_NETWORK": "sandbox",
        "STELLAR_HORIZON_URL": instance.ledger_url,
        "STELLAR_SOROBAN_URL": instance.ledger_url,
        "STELLAR_NETWORK_PASSPHRASE": PASSPHRASE,
        "STELLAR_ASSET_ISSUER": address(instance, "issuer"),
        "STELLAR_POOL_ADDRESS": address(instance, "pool"),
        "STELLAR_CONTRACT_ADMIN_ADDRESS": address(instance, "contract-admin"),
        "STELLAR_CONTRACT_OPERATOR_ADDRESS": address(instance, "contract-operator"),
    }


def secrets_of(instance: Instance) -> dict[str, str]:
    """Where the signer finds its keys."""
    return {name: str(instance.keys / f"{key}.secret") for name, key in SIGNER_ONLY.items()}


def save_environment(instance: Instance, variables: Mapping[str, str], *, embedded: bool) -> None:
    """For `./apex manage`: a file that a shell can read."""
    marks = {"APEX_PID": str(os.getpid()), "APEX_EMBEDDED": "yes" if embedded else ""}
    lines = [f"{name}={shlex.quote(value)}" for name, value in {**variables, **marks}.items()]
    write_private(instance.var / "env", "\n".join(lines))


def manage(name: str, *arguments: str, variables: Mapping[str, str]) -> Child:
    """A command of manage.py as a child."""
    program = (sys.executable, str(settings.BASE_DIR / "manage.py"))
    return Child(name, (*program, *arguments), _inherited(variables))


def ledger(instance: Instance, variables: Mapping[str, str]) -> Child:
    arguments = (
        "--port",
        str(instance.ledger_port),
        "--file",
        str(instance.var / "sandbox.sqlite3"),
        "--period",
        "1",
    )
    child = manage("ledger", "sandbox_ledger", *arguments, variables=variables)
    return Child(child.name, child.command, child.environment, is_ready=partial(answers, instance.ledger_url))


def web(instance: Instance, variables: Mapping[str, str]) -> Child:
    place = ("--bind", f"{HOST}:{instance.port}", "--worker-tmp-dir", str(instance.var))
    return Child(
        "web",
        (sys.executable, "-m", "gunicorn", *GUNICORN, "--workers", variables["WEB_CONCURRENCY"], *place),
        _inherited(variables),
        is_ready=partial(answers, f"{instance.url}/health/readiness"),
    )


def worker(instance: Instance, variables: Mapping[str, str]) -> Child:
    schedule = ("-B", "-s", str(instance.var / "celerybeat-schedule"))
    return _celery("worker", "default,webhooks", "2", *schedule, variables=variables)


def signer(instance: Instance, variables: Mapping[str, str]) -> Child:
    """The only process that is told where secret keys are."""
    return _celery("signer", "signer", "1", variables={**variables, **secrets_of(instance)})


def contract(instance: Instance, *arguments: str, variables: Mapping[str, str]) -> Child:
    """A step that sets the SLA contract up, by its admin's key."""
    return manage("contract", "contract", *arguments, variables={**variables, **secrets_of(instance)})


def _celery(name: str, queues: str, concurrency: str, *more: str, variables: Mapping[str, str]) -> Child:
    place = ("-Q", queues, "-n", f"{name}@%h", "--concurrency", concurrency, "--loglevel", "INFO", *more)
    return Child(
        name,
        (sys.executable, "-m", "celery", *CELERY, *place),
        _inherited({**variables, "DATABASE_POOL": "false"}),
        ready_text=" ready.",
    )


def _inherited(variables: Mapping[str, str]) -> dict[str, str]:
    base = {name: value for name, value in os.environ.items() if name not in SIGNER_ONLY}
    return {**base, "PYTHONUNBUFFERED": "1", **variables}
