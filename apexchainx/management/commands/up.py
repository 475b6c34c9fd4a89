"""Start the whole system on this machine and stay until it is stopped: `manage.py up`."""

import argparse
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.db.migrations.loader import MigrationLoader

from apexchainx import embedded_postgres, supervisor
from apexchainx.management import instance as instances
from apexchainx.management.command import ExampleCommand
from apexchainx.management.instance import Instance
from apexchainx.supervisor import ChildFailed, Stopped, Supervisor


class Command(ExampleCommand):
    help = "Start PostgreSQL, the sandbox ledger, web, worker and signer; stop all of them on Ctrl-C."
    examples = (
        "./apex up",
        "./apex up --port 8080 --ledger-port 8081 --var /tmp/second",
        "./apex up --no-demo-data",
    )
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=_port, default=8000, help="of the API and the admin site")
        parser.add_argument("--ledger-port", type=_port, default=8001, help="of the sandbox ledger")
        parser.add_argument(
            "--var", type=Path, default=settings.BASE_DIR / "var", help="where all state is kept"
        )
        parser.add_argument("--no-demo-data", action="store_true", help="start with an empty database")

    def handle(
        self, *args: Any, port: int, ledger_port: int, var: Path, no_demo_data: bool, **options: Any
    ) -> None:
        self._begin = time.monotonic()
        self._is_talkative = options["verbosity"] > 0
        here = Instance(var.resolve(), port, ledger_port)
        _refuse_taken_ports(here)
        signal.signal(signal.SIGTERM, supervisor.stop)
        signal.signal(signal.SIGINT, supervisor.stop)
        try:
            self._run(here, with_data=not no_demo_data)
        except Stopped:
            if self._is_talkative:
                self.stdout.write("Stopped.")
        except (ChildFailed, embedded_postgres.PostgresError) as error:
            raise CommandError(f"{error}\nEverything has been stopped.") from None

    def _run(self, here: Instance, *, with_data: bool) -> None:
        instances.prepare(here)
        self._tell("secrets and directories")
        with _postgres(here) as server, Supervisor(logs=here.logs, cwd=settings.BASE_DIR) as children:
            self._tell("PostgreSQL")
            variables = instances.environment(here, server.url if server else os.environ["DATABASE_URL"])
            instances.save_environment(here, variables, embedded=bool(server))
            if server:
                children.adopt("postgres", server.process, log=server.log)
            self._start(here, children, variables, with_data=with_data)
            if self._is_talkative:
                self._show(here)
            with _marked(here.ready_file, here.url):
                children.watch()

    def _start(
        self, here: Instance, children: Supervisor, variables: dict[str, str], *, with_data: bool
    ) -> None:
        children.start(instances.ledger(here, variables))
        if not _is_migrated(variables["DATABASE_URL"]):
            self.stdout.write("  migrating the database ...")
            children.finish(instances.manage("migrate", "migrate", "--no-input", variables=variables))
            self._tell("migrations")
        children.wait_until_ready(["ledger"], tell=self._tell)
        if variables["CONTRACT_EXECUTION_MODE"] in instances.CONTRACT_MODES:
            for step in (("init", "--friendbot"), ("configure",)):
                children.finish(instances.contract(here, *step, variables=variables))
            self._tell("SLA contract")
        for make in (instances.web, instances.worker, instances.signer):
            children.start(make(here, variables))
        if with_data and not here.demo_file.exists():
            self.stdout.write("  making demo users, accounts on the ledger, outages ...")
            arguments = ("demo_data", "--var", str(here.var))
            children.finish(instances.manage("demo_data", *arguments, variables=variables))
            self._tell("demo data")
        children.wait_until_ready(["web", "worker", "signer"], tell=self._tell)

    def _tell(self, name: str) -> None:
        self.stdout.write(f"  {name:<24} {time.monotonic() - self._begin:5.1f} s")
        self.stdout.flush()

    def _show(self, here: Instance) -> None:
        pages = {"API": "/docs", "Admin": "/admin/", "Readiness": "/health/readiness"}
        self.stdout.write("\nApexChainX is up.\n")
        for name, path in pages.items():
            self.stdout.write(f"  {name:<10} {here.url}{path}")
        self.stdout.write(f"  {'Ledger':<10} {here.ledger_url}\n  {'Logs':<10} {here.logs}")
        if here.demo_file.exists():
            self._show_logins(here)
        self.stdout.write("\nCtrl-C stops everything; the data is kept.")
        self.stdout.flush()

    def _show_logins(self, here: Instance) -> None:
        facts = json.loads(here.demo_file.read_text())
        current = {**facts, "url": here.url, "sandbox_url": here.ledger_url}
        if current != facts:
            instances.write_private(here.demo_file, json.dumps(current, indent=2))
        self.stdout.write("\n  Role       E-mail                    Password")
        for user in current["users"]:
            self.stdout.write(f"  {user['role']:<10} {user['email']:<25} {user['password']}")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text}")
    return int(text)


def _refuse_taken_ports(here: Instance) -> None:
    if here.port == here.ledger_port:
        raise CommandError("--port and --ledger-port must differ.")
    for option, port in (("--port", here.port), ("--ledger-port", here.ledger_port)):
        if instances.is_taken(port):
            raise CommandError(f"Port {port} is taken; choose another with {option}.")


@contextmanager
def _marked(file: Path, text: str) -> Iterator[None]:
    instances.write_private(file, text)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _postgres(here: Instance) -> Iterator[embedded_postgres.Server | None]:
    """Our own server, unless DATABASE_URL names another."""
    if os.environ.get("DATABASE_URL"):
        yield None
        return
    with embedded_postgres.served(here.var, durable=True) as server:
        yield server


def _is_migrated(url: str) -> bool:
    """Whether every migration on disk is recorded as applied: quicker than starting `migrate`."""
    try:
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT app, name FROM django_migrations").fetchall()
    except psycopg.errors.UndefinedTable:
        return False
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return loader.disk_migrations.keys() <= set(rows)
