"""Outages for NOC staff: how long is left, what happened, and what may be done."""

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apexchainx.read_only_admin import ReadOnly
from audit.models import AuditEvent
from outages.admin.countdown import countdowns
from outages.admin.evidence import AnalysisInline, FactInline, FollowUpInline
from outages.admin.operations import OPERATIONS, Operation
from outages.models import Outage, Word
from outages.serializers.outage import CLOCK_SKEW, EARLIEST
from outages.serializers.timeline import recorded
from outages.services.reporting import Report, create
from sla.models import SLAResult

NOTHING = "-"
# A page that asks shows them all, and each is a transaction of its own.
MOST_AT_ONCE = 100
REPORTED = (
    "site_name",
    "site_id",
    "region",
    "severity",
    "description",
    "affected_services",
    "affected_subscribers",
    "assigned_to",
    "team",
    "operator",
    "detected_at",
)


class ReportForm(forms.ModelForm):
    class Meta:
        model = Outage
        fields = REPORTED

    def clean_detected_at(self) -> Any:
        detected_at = self.cleaned_data["detected_at"]
        if not EARLIEST <= detected_at <= timezone.now() + CLOCK_SKEW:
            raise forms.ValidationError("The detection lies between 2000-01-01 and now.")
        return detected_at


class YesNoFilter(admin.SimpleListFilter):
    """Whether a column says something."""

    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outage]) -> QuerySet[Outage]:
        if self.value() is None:
            return queryset
        return queryset.filter(**{f"{self.column}__isnull": self.value() == "no"})


class PausedFilter(YesNoFilter):
    title, parameter_name, column = "paused", "paused", "paused_at"


class ChronicFilter(YesNoFilter):
    title, parameter_name, column = "chronic", "chronic", "recurrence_of"


