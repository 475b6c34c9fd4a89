"""Addresses and secret keys of the ledger."""

import base64
import binascii
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

ADDRESS = re.compile(r"G[A-Z2-7]{55}")
SECRET = re.compile(r"S[A-Z2-7]{55}")
ED25519_PUBLIC_KEY = 6 << 3


@dataclass(frozen=True)
class KeyPair:
    """An account's address and the secret that signs for it."""

    address: str
    secret: str = field(repr=False)


def is_address(text: str) -> bool:
    """Whether this is an account's address, checksum included (SEP-23)."""
    if not ADDRESS.fullmatch(text):
        return False
    raw = base64.b32decode(text)
    return raw[0] == ED25519_PUBLIC_KEY and binascii.crc_hqx(raw[:-2], 0) == int.from_bytes(
        raw[-2:], "little"
    )


def looks_like_secret(text: str) -> bool:
    """Whether anything in this text has the form of a secret key."""
    return SECRET.search(text) is not None


def generate() -> KeyPair:
    from stellar_sdk import Keypair

    return from_secret(Keypair.random().secret)


def from_secret(secret: str) -> KeyPair:
    """Raises ValueError where the secret is not one; the message does not repeat it."""
    from stellar_sdk import Keypair
    from stellar_sdk.exceptions import Ed25519SecretSeedInvalidError

    try:
        return KeyPair(address=Keypair.from_secret(secret).public_key, secret=secret)
    except Ed25519SecretSeedInvalidError:
        raise ValueError("This is not a secret key of the ledger.") from None


def read_secret(path: Path) -> KeyPair:
    return from_secret(path.read_text(encoding="ascii").strip())


def write_secret(path: Path, keypair: KeyPair) -> None:
    """Writes a new file that only its owner may read. Raises FileExistsError rather than replace a key."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{keypair.secret}\n")
