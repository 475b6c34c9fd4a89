"""The one permission mechanism: a view names the scope it needs, a caller holds scopes."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView

PUBLIC = ""
ANY_USER = "*"


def required(view: "APIView", method: str) -> str:
    """The scope for this call: the action's own entry, else the method's, else `read` or `write`."""
    scopes: dict[str, str] = getattr(view, "scopes", {})
    action = getattr(view, "action", None) or ""
    method = "GET" if method == "HEAD" else method
    for key in (action, method.lower(), "read" if method in SAFE_METHODS else "write"):
        if key in scopes:
            return scopes[key]
    raise LookupError(f"{type(view).__name__} names no scope for {method} {action}")


class HasScope(BasePermission):
    """Refuses a caller without the scope; a view without scopes is a programming error, not an open door."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method == "OPTIONS" or request.method not in view.allowed_methods:
            return True  # What there is to call is no secret, and what there is not is 405.
        scope = required(view, request.method)
        if scope == PUBLIC:
            return True
        if not request.user.is_authenticated:
            return False
        return scope == ANY_USER or scope in request.user.scopes
