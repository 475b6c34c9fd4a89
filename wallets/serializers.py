"""What goes in and out of wallets."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from rest_framework import serializers

from apexchainx.api.fields import TextField, pair
from apexchainx.api.renderers import money
from wallets.models import Kind, Owner, Wallet
from wallets.services import Sighting, refuse_secrets


class SecretFree(serializers.Serializer[Any]):
    """A body is refused before it is read where a secret key stands anywhere in it."""

    def to_internal_value(self, data: Any) -> Any:
        refuse_secrets("non_field_errors", data)
        return super().to_internal_value(data)


class OwnerSerializer(serializers.ModelSerializer[Owner]):
    class Meta:
        model = Owner
        fields = ("key", "name", "kind", "created_at")
        read_only_fields = fields


class NewOwnerSerializer(SecretFree):
    key = TextField(max_length=64)
    name = TextField(max_length=200)
    kind = serializers.ChoiceField(choices=Kind.choices)


class WalletSerializer(serializers.ModelSerializer[Wallet]):
    """One record per owner; the owner and the address each go by two names."""

    entity_id = serializers.CharField(source="owner.key")
    user_id = serializers.CharField(source="owner.key")
    kind = serializers.ChoiceField(source="owner.kind", choices=Kind.choices)
    public_key = serializers.CharField(source="address")
    approved_by = serializers.SerializerMethodField()
    funded = serializers.BooleanField(source="is_funded")
    active = serializers.BooleanField(source="is_active")
    trustline_ready = serializers.BooleanField(source="has_trustline")
    last_updated = serializers.DateTimeField(source="fetched_at", allow_null=True)
    cached_at = serializers.DateTimeField(source="fetched_at", allow_null=True)
    cache_status = serializers.ChoiceField(choices=("fresh", "stale", "live"))

    class Meta:
        model = Wallet
        fields = (
            "entity_id",
            "user_id",
            "kind",
            "address",
            "public_key",
            "status",
            "registered_by",
            "approved_by",
            "approved_at",
            "created_at",
            "funded",
            "active",
            "trustline_ready",
            "last_updated",
            "cached_at",
            "cache_status",
        )
        read_only_fields = fields

    def get_approved_by(self, wallet: Wallet) -> str | None:
        return wallet.approved_by or None


class RegistrationSerializer(SecretFree):
    """`user_id` and `public_key` are read as `entity_id` and `address`."""

    entity_id = TextField(max_length=64)
    address = TextField(max_length=128)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(pair(pair(data, "entity_id", "user_id"), "address", "public_key"))


class FreshnessSerializer(serializers.Serializer[Any]):
    refresh = serializers.BooleanField(default=False, help_text="Ask the ledger, whatever the cache says.")


class BalanceSerializer(serializers.Serializer[Sighting]):
    """Both shapes of the documents: balances by asset, and the two sums as strings."""

    address = serializers.CharField(source="wallet.address")
    balances = serializers.SerializerMethodField()
    usdc_balance = serializers.SerializerMethodField()
    xlm_balance = serializers.SerializerMethodField()
    network = serializers.SerializerMethodField()
    last_updated = serializers.DateTimeField(source="wallet.fetched_at")
    cache_status = serializers.ChoiceField(choices=("fresh", "stale", "live"))
    cache_ttl_seconds = serializers.IntegerField(
        source="wallet.seconds_left", help_text="Fresh for so much longer."
    )
    cached_at = serializers.DateTimeField(source="wallet.fetched_at")

    def get_balances(self, seen: Sighting) -> dict[str, dict[str, str]]:
        held = {"XLM": {"balance": seven_places(seen.wallet.xlm), "asset_type": "native"}}
        if seen.wallet.has_trustline:
            code = settings.STELLAR_ASSET_CODE
            held[code] = {
                "balance": seven_places(seen.wallet.usdc),
                "asset_type": "credit_alphanum4" if len(code) <= 4 else "credit_alphanum12",
                "asset_code": code,
                "asset_issuer": settings.STELLAR_ASSET_ISSUER,
            }
        return held

    def get_usdc_balance(self, seen: Sighting) -> str:
        return money(seen.wallet.usdc)

    def get_xlm_balance(self, seen: Sighting) -> str:
        return money(seen.wallet.xlm)

    def get_network(self, _seen: Sighting) -> str:
        return settings.STELLAR_NETWORK


def seven_places(amount: Decimal) -> str:
    """As the ledger writes amounts."""
    return f"{amount:.7f}"
