from django.contrib import admin

from apexchainx.read_only_admin import ReadOnly
from sla.models import PolicyVersion, SLAResult


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
