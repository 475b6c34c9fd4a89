"""Limits: counted over processes, for whom they should be, and told in every answer."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.test import APIClient

from apexchainx.accounts.models import Counter as CounterRow
from apexchainx.accounts.models import User
from apexchainx.accounts.services.sessions import begin
from apexchainx.api.throttling import Limit, network_of

pytestmark = pytest.mark.django_db

ME, OUTAGES, LOGIN = "/api/v1/auth/me", "/api/v1/outages", "/api/v1/auth/login"
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "RateLimit-Policy")
# A process of its own that calls from many threads at once, each time under another forged address.
CALLER = """
import sys
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from django.conf import settings
for limit in ("AUTHENTICATED", "ANONYMOUS"):
    setattr(settings, "RATE_LIMIT_" + limit, "100/d")
from django.test import Client
print("ready", flush=True)
sys.stdin.readline()
def call(number):
    headers = {"X-Forwarded-For": f"203.0.113.{number}"}
    if sys.argv[1]:
        headers["Authorization"] = "Bearer " + sys.argv[1]
    return Client().get("/api/v1/outages", headers=headers).status_code
with ThreadPoolExecutor(8) as pool:
    print(*pool.map(call, range(75)))
"""


@pytest.fixture
def limits(settings: Any) -> None:
    """Windows of a day, so that none ends while a test looks."""
    settings.RATE_LIMIT_AUTHENTICATED = "5/d"
    settings.RATE_LIMIT_ANONYMOUS = "3/d"
    settings.RATE_LIMIT_AUTH = "2/d"


def statuses(client: Any, path: str, times: int, **how: Any) -> list[int]:
    return [client.get(path, **how).status_code for _ in range(times)]


def assert_too_many(response: Any, calls: int) -> None:
    assert (response.status_code, response.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert response.json()["detail"] == f"Too many requests: {calls} in 86400 seconds are allowed."
    assert 0 < int(response["Retry-After"]) <= 86_400
    assert response["X-RateLimit-Remaining"] == "0"


# Exact


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [True, False])
def test_150_calls_over_two_processes_let_100_through(
    make_user: Callable[..., User], *, is_known: bool
) -> None:
    """At a limit of 100; and a forged X-Forwarded-For changes nothing."""
    token = begin(make_user()).access_token if is_known else ""
    there = connection.settings_dict
    url = f"postgresql://{there['USER']}@{there['HOST']}:{there['PORT']}/{there['NAME']}"
    environment = {
        "DEBUG": "true",
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "apexchainx.settings",
        "ALLOWED_HOSTS": "testserver",
    }
    callers = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", CALLER, token],
            env=environment,
            cwd=configured.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(2)
    ]
    for caller in callers:
        assert caller.stdout
        assert caller.stdout.readline() == "ready\n"

    for caller in callers:
        assert caller.stdin
        caller.stdin.write("go\n")
        caller.stdin.flush()
    answers = Counter(word for caller in callers for word in caller.communicate()[0].split())

    assert answers == {"200" if is_known else "401": 100, "429": 50}


# For whom


@pytest.mark.usefixtures("limits")
def test_each_user_has_calls_of_their_own(client_as: Callable[[str], APIClient]) -> None:
    one, other = client_as("engineer"), client_as("engineer")

    assert statuses(one, OUTAGES, 7) == [200] * 5 + [429] * 2
    assert statuses(other, OUTAGES, 1) == [200]
    assert_too_many(one.get(OUTAGES), 5)


@pytest.mark.usefixtures("limits")
def test_whoever_shows_no_valid_token_is_counted_by_address(anonymous: APIClient) -> None:
    wrong = {"Authorization": "Bearer nonsense"}

    assert statuses(anonymous, OUTAGES, 1) == [401]
    assert statuses(anonymous, ME, 1, headers=wrong) == [401]
    assert statuses(anonymous, "/api/v1/nothing", 1) == [404]
    assert statuses(anonymous, OUTAGES, 1) == [429]
    assert statuses(anonymous, ME, 1, headers=wrong) == [429]
    assert statuses(anonymous, "/api/v1/nothing", 1) == [429]
    assert_too_many(anonymous.get("/api/v1/nothing"), 3)
    assert statuses(anonymous, OUTAGES, 1, REMOTE_ADDR="192.0.2.9") == [401]


@pytest.mark.usefixtures("limits")
def test_a_forged_address_changes_nothing_and_one_from_our_proxy_does(
    anonymous: APIClient, settings: Any
) -> None:
    assert [
        anonymous.get(OUTAGES, headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(4)
    ] == [401, 401, 401, 429]

    settings.TRUSTED_PROXY_COUNT = 1
    forged = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    assert statuses(anonymous, OUTAGES, 3, headers=forged) == [401] * 3
    forged = {"X-Forwarded-For": "198.51.100.2, 203.0.113.9"}
    assert statuses(anonymous, OUTAGES, 1, headers=forged) == [429]


@pytest.mark.parametrize("second", [0, 17, 59])
def test_whoever_waits_as_told_may_call_again_and_not_a_second_sooner(
    clock: time_machine.Traveller,
    client_as: Callable[[str], APIClient],
    settings: Any,
    second: int,
) -> None:
    settings.RATE_LIMIT_AUTHENTICATED = "1/m"
    client = client_as("engineer")
    clock.shift(second)
    client.get(OUTAGES)
    wait = int(client.get(OUTAGES)["Retry-After"])

    clock.shift(wait - 1)
    sooner = client.get(OUTAGES).status_code
    clock.shift(1)

    assert 1 <= wait <= 60
    assert (sooner, client.get(OUTAGES).status_code) == (429, 200)


@pytest.mark.usefixtures("limits")
def test_a_refused_call_counts(client_as: Callable[[str], APIClient]) -> None:
    viewer = client_as("viewer")

    assert statuses(viewer, "/api/v1/audit", 5) == [403] * 5
    assert statuses(viewer, OUTAGES, 1) == [429]


@pytest.mark.usefixtures("limits")
def test_a_call_is_counted_once(client_as: Callable[[str], APIClient]) -> None:
    client = client_as("engineer")

    left = [
        client.get(path, headers=headers)["X-RateLimit-Remaining"]
        for path, headers in (
            (OUTAGES, {}),
            (f"{OUTAGES}/nothing", {}),
            (f"{OUTAGES}?limit=x", {}),
            (OUTAGES, {"Accept": "text/html"}),
        )
    ]

    assert left == ["4", "3", "2", "1"]


@pytest.mark.usefixtures("limits")
def test_the_doors_are_counted_by_address_one_by_one(anonymous: APIClient) -> None:
    login = [anonymous.post(LOGIN, {}).status_code for _ in range(3)]
    refresh = anonymous.post("/api/v1/auth/refresh", {})

    assert (login, refresh.status_code) == ([400, 400, 429], 400)
    assert refresh["RateLimit-Policy"] == '"auth";q=2;w=86400'


@pytest.mark.usefixtures("limits")
def test_over_the_limit_no_password_is_looked_at(
    anonymous: APIClient, make_user: Callable[..., User], facts: Callable[..., Any]
) -> None:
    user = make_user(password="Right-passw0rd")  # noqa: S106
    for _ in range(2):
        anonymous.post(LOGIN, {})

    response = anonymous.post(LOGIN, {"email": user.email, "password": "Right-passw0rd"})

    assert_too_many(response, 2)
    assert not [event for event, _ in facts() if event.startswith("login")]
    assert not user.sessions.exists()


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("path", [ME, "/api/v1/health"])
def test_what_is_asked_all_the_time_costs_nothing(client_as: Callable[[str], APIClient], path: str) -> None:
    client = client_as("engineer")

    answers = [client.get(path) for _ in range(7)]

    assert {answer.status_code for answer in answers} == {200}
    assert {answer["X-RateLimit-Remaining"] == answer["X-RateLimit-Limit"] for answer in answers} == {True}
    assert not CounterRow.objects.exists()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_network_is_one_caller(address: str, network: str) -> None:
    assert network_of(address) == network


# What is told


@pytest.mark.usefixtures("limits")
def test_both_families_of_headers_say_the_same(client_as: Callable[[str], APIClient]) -> None:
    client = client_as("engineer")
    client.get(OUTAGES)

    response = client.get(OUTAGES)

    left = int(response["X-RateLimit-Reset"]) - int(time.time())
    assert 0 <= left <= 86_400
    assert (response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"]) == ("5", "3")
    assert response["RateLimit-Policy"] == '"authenticated";q=5;w=86400'
    name, rest, resets = response["RateLimit"].split(";")
    assert (name, rest) == ('"authenticated"', "r=3")
    assert abs(int(resets.removeprefix("t=")) - left) <= 1


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/v1/health", {}, 200),
        ("GET", ME, {}, 401),
        ("PUT", OUTAGES, {}, 405),
        ("GET", OUTAGES, {"Accept": "text/html"}, 406),
        ("POST", OUTAGES, {"Content-Encoding": "gzip"}, 415),
        ("POST", OUTAGES, {"Content-Length": "99999999"}, 413),
        ("GET", "/api/v1/nothing", {}, 404),
        ("GET", "/api/v1/nothing/%00", {}, 400),
    ],
)
def test_every_answer_under_the_prefix_tells_the_limit(
    anonymous: Any, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    response = anonymous.generic(method, path, b"{}", content_type="application/json", headers=headers)

    assert response.status_code == status
    assert all(response[name] for name in HEADERS)


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/admin/login/"])
def test_outside_the_prefix_nothing_is_counted(client: Client, path: str) -> None:
    assert "X-RateLimit-Limit" not in client.get(path)
    assert not CounterRow.objects.exists()


def test_a_limit_that_is_off_costs_no_query(
    client_as: Callable[[str], APIClient], django_assert_num_queries: Any, settings: Any
) -> None:
    client = client_as("engineer")

    with django_assert_num_queries(1):
        response = client.get(ME)

    assert "X-RateLimit-Limit" not in response
    assert Limit.of("authenticated") is None
    settings.RATE_LIMIT_AUTHENTICATED = "10/5m"
    assert Limit.of("authenticated") == Limit("authenticated", 10, 300)


@pytest.mark.usefixtures("limits")
def test_without_the_counters_a_call_is_503(
    client_as: Callable[[str], APIClient], anonymous: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody passes uncounted: the limits guard the doors."""
    client = client_as("engineer")

    def away(*_: Any, **__: Any) -> bool:
        raise OperationalError("gone")

    monkeypatch.setattr("apexchainx.api.cache.CounterCache.add", away)

    assert client.get(OUTAGES).status_code == 503
    assert anonymous.get(OUTAGES).status_code == 503
    assert anonymous.get("/api/v1/nothing").status_code == 404
