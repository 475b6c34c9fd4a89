import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from apexchainx.accounts.models import User
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "Blue-horse-7")


def createsuperuser(address: str) -> str:
    out = io.StringIO()
    call_command("createsuperuser", interactive=False, email=address, stdout=out)
    return out.getvalue()


def test_the_first_admin(anonymous: APIClient) -> None:
    said = createsuperuser("Root@Example.com")

    user = User.objects.get()
    assert "Superuser created successfully." in said
    assert (user.email, user.role) == ("root@example.com", "admin")
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, True, True)
    response = anonymous.post("/api/v1/auth/login", {"email": "root@example.com", "password": "Blue-horse-7"})
    assert (response.status_code, response.json()["user"]["role"]) == (200, "admin")


def test_it_is_recorded_as_the_commands_work() -> None:
    createsuperuser("root@example.com")

    user = User.objects.get()
    created = AuditEvent.objects.get(event="user.created")
    assert (created.subject, created.actor, created.source) == (f"user:{user.pk}", "system", "command")
    assert created.data == {"email": "root@example.com", "role": "admin"}
    assert "Blue-horse-7" not in str(list(AuditEvent.objects.values()))


def test_an_address_is_taken_once(make_user: Callable[..., User], facts: Callable[..., Any]) -> None:
    make_user(email="root@example.com")

    with pytest.raises(CommandError, match="already taken"):
        createsuperuser("ROOT@example.com")
    assert User.objects.get().role == "engineer"
    assert facts() == []
