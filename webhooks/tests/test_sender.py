import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from webhooks import sender
from webhooks.tests.conftest import Receiver, read_request

Names = dict[str, list[str]]

OK = b"HTTP/1.1 200 OK\r\n\r\n"


@contextmanager
def answering(*pieces: bytes, pause: float = 0, endless: bool = False) -> Iterator[str]:
    """The URL of a server that reads one request and sends these pieces, the last for two seconds."""
    over, end = threading.Event(), monotonic() + 2

    def serve() -> None:
        with suppress(OSError), server.accept()[0] as wire:
            read_request(wire)
            for piece in pieces:
                wire.sendall(piece)
            while endless and not over.wait(pause) and monotonic() < end:
                wire.sendall(pieces[-1])

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(2)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        over.set()
        thread.join()


def post(url: str) -> sender.Answer:
    return sender.post(url, body=b'{"a":1}', headers={"X-Webhook-Event": "outage.created"})


def test_what_is_sent(receiver: Receiver) -> None:
    receiver.status, receiver.body, receiver.headers = 200, b"thanks", {"Retry-After": "7"}

    answer = post(receiver.url)

    assert (answer.status_code, answer.body, answer.error, answer.retry_after) == (200, b"thanks", "", "7")
    (request,) = receiver.received
    assert request.body == b'{"a":1}'
    assert request.headers == {
        "host": receiver.url.split("/")[2],
        "accept-encoding": "identity",
        "user-agent": "ApexChainX-Webhooks/1",
        "content-length": "7",
        "x-webhook-event": "outage.created",
    }


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": receiver.url}

    assert post(receiver.url).status_code == status
    assert len(receiver.received) == 1


def test_a_proxy_in_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert post(receiver.url).status_code == 204


@pytest.mark.parametrize(
    "head",
    [
        OK,
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
    ],
)
def test_an_endless_answer_is_capped(open_network: None, head: bytes) -> None:
    with answering(head, b"x" * 65536, endless=True) as url:
        answer = post(url)

    assert (answer.status_code, answer.body) == (200, b"x" * 65536)
    assert answer.latency_ms < 1500


def test_an_answer_that_breaks_off_is_an_answer(open_network: None) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") as url:
        answer = post(url)

    assert (answer.status_code, answer.body) == (200, b"half")


def test_a_chunked_answer_is_read(open_network: None) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\nnonsense") as url:
        answer = post(url)

    assert (answer.status_code, answer.body) == (200, b"fine")


def test_a_dripping_body_is_cut_off(open_network: None, settings: Any) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.15
    with answering(OK, b"x", pause=0.01, endless=True) as url:
        answer = post(url)

    assert answer.status_code == 200
    assert 100 <= answer.latency_ms < 1000


@pytest.mark.parametrize("piece", [b"X-A: 1\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_dripping_head_is_cut_off(open_network: None, settings: Any, piece: bytes) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.15
    with answering(b"HTTP/1.1 100 Continue\r\n", piece, pause=0.01, endless=True) as url:
        answer = post(url)

    assert (answer.status_code, answer.error) == (None, "No answer within 0.15 s.")
    assert 100 <= answer.latency_ms < 1000


def test_silence_is_cut_off(open_network: None, settings: Any) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.1
    with answering(b"", pause=0.01, endless=True) as url:
        answer = post(url)

    assert (answer.status_code, answer.error) == (None, "No answer within 0.1 s.")


@pytest.mark.parametrize(
    "noise", [b"", b"\x00\xff\x00 nonsense\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"A" * 70000]
)
def test_noise_is_no_answer(open_network: None, noise: bytes) -> None:
    with answering(noise) as url:
        answer = post(url)

    assert (answer.status_code, bool(answer.error)) == (None, True)


def test_a_closed_door_is_no_answer(open_network: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    answer = post(f"http://127.0.0.1:{port}/")

    assert (answer.status_code, answer.error) == (
        None,
        "ConnectionRefusedError: [Errno 111] Connection refused",
    )


# TLS


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for secure.test, with its key, that the sender trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "secure.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(minutes=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("secure.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "secure.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setattr(sender, "tls", lambda: ssl.create_default_context(cafile=pem))
    return pem


@contextmanager
def answering_securely(pem: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def serve() -> None:
        with (
            suppress(OSError),
            server.accept()[0] as plain,
            context.wrap_socket(plain, server_side=True) as wire,
        ):
            read_request(wire)
            wire.sendall(b"HTTP/1.1 204 OK\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(2)
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("host", "status"), [("secure.test", 204), ("other.test", None)], ids=["its own name", "another name"]
)
def test_the_certificate_must_be_for_the_name_in_the_url(
    open_network: None, authority: Path, names: Names, host: str, status: int | None
) -> None:
    names[host] = ["127.0.0.1"]
    with answering_securely(authority) as port:
        answer = post(f"https://{host}:{port}/")

    assert answer.status_code == status
    assert ("certificate verify failed: Hostname mismatch" in answer.error) is (status is None)
