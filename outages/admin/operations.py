"""What may be done about the selected outages: each asks for values and a reason, and calls its service."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db import transaction

from apexchainx.api.fields import CENTURY
from apexchainx.errors import DomainError
from outages.models import Outage
from outages.models.evidence import LONGEST_DETAIL
from outages.services import lifecycle, merging, pausing
from payments.services.settling import settle


def reason(*, required: bool) -> forms.CharField:
    return forms.CharField(
        max_length=LONGEST_DETAIL,
        required=required,
        widget=forms.Textarea({"rows": 2, "cols": 80}),
        help_text="Stands in the timeline.",
    )


def text(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=settings.MAX_DESCRIPTION_LENGTH,
        required=False,
        widget=forms.Textarea({"rows": 4, "cols": 80}),
    )


def moment(label: str) -> forms.SplitDateTimeField:
    return forms.SplitDateTimeField(
        label=label,
        required=False,
        widget=AdminSplitDateTime(),
        help_text="In UTC; now, if it is left empty.",
    )


class ReasonForm(forms.Form):
    reason = reason(required=False)


class AssignForm(forms.Form):
    assigned_to = forms.CharField(max_length=255)
    reason = reason(required=False)


class PauseForm(forms.Form):
    reason = reason(required=True)
    occurred_at = moment("Since")


class ResumeForm(forms.Form):
    occurred_at = moment("Since")
    reason = reason(required=False)


class ResolveForm(forms.Form):
    at = moment("Resolved at")
    minutes = forms.IntegerField(
        label="MTTR in minutes",
        min_value=0,
        max_value=CENTURY,
        required=False,
        help_text="As the clock measures it, if it is left empty.",
    )
    notes = text("Resolution notes")
    root_cause = text("Root cause")
    reason = reason(required=True)


class MergeForm(forms.Form):
    into = forms.CharField(max_length=64, help_text="The id of the outage that these are duplicates of.")
    reason = reason(required=True)


class CommentForm(forms.Form):
    text = forms.CharField(
        label="Comment",
        max_length=settings.MAX_DESCRIPTION_LENGTH,
        widget=forms.Textarea({"rows": 4, "cols": 80}),
    )


@dataclass(frozen=True, slots=True)
class Operation:
    """`do` takes an outage's reference and what the form asks for."""

    name: str
    done: str
    form: type[forms.Form]
    do: Callable[..., object]
    takes_reason: bool = False
    is_for_resolved: bool = False

    @property
    def title(self) -> str:
        return self.name.capitalize()

    @transaction.atomic
    def perform(self, outage: Outage, values: dict[str, Any]) -> None:
        """A reason that the service does not take is a comment."""
        stated = dict(values)
        reason = "" if self.takes_reason else stated.pop("reason", "")
        self.do(outage.reference, **stated)
        if reason:
            lifecycle.comment(outage.reference, text=reason)

    def perform_all(self, outages: Iterable[Outage], values: dict[str, Any]) -> tuple[list[str], list[str]]:
        """The references of those that it was done to, and a sentence for each that was refused."""
        done, refused = [], []
        for outage in outages:
            try:
                self.perform(outage, values)
            except DomainError as refusal:
                refused.append(f"{outage.reference}: {refusal.message}")
            else:
                done.append(outage.reference)
        return done, refused


OPERATIONS = (
    Operation("acknowledge", "Acknowledged", ReasonForm, lifecycle.acknowledge),
    Operation("investigate", "Under investigation", ReasonForm, lifecycle.investigate),
    Operation("assign", "Assigned", AssignForm, lifecycle.assign, is_for_resolved=True),
    Operation("pause", "Paused", PauseForm, pausing.pause, takes_reason=True),
    Operation("resume", "Resumed", ResumeForm, pausing.resume),
    Operation("resolve", "Resolved", ResolveForm, settle),
    Operation("merge", "Merged", MergeForm, merging.merge),
    Operation("comment", "Commented on", CommentForm, lifecycle.comment, is_for_resolved=True),
)
