"""What every test may ask for: people with their clients, parties with wallets, outages, and a ledger."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as configured
from rest_framework.test import APIClient
from stellar_sdk import Server
from stellar_sdk.client.requests_client import RequestsClient

from apexchainx import celery_app, context
from apexchainx.accounts.models import Role, SigningKey, User
from apexchainx.accounts.services.sessions import begin
from apexchainx.accounts.services.signing import vault
from apexchainx.stellar import horizon, keys
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.server import running
from audit.models import AuditEvent
from outages.models import Outage
from outages.services.reporting import Report, create
from sla.models import PolicyVersion
from wallets.models import Kind, Wallet
from wallets.services import approve, create_owner, register

# Bells ring inside the test's own process and wake nobody; the tests of real workers use a real broker.
celery_app.conf.update(broker_url="memory://")

PREFIX = "/api/v1"
NOW = datetime(2026, 1, 16, 10, 0, tzinfo=UTC)
TEAM_ADDRESS = "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"
OPERATOR_ADDRESS = "GADOKW3DGSA7POYHFFL6VPHRCDEXF2DGSHB473NL4CEAES774QXSHFQL"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Let the runner's flush through the append-only trigger: TRUNCATE, in the test database only."""
    options = configured.DATABASES["default"]["OPTIONS"]
    options["options"] += " -c apexchainx.test_database=on"
    options.pop("pool", None)


@pytest.fixture(autouse=True)
def _quick_and_quiet(settings: Any) -> None:
    """A hash costs 0.4 s in production, and that is not what most tests are about."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AUTH_EVENT_STREAMS = 0
    for limit in ("AUTHENTICATED", "ANONYMOUS", "PAYMENTS", "AUTH"):
        setattr(settings, f"RATE_LIMIT_{limit}", "0")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """A database that is used again may have been left by a flush."""
    with django_db_blocker.unblock():
        restore_built_in_policies()
        restore_signing_key()


@pytest.fixture(autouse=True)
def _built_in_policies(request: pytest.FixtureRequest) -> None:
    """A transactional test ends with a flush, which takes what migrations wrote: here it is again."""
    if "transactional_db" in request.fixturenames or _is_transactional(request.node):
        request.getfixturevalue("transactional_db")
        restore_built_in_policies()
        restore_signing_key()


def restore_built_in_policies() -> None:
    if not PolicyVersion.objects.exists():
        import_module("sla.migrations.0002_built_in_policies").publish(apps, None)


def restore_signing_key() -> None:
    """Always the same one: what a process still holds of an earlier test is what the database holds."""
    if not SigningKey.objects.exists():
        SigningKey.objects.create(kid="test", encrypted_secret=vault().encrypt(b"signs-in-tests-" * 4))


def _is_transactional(node: pytest.Item) -> bool:
    mark = node.get_closest_marker("django_db")
    return bool(mark and mark.kwargs.get("transaction"))


@pytest.fixture
def acting() -> Iterator[context.Context]:
    """Facts are stated by user 7 under a known correlation id."""
    with context.acting_as("7", source="api", correlation_id="test-correlation") as here:
        yield here


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """It is ten o'clock on 16 January 2026 until `clock.shift(seconds)`; name it before whoever logs in."""
    with time_machine.travel(NOW, tick=False) as coordinates:
        yield coordinates


# People


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(role: str = Role.ENGINEER, *, email: str = "", password: str = "", **fields: Any) -> User:
        user = User(email=email or f"{role}{User.objects.count()}@example.com", role=role, **fields)
        user.set_password(password or None)
        user.save()
        return user

    return make


@pytest.fixture
def client_of() -> Callable[[User], APIClient]:
    """A client with this user's token."""

    def make(user: User) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {begin(user).access_token}")
        return client

    return make


@pytest.fixture
def client_as(
    make_user: Callable[..., User], client_of: Callable[[User], APIClient]
) -> Callable[[str], APIClient]:
    """A client with the token of a new user of this role."""
    return lambda role: client_of(make_user(role))


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()


# Parties and outages


@pytest.fixture
def make_wallet(db: None) -> Callable[..., Wallet]:
    """An owner with an approved wallet."""

    def make(key: str, address: str, kind: str = Kind.TEAM) -> Wallet:
        with context.acting_as("system", source="command"):
            create_owner(key=key, name=key.title(), kind=kind)
            register(key, address=address)
            return approve(key)

    return make


@pytest.fixture
def parties(make_wallet: Callable[..., Wallet], settings: Any) -> None:
    """The default team and operator, and a pool: what a payment needs."""
    make_wallet(settings.DEFAULT_TEAM, TEAM_ADDRESS)
    make_wallet(settings.DEFAULT_OPERATOR, OPERATOR_ADDRESS, Kind.OPERATOR)
    settings.STELLAR_POOL_ADDRESS = "GAT4VRKQHA3HMXGRA5I5E6VUU3QX26UA2TEUQQYKLKAVCOLT7G2R4EW2"


@pytest.fixture
def make_outage(db: None) -> Callable[..., Outage]:
    def make(**fields: Any) -> Outage:
        return create(Report(**{"site_name": "Cell Tower Alpha", "severity": "critical", **fields}))

    return make


@pytest.fixture
def facts(db: None) -> Callable[..., list[tuple[str, str]]]:
    """(event, subject) of everything recorded so far, in order."""
    return lambda **filters: list(
        AuditEvent.objects.filter(**filters).order_by("id").values_list("event", "subject")
    )


# The ledger


@pytest.fixture
def issuer() -> KeyPair:
    return keys.generate()


@pytest.fixture
def ledger_period() -> float:
    """Seconds between ledgers; with 0 every submission closes one."""
    return 0


@pytest.fixture
def sandbox(tmp_path: Path, settings: Any, issuer: KeyPair, ledger_period: float) -> Iterator[str]:
    """The URL of a new ledger that the settings point to; the issuer's account exists."""
    with running(tmp_path / "sandbox.sqlite3", period=ledger_period) as url:
        settings.STELLAR_HORIZON_URL = url
        settings.STELLAR_NETWORK_PASSPHRASE = PASSPHRASE
        settings.STELLAR_ASSET_CODE = "USDC"
        settings.STELLAR_ASSET_ISSUER = issuer.address
        horizon.friendbot(issuer.address)
        yield url


@pytest.fixture
def server(sandbox: str) -> Iterator[Server]:
    """The unmodified SDK's client, speaking to the test's ledger."""
    with Server(sandbox, RequestsClient(num_retries=0, request_timeout=5, post_timeout=40)) as server:
        yield server
