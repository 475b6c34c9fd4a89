from typing import Any, ClassVar

import pytest
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from apexchainx.accounts.models import SCOPES, Role, User
from apexchainx.api.scopes import ANY_USER, PUBLIC

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


def call(view: Any, method: str, user: User | None = None) -> int:
    request = APIRequestFactory().generic(method.upper(), "/", "{}", content_type="application/json")
    if user:
        force_authenticate(request, user)
    return int(view(request).status_code)


def view_with(**scopes: str) -> Any:
    class Plain(APIView):
        authentication_classes = ()

        def get(self, _request: Request) -> Response:
            return Response({})

        def post(self, _request: Request) -> Response:
            return Response({})

    Plain.scopes = scopes  # type: ignore[attr-defined]
    return Plain.as_view()


class Things(viewsets.ViewSet):
    scopes: ClassVar = {"read": "outages:read", "create": "payments:approve", "write": "outages:write"}

    def list(self, _request: Request) -> Response:
        return Response([])

    def create(self, _request: Request) -> Response:
        return Response({})

    def partial_update(self, _request: Request) -> Response:
        return Response({})


THINGS = Things.as_view({"get": "list", "post": "create", "patch": "partial_update"})


def test_an_actions_own_scope_goes_before_the_methods() -> None:
    engineer, manager, viewer = User(role=Role.ENGINEER), User(role=Role.MANAGER), User(role=Role.VIEWER)

    assert [call(THINGS, method, viewer) for method in ("get", "head", "post", "patch")] == [
        200,
        200,
        403,
        403,
    ]
    assert [call(THINGS, method, engineer) for method in ("get", "head", "post", "patch")] == [
        200,
        200,
        403,
        200,
    ]
    assert [call(THINGS, method, manager) for method in ("get", "head", "post", "patch")] == [
        200,
        200,
        200,
        200,
    ]


def test_nobody_comes_in_without_a_name() -> None:
    assert [call(THINGS, method) for method in ("get", "head", "post", "patch")] == [401, 401, 401, 401]


def test_public_is_for_everybody_and_any_user_for_whoever_is_known() -> None:
    view = view_with(get=PUBLIC, post=ANY_USER)

    assert [call(view, method) for method in ("get", "head", "post")] == [200, 200, 403]
    assert [call(view, method, User(role=Role.VIEWER)) for method in ("get", "head", "post")] == [
        200,
        200,
        200,
    ]


@pytest.mark.parametrize("user", [None, User(role=Role.ADMIN)])
def test_what_there_is_not_is_405_for_everybody(user: User | None) -> None:
    assert [call(THINGS, method, user) for method in ("put", "delete", "trace", "purge")] == [405] * 4
    view = view_with(get=PUBLIC, post=ANY_USER)
    assert [call(view, method, user) for method in ("put", "patch", "delete")] == [405] * 3


@pytest.mark.parametrize("user", [None, User(role=Role.VIEWER)])
def test_options_names_the_methods_and_nothing_else(user: User | None) -> None:
    request = APIRequestFactory().options("/")
    if user:
        force_authenticate(request, user)

    response = THINGS(request)

    assert response.status_code == 200
    assert response.data == {"methods": ["GET", "POST", "PATCH", "HEAD", "OPTIONS"]}
    assert response["Allow"] == "GET, POST, PATCH, HEAD, OPTIONS"


def test_a_view_that_names_no_scope_is_closed_to_everybody() -> None:
    view = view_with(get="outages:read")

    assert call(view, "post", User(role=Role.ADMIN)) == 500


def test_roles_hold_what_the_table_says() -> None:
    reads = {"outages:read", "sla:read", "payments:read", "wallets:read"}
    acts = {"outages:write", "sla:write", "disputes:write", "payments:write", "wallets:write"}
    rules = {"payments:approve", "disputes:rule", "policy:write", "webhooks:write"}

    assert {
        "viewer": reads,
        "engineer": reads | acts | {"webhooks:read", "jobs:read"},
        "manager": reads | acts | rules | {"webhooks:read", "jobs:read"},
        "auditor": reads | {"webhooks:read", "audit:read", "jobs:read"},
        "admin": reads | acts | rules | {"webhooks:read", "jobs:read", "audit:read", "admin:full"},
    } == SCOPES
