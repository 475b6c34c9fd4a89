"""What stands beneath an outage: its facts, its analyses and what was promised. All of it is read only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from outages.models import Fact, FollowUp, RootCauseAnalysis


class Shown(admin.TabularInline):
    extra = max_num = 0
    can_delete = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_add_permission = has_delete_permission = has_change_permission


class FactInline(Shown):
    model = Fact
    fields = ("kind", "detail", "occurred_at", "recorded_at", "actor")


class AnalysisInline(Shown):
    model = RootCauseAnalysis
    fields = ("version", "status", "root_cause", "created_by", "created_at")
    show_change_link = True


class FollowUpInline(Shown):
    model = FollowUp
    fields = ("number", "action", "owner", "due_on", "done_at", "done_by")
    show_change_link = True
