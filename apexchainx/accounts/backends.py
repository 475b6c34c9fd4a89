"""The admin site: how staff enters it, and who may do what there, which is the scopes again."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from apexchainx import context
from apexchainx.accounts.models import User
from apexchainx.accounts.services.login import authenticate
from apexchainx.api.client import address_of
from apexchainx.errors import DomainError

# By app, the scope that shows it and the scope that acts in it. Every other app takes admin:full.
SCOPES = {
    "audit": ("audit:read", "admin:full"),
    "wallets": ("wallets:read", "wallets:write"),
    "outages": ("outages:read", "outages:write"),
    "sla": ("sla:read", "policy:write"),
    "payments": ("payments:read", "payments:write"),
    "disputes": ("sla:read", "disputes:write"),
    "webhooks": ("webhooks:read", "webhooks:write"),
    "django_celery_results": ("jobs:read", "admin:full"),
}


class SignInForm(AdminAuthenticationForm):
    """The same door as the API's: one count of failures, one second factor, one log."""

    code = forms.CharField(
        required=False,
        max_length=32,
        label="Code of your second factor, if you have one:",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not given.get("username") or not given.get("password"):
            return given
        here = context.current()
        try:
            with context.acting_as(here.actor, source="admin", correlation_id=here.correlation_id):
                self.user_cache = authenticate(
                    email=given["username"],
                    password=given["password"],
                    code=given.get("code", ""),
                    address=address_of(self.request) if self.request else "",
                    is_for_staff=True,
                )
        except DomainError as refusal:
            raise forms.ValidationError(refusal.message, code=refusal.code) from refusal
        return given


class ScopesBackend(ModelBackend):
    """Django's permissions, derived from the role; nothing is granted row by row."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> None:
        """Nobody enters by a password alone, past the count of failures: the form above is the door."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        app, _, codename = perm.partition(".")
        to_see, to_act = SCOPES.get(app, ("admin:full", "admin:full"))
        needed = {"view": to_see, "add": to_act, "change": to_act}.get(
            codename.partition("_")[0], "admin:full"
        )
        return isinstance(user_obj, User) and user_obj.is_active and needed in user_obj.scopes

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return self.has_perm(user_obj, f"{app_label}.view_")
