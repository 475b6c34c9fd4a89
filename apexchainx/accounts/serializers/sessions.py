"""Tokens, and the sessions that they stand for."""

from typing import Any

from rest_framework import serializers

from apexchainx.accounts.serializers.users import UserSerializer
from apexchainx.api.fields import TextField


class RefreshSerializer(serializers.Serializer[Any]):
    refresh_token = TextField(max_length=4096)


class SessionSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    user = UserSerializer()
