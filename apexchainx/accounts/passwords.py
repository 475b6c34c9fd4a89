"""What a password must be made of, and the record that it changed."""

import unicodedata
from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from apexchainx.errors import Invalid
from audit.events import Event
from audit.log import record

if TYPE_CHECKING:
    from apexchainx.accounts.models import User

MAX_LENGTH = 128
# A shorter local part of an address stands in many a word by chance.
SHORTEST_NAME = 3


def normalised(password: str) -> str:
    """One spelling for what looks the same, whichever keyboard it came from."""
    return unicodedata.normalize("NFKC", password)


def refuse_weak(password: str, user: "User", *, field: str = "password") -> None:
    """Raises Invalid, with every reason, for what the policy in force does not take."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(field, " ".join(error.messages)) from error


class PolicyValidator:
    """What a policy asks for, all of it named at once. One policy is in force, and it records changes."""

    min_length: int

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        missing = [name for name, present in self.demands(normalised(password)) if not present]
        if missing:
            raise ValidationError(f"The password needs {', '.join(missing)}.", code="password_composition")

    def demands(self, password: str) -> list[tuple[str, bool]]:
        return [
            (f"at least {self.min_length} characters", len(password) >= self.min_length),
            (f"at most {MAX_LENGTH} characters", len(password) <= MAX_LENGTH),
        ]

    def password_changed(self, password: str, user: AbstractBaseUser) -> None:
        """Django calls this after a password was saved, by whichever form or command."""
        with transaction.atomic():
            record(Event.USER_CHANGED, f"user:{user.pk}", changed=["password"])


class CompositionValidator(PolicyValidator):
    """At least eight characters with upper and lower case, a digit and any other character; at most 128."""

    min_length = 8

    def demands(self, password: str) -> list[tuple[str, bool]]:
        return [
            *super().demands(password),
            ("an upper case letter", any(char.isupper() for char in password)),
            ("a lower case letter", any(char.islower() for char in password)),
            ("a digit", any(char.isdigit() for char in password)),
            ("a special character", any(not char.isalnum() for char in password)),
        ]

    def get_help_text(self) -> str:
        return "At least 8 characters with upper and lower case, a digit and a special character."


class PassphraseValidator(PolicyValidator):
    """At least fifteen characters of any kind; at most 128 (NIST SP 800-63B-4)."""

    min_length = 15

    def get_help_text(self) -> str:
        return "At least 15 characters of any kind."


class BlocklistValidator(CommonPasswordValidator):
    """Not one of the twenty thousand that everybody uses, in whichever spelling."""

    def validate(self, password: str, user: "User | None" = None) -> None:
        super().validate(normalised(password), user)


class OwnAddressValidator:
    """Not built around what stands before the @ of one's own address."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        name = str(getattr(user, "email", "")).partition("@")[0].lower()
        if len(name) >= SHORTEST_NAME and name in normalised(password).lower():
            raise ValidationError("The password contains your address.", code="password_own_address")

    def get_help_text(self) -> str:
        return "Nothing that contains your address."
