from django.contrib import admin

from apexchainx.read_only_admin import ReadOnly
from audit.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    list_display = ("id", "recorded_at", "event", "subject", "stream", "actor", "impersonator", "source")
    list_filter = ("event", "source")
    search_fields = ("subject", "stream", "correlation_id", "actor", "impersonator")
    date_hierarchy = "recorded_at"
