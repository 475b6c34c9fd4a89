"""People: what they say about themselves, and what admins see and change."""

from typing import Any

from rest_framework import serializers

from apexchainx.accounts.models import Role, User
from apexchainx.accounts.serializers.auth import PasswordField
from apexchainx.accounts.serializers.keys import KeySerializer
from apexchainx.accounts.serializers.sessions import SessionSerializer
from apexchainx.accounts.serializers.users import UserSerializer
from apexchainx.api.fields import TextField
from audit.serializers import AuditEventSerializer


class ProfileSerializer(serializers.Serializer[Any]):
    """What is left out stays; an empty wallet is none."""

    full_name = TextField(max_length=255, required=False, allow_blank=True)
    stellar_wallet = TextField(max_length=56, required=False, allow_blank=True, allow_null=True)

    def validate_stellar_wallet(self, wallet: str | None) -> str:
        return wallet or ""


class ErasureSerializer(serializers.Serializer[Any]):
    password = PasswordField()


class PersonSerializer(UserSerializer):
    """A user as admins see them."""

    class Meta:
        model = User
        fields = (*UserSerializer.Meta.fields, "is_staff", "last_login")
        read_only_fields = fields


class UserChangeSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)
    full_name = TextField(max_length=255, required=False, allow_blank=True)
    reason = TextField(max_length=500, required=False, help_text="Needed for a change of role or activity.")


class ImpersonationSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=500)


class ImpersonationTokenSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    user = UserSerializer()
    impersonator_id = serializers.CharField()


class AccountSerializer(serializers.Serializer[User]):
    """All that we keep about a person, except what they did."""

    profile = PersonSerializer(source="*")
    preferences = serializers.SerializerMethodField()
    sessions = SessionSerializer(many=True)
    api_keys = KeySerializer(many=True)

    def get_preferences(self, _user: User) -> dict[str, Any]:
        value: dict[str, Any] = self.context["preferences"]
        return value


class ExportSerializer(AccountSerializer):
    events = AuditEventSerializer(many=True)
