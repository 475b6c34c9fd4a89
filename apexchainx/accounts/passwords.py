"""What a password must be made of, and the record that it changed."""

import unicodedata

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction

from audit.events import Event
from audit.log import record

MAX_LENGTH = 128


def normalised(password: str) -> str:
    """One spelling for what looks the same, whichever keyboard it came from."""
    return unicodedata.normalize("NFKC", password)


class CompositionValidator:
    """At least eight characters with upper and lower case, a digit and any other character; at most 128."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        password = normalised(password)
        missing = [
            name
            for name, present in (
                ("at least 8 characters", len(password) >= 8),
                ("at most 128 characters", len(password) <= MAX_LENGTH),
                ("an upper case letter", any(char.isupper() for char in password)),
                ("a lower case letter", any(char.islower() for char in password)),
                ("a digit", any(char.isdigit() for char in password)),
                ("a special character", any(not char.isalnum() for char in password)),
            )
            if not present
        ]
        if missing:
            raise ValidationError(f"The password needs {', '.join(missing)}.", code="password_composition")

    def password_changed(self, password: str, user: AbstractBaseUser) -> None:
        """Django calls this after a password was saved, by whichever form or command."""
        with transaction.atomic():
            record(Event.USER_CHANGED, f"user:{user.pk}", changed=["password"])

    def get_help_text(self) -> str:
        return "At least 8 characters with upper and lower case, a digit and a special character."
