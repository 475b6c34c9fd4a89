import runpy
from typing import Any

import pytest
from django.conf import settings as loaded
from django.core.exceptions import ImproperlyConfigured

PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "a-secret-of-this-test",
    "DATABASE_URL": "postgresql://apex@db.example/apex",
    "ALLOWED_HOSTS": "api.example.com",
}
NAMES = (
    "ALLOWED_ORIGINS",
    "API_V1_PREFIX",
    "REGISTRATION_MODE",
    "MAX_REQUEST_BODY_SIZE_BYTES",
    "TRUSTED_PROXY_COUNT",
    "RATE_LIMIT_AUTH",
    "RATE_LIMIT_ANONYMOUS",
    "CACHE_URL",
    "CONTRACT_EXECUTION_MODE",
)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read settings.py as a new process would, with this environment."""

    def run(**environment: str) -> dict[str, Any]:
        for name in (*PRODUCTION, *NAMES):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(loaded.BASE_DIR / "apexchainx" / "settings.py"))

    return run


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL"])
def test_a_missing_secret_stops_production_by_name(start: Any, name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} must be set when DEBUG is off"):
        start(**{key: value for key, value in PRODUCTION.items() if key != name})


def test_debug_is_off_unless_somebody_asks(start: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        start()
    assert start(DEBUG="true")["DEBUG"] is True


@pytest.mark.parametrize("origins", ["*", "https://app.example.com, *", "https://*.example.com"])
def test_an_origin_with_a_star_stops_the_start(start: Any, origins: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="ALLOWED_ORIGINS"):
        start(**PRODUCTION, ALLOWED_ORIGINS=origins)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"),
        ("API_V1_PREFIX", "api/v1"),
        ("API_V1_PREFIX", "/"),
        ("RATE_LIMIT_AUTH", "10"),
        ("RATE_LIMIT_AUTH", "10/5"),
        ("RATE_LIMIT_AUTH", "ten/m"),
        ("RATE_LIMIT_AUTH", "0/m"),
        ("RATE_LIMIT_ANONYMOUS", "10/0m"),
        ("RATE_LIMIT_ANONYMOUS", "-1/m"),
        ("REGISTRATION_MODE", "ask"),
        ("MAX_REQUEST_BODY_SIZE_BYTES", "10 MB"),
    ],
)
def test_a_value_that_cannot_be_meant_stops_the_start(start: Any, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        start(**{**PRODUCTION, name: value})


def test_production_is_the_careful_one(start: Any) -> None:
    production = start(**PRODUCTION)

    assert production["REGISTRATION_MODE"] == "approval"
    assert production["SECURE_SSL_REDIRECT"] is True
    assert production["SESSION_COOKIE_SECURE"] is True
    assert production["SECURE_HSTS_SECONDS"] == 31_536_000
    assert production["SECURE_PROXY_SSL_HEADER"] is None
    assert production["CORS_ALLOWED_ORIGINS"] == []
    assert start(DEBUG="true")["REGISTRATION_MODE"] == "open"


def test_a_proxys_word_on_https_counts_only_where_there_is_a_proxy(start: Any) -> None:
    header = start(**PRODUCTION, TRUSTED_PROXY_COUNT="1")["SECURE_PROXY_SSL_HEADER"]

    assert header == ("HTTP_X_FORWARDED_PROTO", "https")


def test_calls_are_counted_in_the_database_or_where_the_address_says(start: Any) -> None:
    assert start(**PRODUCTION)["CACHES"]["default"] == {"BACKEND": "apexchainx.api.cache.CounterCache"}
    assert start(**PRODUCTION, CACHE_URL="redis://cache:6379/1")["CACHES"]["default"] == {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://cache:6379/1",
    }


def test_a_limit_is_switched_off_with_nought(start: Any) -> None:
    assert start(**PRODUCTION, RATE_LIMIT_AUTH="0")["RATE_LIMIT_AUTH"] == "0"
    assert start(**PRODUCTION)["RATE_LIMIT_AUTH"] == "10/5m"


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ("", "local_adapter"),
        ("local", "local_adapter"),
        ("local_adapter", "local_adapter"),
        ("contract", "soroban_rpc"),
        ("soroban_rpc", "soroban_rpc"),
    ],
)
def test_who_judges_has_two_names_each_and_is_local_by_default(start: Any, given: str, mode: str) -> None:
    found = start(**PRODUCTION, CONTRACT_EXECUTION_MODE=given)

    assert found["CONTRACT_EXECUTION_MODE"] == mode
    assert ("ask the contract" in found["CELERY_BEAT_SCHEDULE"]) == (mode == "soroban_rpc")


@pytest.mark.parametrize("given", ["Local", "chain", "soroban"])
def test_nobody_else_judges(start: Any, given: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="must be local_adapter or soroban_rpc"):
        start(**PRODUCTION, CONTRACT_EXECUTION_MODE=given)
