"""What proves that a delivery is ours: its secret, how that is kept, and the signatures made with it."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX = "whsec_"
KEY_BYTES = range(24, 65)


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed: `id` stays the same on every attempt, the body is the bytes on the wire."""

    id: str
    event: str
    body: bytes
    correlation_id: str


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_secret(text: str) -> bool:
    """`whsec_` and the base64 of 24 to 64 bytes, as Standard Webhooks has it."""
    try:
        return text.startswith(PREFIX) and len(key(text)) in KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)


def encrypt(secret: str, passphrase: str) -> bytes:
    return vault(passphrase).encrypt(secret.encode())


def decrypt(token: bytes, passphrase: str) -> str:
    """Raises cryptography.fernet.InvalidToken under another passphrase."""
    return vault(passphrase).decrypt(token).decode()


def vault(passphrase: str) -> Fernet:
    derivation = HKDF(SHA256(), length=32, salt=None, info=b"apexchainx webhook secrets")
    return Fernet(base64.urlsafe_b64encode(derivation.derive(passphrase.encode())))


def signature(secret: str, message: Message, at: datetime) -> str:
    """Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`, the key being the decoded secret."""
    content = b".".join((message.id.encode(), str(int(at.timestamp())).encode(), message.body))
    digest = hmac.new(key(secret), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def legacy_signature(secret: str, body: bytes) -> str:
    """For consumers from before Standard Webhooks: the body alone, the key being the secret as text."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def headers(message: Message, *, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    """The headers of one attempt at `at`; the newest secret comes first and signs for older consumers."""
    timestamp = str(int(at.timestamp()))
    return {
        "Content-Type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signature(secret, message, at) for secret in secrets),
        "X-Webhook-Event": message.event,
        "X-Webhook-Timestamp": timestamp,
        "X-Webhook-Signature": legacy_signature(secrets[0], message.body),
        "X-Webhook-Signature-Version": "1",
        "X-Correlation-ID": message.correlation_id,
        "traceparent": traceparent(message, timestamp),
    }


def traceparent(message: Message, attempt: str) -> str:
    """W3C trace context: one trace for each correlation id, one span for each attempt."""
    trace = hashlib.sha256((message.correlation_id or message.id).encode()).hexdigest()[:32]
    span = hashlib.sha256(f"{message.id} {attempt}".encode()).hexdigest()[:16]
    return f"00-{trace}-{span}-01"
