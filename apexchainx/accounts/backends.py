"""Who may do what in the admin: the scopes again."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from apexchainx.accounts.models import User

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


class ScopesBackend(ModelBackend):
    """Django's permissions, derived from the role; nothing is granted row by row."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        app, _, codename = perm.partition(".")
        to_see, to_act = SCOPES.get(app, ("admin:full", "admin:full"))
        needed = {"view": to_see, "add": to_act, "change": to_act}.get(
            codename.partition("_")[0], "admin:full"
        )
        return isinstance(user_obj, User) and user_obj.is_active and needed in user_obj.scopes

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return self.has_perm(user_obj, f"{app_label}.view_")
