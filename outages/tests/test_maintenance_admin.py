"""Maintenance windows in the admin: planned and decided by the same services."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apexchainx import context
from apexchainx.accounts.models import User
from audit.models import AuditEvent
from outages.models import MaintenanceWindow
from outages.services import maintenance
from outages.tests.test_maintenance import DRAFT

pytestmark = pytest.mark.django_db

WINDOWS = "/admin/outages/maintenancewindow/"
FORM = {
    "name": "Core upgrade",
    "region": "West",
    "starts_at_0": "2026-02-01",
    "starts_at_1": "22:00:00",
    "ends_at_0": "2026-02-02",
    "ends_at_1": "02:00:00",
    "reason": "Firmware 7.2",
}


@pytest.fixture
def staff(make_user: Callable[..., User]) -> User:
    return make_user("manager", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def drafted() -> MaintenanceWindow:
    with context.acting_as("5", source="api"):
        return maintenance.plan(DRAFT)


def act(browser: Client, action: str, *windows: MaintenanceWindow) -> list[str]:
    body = {"action": action, "_selected_action": [window.pk for window in windows]}
    answer: Any = browser.post(WINDOWS, body, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_a_window_is_planned_through_the_service(browser: Client, staff: User) -> None:
    answer = browser.post(f"{WINDOWS}add/", FORM, follow=True)

    window = MaintenanceWindow.objects.get()
    assert answer.status_code == 200
    assert (window.region, window.starts_at, window.status) == ("West", DRAFT.starts_at, "draft")
    fact = AuditEvent.objects.get(event="maintenance.planned")
    assert (fact.actor, fact.source) == (str(staff.pk), "admin")


def test_a_bad_plan_is_told_beside_its_field(browser: Client) -> None:
    answer: Any = browser.post(f"{WINDOWS}add/", {**FORM, "service": "Voice"})

    assert answer.context["adminform"].form.errors == {
        "site_name": ["Name exactly one of site_name, region, service."]
    }
    assert not MaintenanceWindow.objects.exists()


def test_windows_are_approved_and_withdrawn(browser: Client, drafted: MaintenanceWindow) -> None:
    assert act(browser, "approve", drafted) == [f"{drafted.reference} is approved."]
    [refusal] = act(browser, "approve", drafted)
    assert refusal.endswith("is approved and stays as it is; withdraw it and plan another.")
    assert act(browser, "withdraw", drafted) == [f"{drafted.reference} is withdrawn."]
    drafted.refresh_from_db()
    assert drafted.status == "withdrawn"


def test_nobody_approves_their_own_window_here_either(browser: Client) -> None:
    browser.post(f"{WINDOWS}add/", FORM, follow=True)
    own = MaintenanceWindow.objects.get()

    assert act(browser, "approve", own) == [
        f"{own.reference}: Whoever planned or changed a maintenance window cannot approve it."
    ]
    own.refresh_from_db()
    assert own.status == "draft"


def test_an_engineer_is_not_offered_the_approval(
    browser: Client, staff: User, drafted: MaintenanceWindow
) -> None:
    User.objects.filter(pk=staff.pk).update(role="engineer")

    act(browser, "approve", drafted)

    drafted.refresh_from_db()
    assert drafted.status == "draft"


@pytest.mark.parametrize(("status", "found"), [("draft", 1), ("approved", 0), ("withdrawn", 0), ("", 1)])
def test_the_list_shows_and_filters(
    browser: Client, drafted: MaintenanceWindow, status: str, found: int
) -> None:
    answer: Any = browser.get(WINDOWS, {"status": status, "q": "west"} if status else {})

    assert answer.context["cl"].result_count == found
    assert browser.get(f"{WINDOWS}{drafted.pk}/change/").status_code == 200
    assert browser.get(f"{WINDOWS}{drafted.pk}/delete/").status_code == 403
