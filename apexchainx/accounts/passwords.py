"""What a password must be made of."""

from django.core.exceptions import ValidationError

MAX_LENGTH = 128


class CompositionValidator:
    """At least eight characters with upper and lower case, a digit and any other character; at most 128."""

    def validate(self, password: str, user: object = None) -> None:
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

    def get_help_text(self) -> str:
        return "At least 8 characters with upper and lower case, a digit and a special character."
