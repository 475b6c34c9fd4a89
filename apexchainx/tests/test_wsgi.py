"""Requests as a server hands them over: bodies in chunks, lengths that lie, unreadable headers."""

import io
import json
import runpy
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured

from apexchainx.wsgi import application

pytestmark = pytest.mark.django_db

LIMIT = 10_485_760


class Counting(io.BytesIO):
    """A body that knows how much of it was read."""

    def __init__(self, size: int, start: bytes = b"") -> None:
        super().__init__(start + b"a" * (size - len(start)))
        self.taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


class Broken(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError("chunk without an end")


def post(body: io.BytesIO, **environ: Any) -> tuple[int, dict[str, Any]]:
    started: list[str] = []
    answer = application(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/api/v1/auth/login",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json",
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            **environ,
        },
        lambda status, _headers, _exc=None: started.append(status),  # type: ignore[arg-type]
    )
    return int(started[0][:3]), json.loads(b"".join(answer))


def test_a_body_in_chunks_is_read() -> None:
    status, said = post(io.BytesIO(b'{"email": "a@example.com"}'), HTTP_TRANSFER_ENCODING="chunked")

    assert status == 400
    assert said["error"]["details"]["fields"] == {"password": ["This field is required."]}


def test_a_body_in_chunks_is_read_no_further_than_the_limit() -> None:
    body = Counting(2 * LIMIT)

    status, said = post(body, HTTP_TRANSFER_ENCODING="gzip, Chunked")

    assert status == 413
    assert said["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert said["detail"] == "Request body too large. Maximum allowed size is 10485760 bytes."
    assert body.taken == LIMIT + 1


def test_a_length_over_the_limit_is_believed_and_nothing_read() -> None:
    body = Counting(2 * LIMIT)

    status, _ = post(body, CONTENT_LENGTH=str(2 * LIMIT))

    assert status == 413
    assert body.taken == 0


def test_no_more_is_read_than_the_length_says() -> None:
    body = Counting(2 * LIMIT, start=b"{}")

    status, said = post(body, CONTENT_LENGTH="2")

    assert status == 400
    assert set(said["error"]["details"]["fields"]) == {"email", "password"}
    assert body.taken == 2


def test_a_length_that_promises_more_than_comes_is_a_broken_body() -> None:
    status, said = post(io.BytesIO(b'{"email": "a@exam'), CONTENT_LENGTH="500")

    assert status == 400
    assert said["detail"].startswith("The body is not valid JSON")


def test_chunks_that_break_off_are_the_callers_mistake() -> None:
    status, said = post(Broken(), HTTP_TRANSFER_ENCODING="chunked")

    assert status == 400
    assert said["detail"] == "The body ended too early."


def test_a_length_of_another_alphabet_is_none() -> None:
    assert post(io.BytesIO(b"{}"), CONTENT_LENGTH="1_0")[0] == 400


@pytest.mark.parametrize(
    "parameter",
    [
        "charset=utf-16",
        "charset=latin-1",
        "charset=unicode_escape",
        "charset=idna",
        "charset=undefined",
        "charset=base64",
        "charset=rot13",
        "charset=nonsense",
        "charset*=bogus'en'utf-8",
        "x*=idna'e'%ff",
    ],
)
def test_text_is_utf_8_and_nothing_else(parameter: str) -> None:
    """Django decodes the query, too, by this charset: some crash it, some let a NUL past the checks."""
    status, said = post(
        io.BytesIO(b"{}"),
        CONTENT_LENGTH="2",
        CONTENT_TYPE=f"application/json; {parameter}",
        QUERY_STRING=r"q=\u0000",
    )

    assert (status, said["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8", "us-ascii"])
def test_the_usual_names_of_utf_8_are_taken(charset: str) -> None:
    status, said = post(
        io.BytesIO(b"{}"), CONTENT_LENGTH="2", CONTENT_TYPE=f"application/json; charset={charset}"
    )

    assert (status, set(said["error"]["details"]["fields"])) == (400, {"email", "password"})


@pytest.mark.parametrize(
    "accept", ["text/html; x*=bogus'en'x", "text/html", "a/b/c", ";;;", ",", "\xff", "application/xml;q=x"]
)
def test_what_nobody_can_answer_in_is_not_acceptable(accept: str) -> None:
    status, said = post(io.BytesIO(b"{}"), CONTENT_LENGTH="2", HTTP_ACCEPT=accept)

    assert (status, said["error"]["code"]) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    "accept", ["*/*", "application/*", "text/html, */*;q=0.8", "application/json; charset=utf-8"]
)
def test_json_is_acceptable_where_anything_is(accept: str) -> None:
    assert post(io.BytesIO(b"{}"), CONTENT_LENGTH="2", HTTP_ACCEPT=accept)[0] == 400


@pytest.mark.parametrize(
    "name",
    [
        "STELLAR_POOL_SECRET",
        "STELLAR_POOL_SECRET_FILE",
        "STELLAR_CONTRACT_OPERATOR_SECRET_FILE",
        "STELLAR_CONTRACT_ADMIN_SECRET_FILE",
    ],
)
def test_a_web_process_that_is_told_of_a_secret_key_does_not_start(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "/somewhere")

    with pytest.raises(ImproperlyConfigured, match=f"^{name} is set in a web process"):
        runpy.run_path(str(configured.BASE_DIR / "apexchainx" / "wsgi.py"))
