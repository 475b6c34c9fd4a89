"""What goes in and out of authentication."""

from typing import Any

from rest_framework import serializers

from apexchainx.accounts.models import Role, User
from apexchainx.accounts.passwords import MAX_LENGTH, normalised
from apexchainx.api.fields import TextField, pair


class UserSerializer(serializers.ModelSerializer[User]):
    id = serializers.CharField(source="pk", read_only=True)
    username = serializers.CharField(source="email", read_only=True)
    stellar_wallet = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(source="date_joined", read_only=True)

    class Meta:
        model = User
        fields = ("id", "email", "username", "full_name", "role", "stellar_wallet", "is_active", "created_at")
        read_only_fields = fields

    def get_stellar_wallet(self, user: User) -> str | None:
        return user.stellar_wallet or None


class NamedByAddress(serializers.Serializer[Any]):
    """`email` and `username` are one thing, matched without case."""

    email = serializers.EmailField(max_length=254)
    username = serializers.EmailField(max_length=254, required=False, write_only=True)

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


class LoginSerializer(NamedByAddress):
    password = PasswordField()


class RegisterSerializer(NamedByAddress):
    password = PasswordField()
    full_name = TextField(max_length=255, required=False, allow_blank=True, default="")
    role = serializers.ChoiceField(choices=Role.choices, required=False)


class RefreshSerializer(serializers.Serializer[Any]):
    refresh_token = TextField(max_length=4096)


class SessionSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    user = UserSerializer()


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
