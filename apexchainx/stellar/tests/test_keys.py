import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stellar_sdk import Keypair, StrKey

from apexchainx.stellar import keys

ADDRESS = "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"
WRONG_CHECKSUM = "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWNA"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ADDRESS, True),
        (WRONG_CHECKSUM, False),
        (ADDRESS.lower(), False),
        (ADDRESS[:-1], False),
        (ADDRESS + "A", False),
        (ADDRESS + "\n", False),
        ("", False),
        ("G" + "0" * 55, False),
        ("Ğ" + ADDRESS[1:], False),
        (StrKey.encode_contract(bytes(32)), False),
        (StrKey.encode_ed25519_secret_seed(bytes(32)), False),
    ],
)
def test_an_address_needs_form_and_checksum(text: str, expected: bool) -> None:
    assert keys.is_address(text) is expected


@given(
    raw=st.binary(min_size=32, max_size=32),
    place=st.integers(0, 55),
    letter=st.sampled_from("ABCDEFGH234567"),
)
def test_addresses_agree_with_strkey(raw: bytes, place: int, letter: str) -> None:
    address = StrKey.encode_ed25519_public_key(raw)
    changed = address[:place] + letter + address[place + 1 :]

    assert keys.is_address(address)
    assert keys.is_address(changed) == StrKey.is_valid_ed25519_public_key(changed)


def test_an_address_is_judged_without_the_sdk() -> None:
    program = f"""
import sys
from apexchainx.stellar import keys
print(keys.is_address("{ADDRESS}"), "stellar_sdk" in sys.modules)
"""

    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603

    assert printed.stdout == "True False\n"


def test_a_secret_is_seen_inside_other_text() -> None:
    secret = Keypair.random().secret

    assert keys.looks_like_secret(f"key={secret};")
    assert not keys.looks_like_secret(ADDRESS)
    assert not keys.looks_like_secret(secret.lower())


def test_a_key_pair_does_not_show_its_secret() -> None:
    pair = keys.generate()

    assert repr(pair) == f"KeyPair(address='{pair.address}')"
    assert Keypair.from_secret(pair.secret).public_key == pair.address


def test_a_wrong_secret_is_refused_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="not a secret key") as refusal:
        keys.from_secret("SNOTASECRET")

    assert "SNOTASECRET" not in str(refusal.value)


def test_a_written_secret_is_read_back_and_private(tmp_path: Path) -> None:
    pair, path = keys.generate(), tmp_path / "pool.secret"

    keys.write_secret(path, pair)

    assert keys.read_secret(path) == pair
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_is_never_written_over_another(tmp_path: Path) -> None:
    first, path = keys.generate(), tmp_path / "pool.secret"
    keys.write_secret(path, first)

    with pytest.raises(FileExistsError):
        keys.write_secret(path, keys.generate())

    assert keys.read_secret(path) == first
