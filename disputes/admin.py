from django.contrib import admin

from apexchainx.read_only_admin import ReadOnly
from disputes.models import Dispute


@admin.register(Dispute)
class DisputeAdmin(ReadOnly):
    list_display = ("reference", "outage", "status", "filed_by", "created_at")
    list_filter = ("status",)
    search_fields = ("outage__reference", "reason", "filed_by")
    date_hierarchy = "created_at"
    list_select_related = ("outage",)
