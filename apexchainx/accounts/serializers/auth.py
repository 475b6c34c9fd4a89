"""What goes in at the door."""

from typing import Any

from rest_framework import serializers

from apexchainx.accounts.models import Role, User
from apexchainx.accounts.passwords import MAX_LENGTH, normalised
from apexchainx.api.fields import TextField, pair


class NamedByAddress(serializers.Serializer[Any]):
    """`email` and `username` are one thing, matched without case."""

    email = serializers.EmailField(max_length=254)

    def to_internal_value(self, data: Any) -> Any:
        given = {name: data[name] for name in ("email", "username") if isinstance(data.get(name), str)}
        folded = {name: User.normalize_username(address) for name, address in given.items()}
        return super().to_internal_value(pair({**data, **folded}, "email", "username"))


class PasswordField(TextField):
    """Its length is that of the normal form, which is what is kept."""

    def __init__(self) -> None:
        super().__init__(max_length=MAX_LENGTH, trim_whitespace=False, write_only=True)

    def to_internal_value(self, data: Any) -> str:
        return normalised(super().to_internal_value(data))


class CodeField(TextField):
    """What a device shows, or a backup code."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(max_length=32, write_only=True, required=required)


class LoginSerializer(NamedByAddress):
    password = PasswordField()
    code = CodeField(required=False)


class PasswordChangeSerializer(serializers.Serializer[Any]):
    current_password = PasswordField()
    new_password = PasswordField()


class PasswordResetSerializer(NamedByAddress):
    pass


class PasswordResetConfirmSerializer(serializers.Serializer[Any]):
    token = TextField(max_length=200, write_only=True)
    new_password = PasswordField()


class RegisterSerializer(NamedByAddress):
    password = PasswordField()
    full_name = TextField(max_length=255, required=False, allow_blank=True, default="")
    role = serializers.ChoiceField(choices=Role.choices, required=False)
