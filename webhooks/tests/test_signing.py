import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import InvalidToken
from standardwebhooks import Webhook, WebhookVerificationError

from webhooks import signing
from webhooks.signing import Message

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105
MESSAGE = Message("msg_1", "outage.created", b'{"id":"msg_1"}', "corr-1")


def signed(secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    return signing.headers(MESSAGE, secrets=[secret], at=at or datetime.now(UTC))


def test_the_reference_library_accepts_what_we_sign() -> None:
    assert Webhook(SECRET).verify(MESSAGE.body, signed()) == {"id": "msg_1"}


def test_the_reference_library_accepts_a_secret_of_our_making() -> None:
    secret = signing.new_secret()
    assert Webhook(secret).verify(MESSAGE.body, signed(secret)) == {"id": "msg_1"}


@pytest.mark.parametrize(
    ("secret", "body", "changed"),
    [
        (SECRET, b'{"id":"msg_2"}', {}),
        (SECRET, MESSAGE.body, {"webhook-id": "msg_2"}),
        (signing.new_secret(), MESSAGE.body, {}),
    ],
    ids=["body", "id", "secret"],
)
def test_the_reference_library_refuses_a_forgery(secret: str, body: bytes, changed: dict[str, str]) -> None:
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(secret).verify(body, {**signed(), **changed})


def test_the_reference_library_refuses_another_time() -> None:
    a_minute_ago = int(datetime.now(UTC).timestamp()) - 60
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(SECRET).verify(MESSAGE.body, {**signed(), "webhook-timestamp": str(a_minute_ago)})


def test_the_reference_library_refuses_a_replay() -> None:
    headers = signed(at=datetime.now(UTC) - timedelta(minutes=10))
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(SECRET).verify(MESSAGE.body, headers)


def test_both_secrets_sign_and_the_newest_comes_first() -> None:
    new = signing.new_secret()
    headers = signing.headers(MESSAGE, secrets=[new, SECRET], at=datetime.now(UTC))

    assert Webhook(new).verify(MESSAGE.body, headers) == Webhook(SECRET).verify(MESSAGE.body, headers)
    assert headers["X-Webhook-Signature"] == signing.legacy_signature(new, MESSAGE.body)


def test_headers_to_the_letter() -> None:
    assert signed(at=datetime(2026, 1, 16, 10, 30, tzinfo=UTC)) == {
        "Content-Type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": "1768559400",
        "webhook-signature": "v1,mBDW4fM1obSm11ZIv4dLgv1W+XVtTuohFAUnFCnSRTI=",
        "X-Webhook-Event": "outage.created",
        "X-Webhook-Timestamp": "1768559400",
        "X-Webhook-Signature": "sha256=efa517026978ba03c3f0f3b8610ff7de03c7ad4a8c847db7d007461d3bac5873",
        "X-Webhook-Signature-Version": "1",
        "X-Correlation-ID": "corr-1",
        "traceparent": "00-12423b976fe4078b3c8b6b4c279cd86e-5dbcc158480a52fd-01",
    }


def test_attempts_are_spans_of_one_trace() -> None:
    first, second = (signing.traceparent(MESSAGE, attempt).split("-") for attempt in ("1", "2"))
    assert first[1] == second[1]
    assert first[2] != second[2]


def test_a_new_secret_is_32_random_bytes() -> None:
    one, other = signing.new_secret(), signing.new_secret()
    assert one != other
    assert [len(signing.key(secret)) for secret in (one, other)] == [32, 32]


@pytest.mark.parametrize(
    ("text", "is_secret"),
    [
        (SECRET, True),
        ("whsec_" + base64.b64encode(bytes(64)).decode(), True),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), False),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), False),
        ("whsec_" + base64.urlsafe_b64encode(b"\xff" * 32).decode(), False),
        ("whsec_é" + SECRET, False),
        (SECRET.removeprefix("whsec_"), False),
        (f"{SECRET[:20]} {SECRET[20:]}", False),
        ("", False),
    ],
)
def test_what_counts_as_a_secret(text: str, is_secret: bool) -> None:
    assert signing.is_secret(text) is is_secret


def test_a_secret_is_readable_under_its_own_passphrase_alone() -> None:
    token = signing.encrypt(SECRET, "passphrase")

    assert SECRET.encode() not in token
    assert signing.decrypt(token, "passphrase") == SECRET
    with pytest.raises(InvalidToken):
        signing.decrypt(token, "another")
