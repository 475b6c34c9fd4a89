import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.core.management import call_command

from apexchainx import settings as written
from apexchainx.accounts.models import User
from apexchainx.accounts.passwords import CompositionValidator, normalised


@pytest.mark.parametrize(
    "password", ["Blue-horse-7", "Aa1 aaaa", "Пароль-7", "Aa1\u00a7\u00a7\u00a7\u00a7\u00a7"]
)
def test_a_good_password(password: str) -> None:
    CompositionValidator().validate(password)


@pytest.mark.parametrize(
    "password", ["", "Blue-7h", "blue-horse-7", "BLUE-HORSE-7", "Blue-horse-x", "Bluehorse77"]
)
def test_a_password_that_lacks_something(password: str) -> None:
    with pytest.raises(ValidationError):
        CompositionValidator().validate(password)


def test_length_is_counted_in_the_normal_form() -> None:
    CompositionValidator().validate("Aa1-" + "e\u0301" * 124)
    with pytest.raises(ValidationError, match="at most 128"):
        CompositionValidator().validate("Aa1-" + "\ufdfa" * 8)


def test_normalising_twice_is_normalising_once() -> None:
    for text in ("\uff22\uff4c\uff55\uff45", "Cafe\u0301", "\ufb01sh", "\ufdfa", "\u1e9b\u0323"):
        assert normalised(normalised(text)) == normalised(text)


def test_a_long_password_counts_to_its_last_character() -> None:
    """Plain bcrypt stops at 72 bytes."""
    assert written.PASSWORD_HASHERS == ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
    hasher = BCryptSHA256PasswordHasher()
    hasher.rounds = 4
    kept = hasher.encode("é" * 100 + "a", hasher.salt())

    assert hasher.verify("é" * 100 + "a", kept)
    assert not hasher.verify("é" * 100 + "b", kept)


def test_people_are_told_the_rule() -> None:
    assert "At least 8 characters" in password_validators_help_texts()[0]


@pytest.mark.django_db
def test_a_password_that_django_changes_is_recorded(facts: object, monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create(email="ada@example.com")
    monkeypatch.setattr("getpass.getpass", lambda **_: "Blue-horse-7")

    call_command("changepassword", "ada@example.com", verbosity=0)

    user.refresh_from_db()
    assert user.check_password("Blue-horse-7")
    assert user.token_version == 2
    assert facts() == [("user.changed", f"user:{user.pk}")]  # type: ignore[operator]
