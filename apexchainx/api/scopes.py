"""The one permission mechanism: a view names the scope it needs, a caller holds scopes."""

from typing import TYPE_CHECKING, cast

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apexchainx import context
from apexchainx.accounts.services.keys import Service
from apexchainx.errors import Refused

if TYPE_CHECKING:
    from rest_framework.views import APIView

PUBLIC = ""
# Every person; a program has no account to look at.
ANY_USER = "*"
# An admin who acts in another's name uses none of these: money and rules take two people.
IN_PERSON = {"admin:full", "payments:approve", "disputes:rule", "policy:write"}


def required(view: "APIView", method: str) -> str:
    """The scope for this call: the action's own entry, else the method's, else `read` or `write`."""
    scopes: dict[str, str] = getattr(view, "scopes", {})
    for key in names_of(view, method):
        if key in scopes:
            return scopes[key]
    raise LookupError(f"{type(view).__name__} names no scope for {method} {getattr(view, 'action', '')}")


def names_of(view: "APIView", method: str) -> tuple[str, str, str]:
    """What a view may call this call, the most precise name first."""
    method = "GET" if method == "HEAD" else method
    return (
        getattr(view, "action", None) or "",
        method.lower(),
        "read" if method in SAFE_METHODS else "write",
    )


def takes_keys(view: "APIView", method: str) -> bool:
    """Whether a program may make this call; a view names in `people_only` what it keeps for people."""
    kept: set[str] = getattr(view, "people_only", set())
    return required(view, method) not in {PUBLIC, ANY_USER} and kept.isdisjoint(names_of(view, method))


def takes_impersonators(view: "APIView", method: str) -> bool:
    """Whether an admin may make this call in a user's name.

    Of the account itself they change nothing, except what a view names in `impersonators_too`.
    """
    scope, names = required(view, method), names_of(view, method)
    if scope == ANY_USER and method not in SAFE_METHODS:
        return not getattr(view, "impersonators_too", set()).isdisjoint(names)
    return scope not in IN_PERSON


def refuse_without_second_factor(request: Request) -> None:
    """An admin who has to set one up reaches the views that serve this, and no others."""
    if getattr(request.user, "lacks_second_factor", False):
        raise Refused("Set up a second factor first.", code="TWO_FACTOR_SETUP_REQUIRED")


def refuse_in_anothers_place(request: Request, view: "APIView") -> None:
    """Programs, and admins in a user's name, do not do what is for the person alone."""
    method = request.method or ""
    if isinstance(cast("object", request.user), Service) and not takes_keys(view, method):
        raise Refused("This is for people; an API key does not open it.")
    if context.current().impersonator and not takes_impersonators(view, method):
        raise Refused("Nobody does this in another's name.")


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
        if getattr(view, "needs_second_factor", True):
            refuse_without_second_factor(request)
        refuse_in_anothers_place(request, view)
        return scope == ANY_USER or scope in getattr(request.user, "scopes", ())
