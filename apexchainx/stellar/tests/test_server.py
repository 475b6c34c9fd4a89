"""The sandbox as an HTTP server: bad requests, connections, stopping, and starting again."""

import http.client
import json
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from stellar_sdk import Asset, Keypair, Server
from stellar_sdk.exceptions import BadResponseError

from apexchainx.stellar.sandbox.server import running
from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import pay
from apexchainx.stellar.tests.conftest import sdk

XLM = Asset.native()
PROBLEM = "application/problem+json; charset=utf-8"


def connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=5)


def answered(url: str, raw: bytes) -> tuple[int, dict[str, Any]]:
    """Status and document that bytes are answered with on a connection of their own."""
    with connected(url) as connection:
        connection.sendall(raw)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.headers["Content-Type"] == PROBLEM
        return response.status, json.loads(response.read())


def posted(*headers: str) -> bytes:
    return "\r\n".join(["POST /transactions HTTP/1.1", "Host: a", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    ("raw", "status", "kind"),
    [
        (b"\x00\xff\xfe\r\n\r\n", 400, "bad_request"),
        (b"GET\r\n\r\n", 400, "bad_request"),
        (b"POST /transactions\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/x\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/2.0\r\n\r\n", 505, "http_version_not_supported"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, "request_uri_too_long"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431, "request_header_fields_too_large"),
        (b"BREW / HTTP/1.1\r\n\r\n", 501, "not_implemented"),
        (b"GET //[ HTTP/1.1\r\n\r\n", 404, "not_found"),
        (b"GET /%00/\xff?\xfe=%ff HTTP/1.1\r\n\r\n", 404, "not_found"),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 404, "not_found"),
        (b"DELETE /fee_stats HTTP/1.1\r\n\r\n", 405, "method_not_allowed"),
        (b"GET /sandbox/close HTTP/1.1\r\n\r\n", 405, "method_not_allowed"),
        (posted(), 400, "bad_request"),
        (posted("Content-Length: -1"), 400, "bad_request"),
        (posted("Content-Length: ten"), 400, "bad_request"),
        (posted("Content-Length: \xb2"), 400, "bad_request"),
        (posted("Transfer-Encoding: chunked"), 400, "bad_request"),
        (posted("Content-Length: 1000001"), 413, "request_entity_too_large"),
        (posted("Content-Length: " + "9" * 5000), 413, "request_entity_too_large"),
        (
            posted("Content-Length: 2", "Content-Type: application/json") + b"{}",
            415,
            "unsupported_media_type",
        ),
        (posted("Content-Length: 3") + b"tx=", 400, "bad_request"),
        (posted("Content-Length: 3") + b"\xff\x00\xfe", 400, "bad_request"),
    ],
)
def test_a_bad_request_is_answered_by_a_problem(sandbox: str, raw: bytes, status: int, kind: str) -> None:
    code, document = answered(sandbox, raw)

    assert (code, document["status"], document["type"]) == (
        status,
        status,
        f"https://stellar.org/horizon-errors/{kind}",
    )
    assert requests.get(sandbox, timeout=5).status_code == 200


def test_no_path_or_query_is_the_servers_fault(sandbox: str) -> None:
    pieces = [
        "accounts",
        "transactions",
        "payments",
        "ledgers",
        "friendbot",
        "sandbox",
        "log",
        "..",
        "%00",
        "%",
    ]
    pieces += [
        "?",
        "?",
        "&",
        "=",
        "cursor",
        "limit",
        "order",
        "addr",
        "now",
        "-1",
        "9" * 30,
        "\N{SNOWMAN}",
        ";",
    ]
    chosen, connection = random.Random(7), http.client.HTTPConnection(urlsplit(sandbox).netloc, timeout=5)  # noqa: S311

    for _ in range(300):
        path = (
            quote("/".join(chosen.choices(pieces, k=5)), safe="/?&=;%")
            .replace("/?/", "?")
            .replace("/=/", "=")
        )
        connection.request(chosen.choice(["GET", "POST", "HEAD", "PUT"]), f"/{path}")
        response = connection.getresponse()
        response.read()
        assert response.status < 500, path
    connection.close()


def test_a_head_request_is_answered_without_the_document(sandbox: str) -> None:
    with connected(sandbox) as connection:
        connection.sendall(b"HEAD /fee_stats HTTP/1.1\r\nConnection: close\r\n\r\n")
        head, _, rest = connection.makefile("rb").read().partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK")
    length = len(requests.get(f"{sandbox}/fee_stats", timeout=5).content)
    assert f"Content-Length: {length}".encode() in head
    assert rest == b""


def test_one_connection_serves_many_requests(sandbox: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(sandbox).netloc, timeout=5)
    for path, status in [("/", 200), ("/nothing", 404), ("/fee_stats", 200)]:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert (response.status, response.will_close) == (status, False)
    connection.close()