class CountingDown(ChangeList):
    """A page of outages, each with its countdown."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        found = countdowns(self.result_list)
        for outage in self.result_list:
            outage.counting_down = found.get(outage.pk)


@admin.register(Outage)
class OutageAdmin(ReadOnly):
    """Reported and changed by the same services as over HTTP; what is stated is evidence and stays."""

    list_display = (
        "reference",
        "severity",
        "state",
        "sla",
        "site_name",
        "region",
        "assigned_to",
        "detected_at",
        "mttr_minutes",
        "recurrence_of",
    )
    list_filter = ("state", "severity", PausedFilter, ChronicFilter, "source", "region")
    list_per_page = 50
    search_fields = ("search_vector",)  # The search of the lists, by the same index.
    search_help_text = "Words of site, services, cause, description or notes; an id, or a part of one."
    date_hierarchy = "detected_at"
    list_select_related = ("recurrence_of", "merged_into")
    autocomplete_fields = ("team", "operator")
    readonly_fields = ("sla", "sla_result", "payment")
    inlines = (FactInline, AnalysisInline, FollowUpInline)
    form = ReportForm
    fieldsets = (
        (None, {"fields": ("reference", "severity", "state", "sla", "description", "affected_services")}),
        ("Place", {"fields": ("site_name", "site_id", "region", "affected_subscribers")}),
        ("People", {"fields": ("assigned_to", "acknowledged_by", "team", "operator", "created_by")}),
        ("Clock", {"fields": ("detected_at", "recorded_at", "acknowledged_at", "paused_at")}),
        (
            "End",
            {"fields": ("resolved_at", "resolved_by", "mttr_minutes", "resolution_notes", "root_cause")},
        ),
        ("Links", {"fields": ("sla_result", "payment", "recurrence_of", "merged_into")}),
        ("Source", {"fields": ("source", "fingerprint", "alarm_started_at", "correlation_id")}),
    )

    class Media:
        css = {"all": ("outages/admin.css",)}

    def has_write_permission(self, request: HttpRequest) -> bool:
        return "outages:write" in getattr(request.user, "scopes", ())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_write_permission(request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CountingDown

    def get_queryset(self, request: HttpRequest) -> QuerySet[Outage]:
        latest = SLAResult.objects.filter(is_latest=True).select_related("policy", "payment")
        outages = super().get_queryset(request)
        return outages.prefetch_related(Prefetch("sla_results", queryset=latest, to_attr="latest_results"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Outage], search_term: str
    ) -> tuple[QuerySet[Outage], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(Word.objects.sought(search_term).condition), False

    def get_fieldsets(self, request: HttpRequest, obj: Outage | None = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else [(None, {"fields": REPORTED})]

    def get_inlines(self, request: HttpRequest, obj: Outage | None) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def save_model(self, request: HttpRequest, obj: Outage, form: Any, change: bool) -> None:
        stated = dict(form.cleaned_data)
        for party in ("team", "operator"):
            stated[party] = stated[party].key if stated[party] else ""
        made = create(Report(**stated))
        obj.pk, obj.reference = made.pk, made.reference

    # What is shown

    @admin.display(description="SLA")
    def sla(self, outage: Outage) -> str | SafeString:
        """The countdown while it is open, then the outcome."""
        result = latest(outage)
        if result is not None:
            mood = "calm" if result.status == SLAResult.Status.MET else "breached"
            return format_html('<span class="sla-{}">{}</span>', mood, result.status)
        if outage.merged_into is not None:
            return f"merged into {outage.merged_into.reference}"
        if not hasattr(outage, "counting_down"):
            outage.counting_down = countdowns([outage]).get(outage.pk)  # type: ignore[attr-defined]
        left = outage.counting_down  # type: ignore[attr-defined]
        return format_html('<span class="sla-{}">{}</span>', left.mood, str(left)) if left else NOTHING

    @admin.display(description="SLA result")
    def sla_result(self, outage: Outage) -> str | SafeString:
        result = latest(outage)
        return link("admin:sla_slaresult_change", result) if result else NOTHING

    @admin.display
    def payment(self, outage: Outage) -> str | SafeString:
        payment = getattr(latest(outage), "payment", None)
        return link("admin:payments_payment_change", payment) if payment else NOTHING

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        outage = self.get_object(request, object_id)
        shown = (
            {}
            if outage is None
            else {
                "timeline": [recorded(entry) for entry in AuditEvent.objects.stream(outage.stream)],
                "operations": [one for one in OPERATIONS if one.is_for_resolved or not outage.is_resolved]
                if self.has_write_permission(request)
                else [],
            }
        )
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    # What may be done

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if self.has_write_permission(request):
            for operation in OPERATIONS:
                actions[operation.name] = (acting(operation), operation.name, f"{operation.title} ...")
        return actions


def latest(outage: Outage) -> SLAResult | None:
    results: list[SLAResult] = outage.latest_results  # type: ignore[attr-defined]
    return next(iter(results), None)


def link(view: str, row: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse(view, args=[row.pk]), row)


def acting(operation: Operation) -> Callable[..., Any]:
    """As the admin calls an action."""
    return update_wrapper(partial(ask, operation), ask)


def ask(
    operation: Operation, outages_admin: OutageAdmin, request: HttpRequest, selected: QuerySet[Outage]
) -> HttpResponse | None:
    """First the page that asks, then what it answers; one outage that refuses does not stop the others."""
    outages = list(selected.order_by("pk")[: MOST_AT_ONCE + 1])
    if len(outages) > MOST_AT_ONCE:
        outages_admin.message_user(request, f"Select at most {MOST_AT_ONCE} outages.", messages.ERROR)
        return None
    is_answered = "answered" in request.POST
    form = operation.form(request.POST if is_answered else None)
    if not is_answered or not form.is_valid():
        return page(operation, outages_admin, request, outages, form)
    done, refused = operation.perform_all(outages, form.cleaned_data)
    for sentence in refused:
        outages_admin.message_user(request, sentence, messages.ERROR)
    if done:
        outages_admin.message_user(request, f"{operation.done}: {', '.join(done)}.", messages.SUCCESS)
    filters = QueryDict(request.POST.get("filters", "")).urlencode()
    return HttpResponseRedirect(f"{request.path}?{filters}" if filters else request.path)


def page(
    operation: Operation,
    outages_admin: OutageAdmin,
    request: HttpRequest,
    outages: list[Outage],
    form: forms.Form,
) -> TemplateResponse:
    """What it asks is posted to the unfiltered list, so that whatever is shown on it is meant."""
    filters = request.POST.get("filters", request.GET.urlencode())
    found = countdowns(outages)
    context = {
        **outages_admin.admin_site.each_context(request),
        "title": f"{operation.title} {len(outages)} outage{'' if len(outages) == 1 else 's'}",
        "operation": operation,
        "form": form,
        "media": outages_admin.media + form.media,
        "outages": [(outage, found.get(outage.pk)) for outage in outages],
        "selection": ACTION_CHECKBOX_NAME,
        "filters": filters,
        "opts": outages_admin.opts,
    }
    return TemplateResponse(request, "admin/outages/outage/operation.html", context)
