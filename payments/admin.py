from django.contrib import admin

from apexchainx.read_only_admin import ReadOnly
from payments.models import Attempt, Channel, Payment, StellarTransaction


class AttemptInline(admin.TabularInline):
    model = Attempt
    fields = ("number", "hash", "max_time", "signed_at")
    extra = 0


@admin.register(Payment)
class PaymentAdmin(ReadOnly):
    list_display = (
        "reference",
        "type",
        "amount",
        "asset_code",
        "state",
        "reason",
        "next_action_at",
        "outage",
        "transaction_hash",
        "confirmed_at",
    )
    list_filter = ("state", "type", "reason")
    search_fields = ("outage__reference", "transaction_hash", "to_address", "from_address")
    date_hierarchy = "created_at"
    list_select_related = ("outage",)


@admin.register(StellarTransaction)
class StellarTransactionAdmin(ReadOnly):
    list_display = ("id", "channel", "sequence", "payment", "state", "tries", "next_action_at", "last_answer")
    list_filter = ("state",)
    search_fields = ("attempts__hash",)
    list_select_related = ("channel", "payment")
    inlines = (AttemptInline,)


@admin.register(Channel)
class ChannelAdmin(ReadOnly):
    list_display = ("address", "last_sequence")