def test_a_host_header_only_reaches_the_links_of_its_own_answer(
    server: Server, sandbox: str, mint: Keypair
) -> None:
    path = f"/accounts/{mint.public_key}/transactions?limit=1&order=desc"
    plain = requests.get(f"{sandbox}{path}", timeout=5).json()

    foreign = requests.get(f"{sandbox}{path}", headers={"Host": 'evil.example"<b>'}, timeout=5).json()

    assert foreign["_links"]["next"]["href"].startswith('http://evil.example"<b>/accounts/')
    (record,) = foreign["_embedded"]["records"]
    assert record.pop("_links") == {
        "self": {"href": f'http://evil.example"<b>/transactions/{record["hash"]}'}
    }
    assert requests.get(f"{sandbox}{path}", timeout=5).json() == plain


def test_a_body_that_ends_too_soon_is_not_taken_for_a_whole_one(server: Server, sandbox: str) -> None:
    address = Keypair.random().public_key
    with connected(sandbox) as connection:
        connection.sendall(f"POST /friendbot HTTP/1.1\r\nContent-Length: 200\r\n\r\naddr={address}&".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""

    assert requests.get(f"{sandbox}/accounts/{address}", timeout=5).status_code == 404


def test_the_controls_are_for_this_machine_only(sandbox: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipaddress.IPv4Address.is_loopback", False)

    answer = requests.post(f"{sandbox}/sandbox/close", timeout=5)

    assert answer.status_code == 404


def test_a_fault_of_the_server_is_told_and_logged(
    sandbox: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("apexchainx.stellar.sandbox.fees.stats", lambda *_: 1 / 0)

    answer = requests.get(f"{sandbox}/fee_stats", timeout=5)

    assert (answer.status_code, answer.json()["type"]) == (
        500,
        "https://stellar.org/horizon-errors/server_error",
    )
    assert [record.message for record in caplog.records] == ["sandbox_request_failed"]


# Stopping and starting


def test_stopping_does_not_wait_for_idle_connections(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.sqlite3") as url:
        silent = connected(url)
        kept = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
        kept.request("GET", "/")
        kept.getresponse().read()
        begun = time.monotonic()

    assert time.monotonic() - begun < 1
    assert silent.recv(1) == b""
    silent.close()
    kept.close()


def test_stopping_does_not_wait_for_a_busy_connection(tmp_path: Path) -> None:
    def keep_asking(url: str) -> None:
        with requests.Session() as session, suppress(requests.ConnectionError):
            while time.monotonic() < begun + 3:
                session.get(url, timeout=5)

    with ThreadPoolExecutor(1) as pool:
        begun = time.monotonic()
        with running(tmp_path / "ledger.sqlite3") as url:
            pool.submit(keep_asking, url)
            time.sleep(0.1)

        assert time.monotonic() - begun < 1


def test_whoever_waits_when_it_stops_gets_an_answer(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        with running(tmp_path / "ledger.sqlite3", period=3600) as url, sdk(url) as server:
            source = bench.funded(server)
            envelope = bench.signed(server, source, pay(source, XLM, "1"))
            answer = pool.submit(bench.post, server, envelope)
            time.sleep(0.1)
            begun = time.monotonic()

        error = answer.exception(1)

    assert time.monotonic() - begun < 1
    assert isinstance(error, BadResponseError)
    assert (error.status, error.type) == (
        504,
        "https://stellar.org/horizon-errors/transaction_submission_timeout",
    )
    assert error.extras == {"hash": envelope.hash_hex(), "envelope_xdr": envelope.to_xdr()}


def test_a_ledger_goes_on_where_it_stopped(tmp_path: Path, mint: Keypair, usdc: Asset) -> None:
    path = tmp_path / "ledger.sqlite3"

    def seen(server: Server) -> str:
        accounts = [server.accounts().account_id(each.public_key).call() for each in (holder, mint)]
        lists = (server.payments(), server.operations(), server.transactions(), server.ledgers())
        pages = [each.limit(200).call()["_embedded"] for each in lists]
        text = json.dumps([accounts, pages, server.fee_stats().call()])
        return text.replace(server.horizon_url, "")

    with running(path) as url, sdk(url) as server:
        requests.get(f"{url}/friendbot", {"addr": mint.public_key}, timeout=5)
        holder = bench.holder(server, usdc)
        envelope = bench.signed(server, mint, pay(holder, usdc, "5"))
        bench.post(server, envelope)
        before = seen(server)

    with running(path) as url, sdk(url) as server:
        assert seen(server) == before
        assert bench.post(server, envelope)["hash"] == envelope.hash_hex()
        bench.send(server, mint, pay(holder, usdc, "1"))
        assert bench.balances(server, holder)["USDC"] == "6.0000000"


def test_a_taken_port_leaves_no_thread_and_no_lock_behind(tmp_path: Path) -> None:
    path, threads = tmp_path / "ledger.sqlite3", threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), running(path, port=port, period=3600):
            pass

    assert threading.active_count() == threads
    with running(path) as url:
        assert requests.get(url, timeout=5).status_code == 200
