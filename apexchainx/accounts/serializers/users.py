"""An account, as its owner and admins see it."""

from typing import Any

from rest_framework import serializers

from apexchainx.accounts.models import User


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


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
