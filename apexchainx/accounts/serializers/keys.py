"""API keys, as admins ask for them and see them."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apexchainx.accounts.models import EVERY_SCOPE, ApiKey
from apexchainx.api.fields import AwareDateTimeField, TextField


class NewKeySerializer(serializers.Serializer[Any]):
    name = TextField(max_length=255, required=False, allow_blank=True, default="")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(EVERY_SCOPE)),
        required=False,
        default=list,
        max_length=64,
    )
    expires_at = AwareDateTimeField(required=False, allow_null=True, default=None)


class CreatedKeySerializer(serializers.Serializer[Any]):
    """The only answer that holds a key."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    raw_key = serializers.CharField()
    message = serializers.CharField()


class KeySerializer(serializers.ModelSerializer[ApiKey]):
    created_by = serializers.SerializerMethodField(help_text="An address, or system for the command line.")

    class Meta:
        model = ApiKey
        fields = (
            *("id", "name", "prefix", "scopes", "expires_at", "revoked_at", "last_used_at"),
            *("created_at", "created_by"),
        )
        read_only_fields = fields

    def get_created_by(self, key: ApiKey) -> str:
        return key.created_by.email if key.created_by else "system"


@extend_schema_serializer(many=False)
class KeysSerializer(serializers.Serializer[Any]):
    keys = KeySerializer(many=True)
