from django.contrib import admin

from apexchainx.read_only_admin import ReadOnly
from sla.models import Calendar, ContractInvocation, PolicyVersion, SLAResult


@admin.register(Calendar)
class CalendarAdmin(ReadOnly):
    list_display = ("reference", "name", "timezone", "created_by", "updated_at")
    search_fields = ("name", "timezone")


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnly):
    list_display = (
        "label",
        "severity",
        "threshold_minutes",
        "penalty_per_minute",
        "reward_base",
        "effective_from",
        "effective_to",
        "published_by",
    )
    list_filter = ("severity",)


@admin.register(SLAResult)
class SLAResultAdmin(ReadOnly):
    list_display = (
        "outage",
        "severity",
        "status",
        "mttr_minutes",
        "threshold_minutes",
        "amount",
        "is_latest",
        "computed_at",
    )
    list_filter = ("status", "rating", "severity", "clock_source", "is_latest")
    search_fields = ("outage__reference", "outage__site_name")
    date_hierarchy = "computed_at"
    list_select_related = ("outage", "policy")


@admin.register(ContractInvocation)
class ContractInvocationAdmin(ReadOnly):
    list_display = (
        "id",
        "function",
        "outage",
        "state",
        "error",
        "ledger",
        "tries",
        "next_action_at",
        "last_answer",
    )
    list_filter = ("state", "function")
    search_fields = ("hash", "result__outage__reference")
    date_hierarchy = "created_at"
    list_select_related = ("result__outage",)

    @admin.display(ordering="result__outage")
    def outage(self, row: ContractInvocation) -> str:
        return row.result.outage.reference if row.result else ""
