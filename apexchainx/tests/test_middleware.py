import re
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
LIMIT = 10_485_760
TOO_LARGE = "Request body too large. Maximum allowed size is 10485760 bytes."


def error(response: Any) -> tuple[int, str, str]:
    body = response.json()
    assert body["detail"] == body["error"]["message"]
    return response.status_code, body["error"]["code"], body["error"]["message"]


@pytest.mark.parametrize("given", ["abc-1.2_3", "550e8400-e29b-41d4-a716-446655440000", "x" * 128])
def test_a_good_correlation_id_comes_back(client: Client, given: str) -> None:
    response = client.get("/api/v1/auth/me", headers={"X-Correlation-ID": given})

    assert response["X-Correlation-ID"] == given
    assert response.json()["error"]["correlation_id"] == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x" * 129,
        "a b",
        "é",
        "\u0661\u0662",
        "a\r\nSet-Cookie: a=b",
        "a\n",
        "a;b",
        "<script>",
        "a/b",
        "\x00",
    ],
)
def test_any_other_correlation_id_is_replaced(client: Client, given: str) -> None:
    response = client.get("/api/v1/auth/me", headers={"X-Correlation-ID": given})

    assert UUID.fullmatch(response["X-Correlation-ID"])
    assert response.json()["error"]["correlation_id"] == response["X-Correlation-ID"]
    assert "Set-Cookie" not in response


def test_every_answer_has_a_correlation_id_of_its_own(client: Client) -> None:
    paths = ["/health", "/docs", "/admin/login/", "/nothing", "/api/v1/nothing", "/static/nothing.css"]

    ids = [client.get(path)["X-Correlation-ID"] for path in paths]

    assert all(UUID.fullmatch(found) for found in ids)
    assert len(set(ids)) == len(paths)


# Bodies


def test_the_largest_body_passes(client: Client) -> None:
    body = b'{"email": "' + b"a" * (LIMIT - 13) + b'"}'
    assert len(body) == LIMIT

    response = client.post("/api/v1/auth/login", body, content_type="application/json")

    assert response.status_code == 400
    assert set(response.json()["error"]["details"]["fields"]) == {"email", "password"}
    assert len(response.content) < 2_000


@pytest.mark.parametrize("path", ["/api/v1/auth/login", "/api/v1/nothing", "/admin/login/"])
def test_one_byte_more_is_refused(client: Client, path: str) -> None:
    response = client.post(path, b"a" * (LIMIT + 1), content_type="application/json")

    assert error(response) == (413, "PAYLOAD_TOO_LARGE", TOO_LARGE)


def test_the_limit_is_a_setting(client: Client, settings: Any) -> None:
    settings.MAX_REQUEST_BODY_SIZE_BYTES = 5

    response = client.post("/api/v1/auth/login", b"{    }", content_type="application/json")

    assert error(response)[2] == "Request body too large. Maximum allowed size is 5 bytes."


@pytest.mark.parametrize("length", [str(LIMIT + 1), "1" + "0" * 18, "9" * 5_000])
def test_a_length_over_the_limit_is_refused_before_the_body_is_read(client: Client, length: str) -> None:
    response = client.post(
        "/api/v1/auth/login", b"{}", content_type="application/json", CONTENT_LENGTH=length
    )

    assert error(response) == (413, "PAYLOAD_TOO_LARGE", TOO_LARGE)


@pytest.mark.parametrize("length", ["", "-1", "abc", "\u00b2", "\u0661", "1e9", "0x10"])
def test_a_length_that_is_no_number_is_no_crash(client: Client, length: str) -> None:
    response = client.post(
        "/api/v1/auth/login", b"{}", content_type="application/json", CONTENT_LENGTH=length
    )

    assert error(response)[:2] == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "nonsense"])
def test_encoded_bodies_are_never_unpacked(client: Client, encoding: str) -> None:
    response = client.post(
        "/api/v1/auth/login", b"{}", content_type="application/json", headers={"Content-Encoding": encoding}
    )

    assert error(response)[:2] == (415, "UNSUPPORTED_MEDIA_TYPE")


# Addresses


@pytest.mark.parametrize(
    "path", ["/api/v1/outages/a%00b", "/api/v1/audit?subject=%00", "/docs?x=%00", "/admin/%00/"]
)
def test_a_nul_in_the_address_is_refused(client: Client, path: str) -> None:
    assert error(client.get(path)) == (400, "VALIDATION_ERROR", "The address holds a NUL.")


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/%ff%fe",
        "/api/v1/%ed%a0%80",
        "/api/v1/%ud800",
        "/api/v1/a%0Ab",
        "/api/v1/a%0d%0aSet-Cookie:x=y",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/" + "a" * 8_000,
        "/api/v1/" + "a/" * 2_000,
    ],
)
def test_an_odd_address_is_not_found(client: Client, path: str) -> None:
    response = client.get(path)

    assert error(response)[:2] == (404, "NOT_FOUND")
    assert "Set-Cookie" not in response


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_a_trailing_slash_changes_nothing(client: Client, slashes: str) -> None:
    assert client.get(f"/health{slashes}").json() == {"status": "ok"}
    assert client.get(f"/api/v1/health{slashes}").json() == {"status": "ok"}
    assert client.get(f"/docs{slashes}").status_code == 200
    assert client.post(f"/api/v1/auth/login{slashes}", {}, content_type="application/json").status_code == 400


def test_the_admin_keeps_its_slashes(client: Client) -> None:
    assert client.get("/admin/login/").status_code == 200
    assert client.get("/admin")["Location"] == "/admin/"


# Headers


def test_answers_of_the_api_load_nothing_and_are_not_kept(client: Client) -> None:
    response = client.get("/api/v1/auth/me")

    assert response["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Permissions-Policy"] == "camera=(), geolocation=(), microphone=()"


def test_pages_run_their_own_scripts_and_no_others(client: Client) -> None:
    policy = client.get("/admin/login/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
