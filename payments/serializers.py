from typing import Any

from django.conf import settings
from rest_framework import serializers

from apexchainx.api.fields import MoneyField
from payments.models import Payment

EXPLORERS = {
    "testnet": "https://stellar.expert/explorer/testnet/tx/",
    "public": "https://stellar.expert/explorer/public/tx/",
    "sandbox": f"{settings.STELLAR_HORIZON_URL}/transactions/",
}


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment with why it is not paid, and a link only to what a ledger has shown."""

    id = serializers.CharField(source="reference")
    payment_id = serializers.CharField(source="reference")
    outage_id = serializers.CharField(source="outage.reference")
    sla_result_id = serializers.UUIDField()
    amount = MoneyField()
    status = serializers.ChoiceField(choices=list(dict.fromkeys(Payment.STATUS.values())))
    transaction_hash = serializers.SerializerMethodField()
    from_address = serializers.SerializerMethodField()
    to_address = serializers.SerializerMethodField()
    explorer_url = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = (
            "id",
            "payment_id",
            "transaction_hash",
            "type",
            "amount",
            "asset_code",
            "payer",
            "payee",
            "from_address",
            "to_address",
            "status",
            "state",
            "reason",
            "next_action_at",
            "outage_id",
            "sla_result_id",
            "ledger",
            "created_at",
            "confirmed_at",
            "explorer_url",
        )
        read_only_fields = fields

    def get_transaction_hash(self, payment: Payment) -> str | None:
        return payment.transaction_hash or None

    def get_from_address(self, payment: Payment) -> str | None:
        return payment.from_address or None

    def get_to_address(self, payment: Payment) -> str | None:
        return payment.to_address or None

    def get_explorer_url(self, payment: Payment) -> str | None:
        seen = payment.ledger is not None and payment.transaction_hash
        return EXPLORERS[settings.STELLAR_NETWORK] + payment.transaction_hash if seen else None


class SummarySerializer(serializers.Serializer[Any]):
    total_penalties = MoneyField()
    total_rewards = MoneyField()
    net_amount = MoneyField()
