"""Tokens, and the sessions that they stand for."""

from typing import Any

from rest_framework import serializers

from apexchainx.accounts.models import Session
from apexchainx.accounts.serializers.users import UserSerializer
from apexchainx.api.fields import TextField


class RefreshSerializer(serializers.Serializer[Any]):
    """The token may be left out where the cookie, given as context, carries one."""

    refresh_token = TextField(max_length=4096, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "refresh_token" not in attrs and not self.context.get("cookie"):
            raise serializers.ValidationError({"refresh_token": ["This field is required."]})
        return attrs


class TokensSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    user = UserSerializer()


class SessionSerializer(serializers.ModelSerializer[Session]):
    """A session as its owner recognises it; `current` is the one that asks."""

    current = serializers.SerializerMethodField()
    impersonated = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = (
            *("id", "created_at", "last_used_at", "expires_at"),
            *("address", "user_agent", "current", "impersonated"),
        )
        read_only_fields = fields

    def get_current(self, session: Session) -> bool:
        return getattr(self.context["request"].auth, "pk", None) == session.pk

    def get_impersonated(self, session: Session) -> bool:
        return session.impersonator_id is not None


class EndedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    sessions_invalidated = serializers.IntegerField()
