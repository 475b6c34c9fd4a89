import socket
import threading
from typing import Any

import pytest

from webhooks import sender
from webhooks.tests.conftest import Receiver

Names = dict[str, list[str]]


def post(url: str) -> sender.Answer:
    return sender.post(url, body=b'{"a":1}', headers={"X-Webhook-Event": "outage.created"})


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/in",
        "https://hooks.example.com",
        "https://hooks.example.com:8443/in?a=b",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
        "https://not-yet-there.example.com/",
    ],
)
def test_public_addresses_may_be_called(url: str) -> None:
    sender.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://localhost/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://168.63.129.16/",
        "https://192.0.2.1/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a00:1]/",
        "https://[::7f00:1]/",
        "https://[::ffff:0:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:db8::1]/",
        "https://[fe80::1]/",
        "https://[fec0::1]/",
        "https://[fc00::1]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
    ],
)
def test_internal_addresses_are_refused(url: str) -> None:
    with pytest.raises(sender.BlockedError, match="not a public address"):
        sender.check(url)
    answer = post(url)
    assert (answer.status_code, answer.error.endswith("is not a public address.")) == (None, True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example.com/", "starts with https://."),
        ("ftp://hooks.example.com/", "starts with https://."),
        ("file:///etc/passwd", "starts with https://."),
        ("hooks.example.com", "starts with https://."),
        ("https:///in", "starts with https://."),
        ("https://user:password@hooks.example.com/", "user name or a password"),
        ("https://@hooks.example.com/", "user name or a password"),
        ("https://hooks.example.com:22/", "Port 22 is not open"),
        ("https://hooks.example.com:65536/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://hooks.example.com/a b", "printable ASCII"),
        ("https://hooks.example.com/\r\nX-Injected: 1", "printable ASCII"),
        ("https://hooks.example.com\\@localhost/", "printable ASCII"),
        ("https://h\N{LATIN SMALL LETTER O WITH DIAERESIS}oks.example.com/", "printable ASCII"),
    ],
)
def test_other_urls_are_refused(url: str, reason: str) -> None:
    with pytest.raises(sender.BlockedError, match=reason):
        sender.check(url)


def test_a_name_that_leads_inside_is_refused(names: Names) -> None:
    names["inside.test"] = ["10.0.0.5"]
    names["mixed.test"] = ["93.184.216.34", "10.0.0.5"]

    for name in ("inside.test", "mixed.test"):
        with pytest.raises(sender.BlockedError, match=r"10\.0\.0\.5 is not a public address"):
            sender.check(f"https://{name}/")
        assert post(f"https://{name}/").error == "10.0.0.5 is not a public address."


def test_even_development_does_not_reach_metadata(open_network: None, names: Names) -> None:
    names["metadata.test"] = ["169.254.169.254"]

    sender.check("http://127.0.0.1:8000/")
    sender.check("http://[::1]:8000/")
    for host in ("metadata.test", "169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"):
        with pytest.raises(sender.BlockedError, match="not a public address"):
            sender.check(f"http://{host}/")


def test_a_name_is_looked_up_once_and_the_checked_address_is_called(
    receiver: Receiver, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    names["rebinding.test"] = ["127.0.0.1"]
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebind(host: str, *args: Any, **options: Any) -> Any:
        found = resolve(host, *args, **options)
        if host == "rebinding.test":
            asked.append(host)
            names[host] = ["169.254.169.254"]
        return found

    monkeypatch.setattr(socket, "getaddrinfo", rebind)

    assert post(receiver.url.replace("127.0.0.1", "rebinding.test")).status_code == 204
    assert asked == ["rebinding.test"]
    assert receiver.received[0].headers["host"].startswith("rebinding.test:")


def test_the_second_address_is_tried(receiver: Receiver, names: Names) -> None:
    names["two.test"] = ["127.0.0.2", "127.0.0.1"]

    assert post(receiver.url.replace("127.0.0.1", "two.test")).status_code == 204


def test_a_slow_name_service_holds_up_nothing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.05
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: [over.wait(5)][1:])

    answer = post("https://hooks.example.com/")
    over.set()

    assert (answer.status_code, answer.error) == (None, "hooks.example.com was not resolved in time.")
