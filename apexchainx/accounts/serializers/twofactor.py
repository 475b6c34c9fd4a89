"""The second factor, as a client sets it up and uses it."""

from typing import Any

from rest_framework import serializers

from apexchainx.accounts.serializers.auth import CodeField


class CodeSerializer(serializers.Serializer[Any]):
    code = CodeField()


class OptionalCodeSerializer(serializers.Serializer[Any]):
    code = CodeField(required=False)


class BackupCodesSerializer(serializers.Serializer[Any]):
    backupCodes = serializers.ListField(child=serializers.CharField())  # noqa: N815


class SetupSerializer(BackupCodesSerializer):
    secret = serializers.CharField()
    qrCodeUrl = serializers.CharField(help_text="A data: URL of an SVG picture.")  # noqa: N815


class SuccessSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
