"""The admin as NOC staff use it: in a real browser, from the sign-in to the result.

The browser is the system's: CHROMIUM names it, or it is on the PATH. Without one the tests are skipped, and
with REQUIRE_BROWSER=1 they fail.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from apexchainx.accounts.models import Role, User
from audit.models import AuditEvent
from outages.models import Outage
from outages.services.pausing import pause
from payments.services.settling import settle

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "Blue-horse-7"  # noqa: S105
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

Make = Callable[..., Outage]


@pytest.fixture(scope="module")
def _one_thread() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, and Django would not let it near the database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="module")
def browser(_one_thread: None) -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        missing = pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip
        missing(f"There is no browser: name one in CHROMIUM, or put one of {', '.join(NAMES)} on the PATH.")
    options = (*QUIET, "--no-sandbox") if os.geteuid() == 0 else QUIET
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def engineer(make_user: Callable[..., User]) -> User:
    return make_user(
        Role.ENGINEER, email="noc@example.com", password=PASSWORD, is_staff=True, full_name="Ada"
    )


@pytest.fixture
def page(browser: Browser, live_server: Any, engineer: User) -> Iterator[Page]:
    """A page of the signed-in engineer. Whatever the browser complains of, CSP among it, is a failure."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.location["url"].endswith("/favicon.ico"):
            complaints.append(message.text)

    with browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/admin/outages/outage/")
        page.fill("[name=username]", "noc@example.com")
        page.fill("[name=password]", PASSWORD)
        page.click("text=Log in")
        yield page
    assert complaints == []


@pytest.fixture
def outage(make_outage: Make) -> Outage:
    """Critical, five minutes old: ten are left."""
    return make_outage(reference="OUT-1", detected_at=timezone.now() - timedelta(minutes=5, seconds=10))


def choose(page: Page, operation: str, *references: str) -> None:
    """Tick these outages in the list and start an operation."""
    page.goto("/admin/outages/outage/")
    for reference in references:
        page.get_by_role("row").filter(has_text=reference).get_by_role("checkbox").check()
    page.select_option("select[name=action]", operation)
    page.click("button[name=index]")


def confirm(page: Page, operation: str, **values: str) -> None:
    for name, value in values.items():
        page.fill(f"[name={name}]", value)
    page.click(f"input[type=submit][value={operation}]")


def said(page: Page, *sentences: str | re.Pattern[str]) -> None:
    """The next page says exactly this."""
    expect(page.locator(".messagelist li")).to_have_text(list(sentences))


def events(outage: Outage) -> list[str]:
    return list(AuditEvent.objects.stream(outage.stream).values_list("event", flat=True))


def row_says(page: Page, outage: Outage, **columns: str) -> None:
    """In the list."""
    row = page.get_by_role("row").filter(has_text=outage.reference)
    for name, text in columns.items():
        expect(row.locator(f".field-{name}")).to_have_text(text)


def test_the_list_counts_down(page: Page, make_outage: Make, outage: Outage) -> None:
    late = make_outage(reference="OUT-2", detected_at=timezone.now() - timedelta(minutes=20, seconds=10))
    page.reload()

    until = outage.detected_at + timedelta(minutes=16)
    row_says(page, outage, sla=f"10 min left, until {until:%H:%M}")
    row_says(page, late, sla="breached, 5 min over")
    expect(page.locator(".sla-breached")).to_have_css("font-weight", "700")


def test_acknowledge(page: Page, outage: Outage, engineer: User) -> None:
    choose(page, "acknowledge", "OUT-1")
    expect(page.locator("h1").last).to_have_text("Acknowledge 1 outage")
    expect(page.locator(".meant")).to_contain_text("Cell Tower Alpha")
    assert events(outage) == ["outage.created"]
    confirm(page, "Acknowledge", reason="On my screen")

    said(page, "Acknowledged: OUT-1.")
    outage.refresh_from_db()
    assert outage.acknowledged_by == str(engineer.pk)
    assert events(outage) == ["outage.created", "outage.acknowledged", "outage.commented"]
    assert AuditEvent.objects.get(event="outage.commented").data["text"] == "On my screen"
    assert set(AuditEvent.objects.filter(stream=outage.stream)[:2].values_list("actor", "source")) == {
        (str(engineer.pk), "admin")
    }


def test_investigate_and_assign(page: Page, outage: Outage) -> None:
    choose(page, "investigate", "OUT-1")
    confirm(page, "Investigate")
    choose(page, "assign", "OUT-1")
    confirm(page, "Assign", assigned_to="Field team 3")

    said(page, "Assigned: OUT-1.")
    row_says(page, outage, state="Investigating", assigned_to="Field team 3")
    outage.refresh_from_db()
    assert (outage.state, outage.assigned_to) == ("investigating", "Field team 3")


def test_pause_and_resume(page: Page, outage: Outage) -> None:
    choose(page, "pause", "OUT-1")
    confirm(page, "Pause")
    expect(page.locator(".errorlist")).to_have_text("This field is required.")
    assert events(outage) == ["outage.created"]
    confirm(page, "Pause", reason="No access to the site")

    said(page, "Paused: OUT-1.")
    row_says(page, outage, sla="paused, 10 min left")
    assert Outage.objects.filter(paused_at__isnull=False).count() == 1
    choose(page, "resume", "OUT-1")
    confirm(page, "Resume")

    said(page, "Resumed: OUT-1.")
    outage.refresh_from_db()
    assert outage.paused_at is None
    details = list(outage.facts.filter(kind__in=("paused", "resumed")).values_list("kind", "detail"))
    assert details == [("paused", "No access to the site"), ("resumed", "")]


def test_resolve_settles(page: Page, parties: None, outage: Outage) -> None:
    choose(page, "resolve", "OUT-1")
    confirm(page, "Resolve", minutes="5", notes="Spliced", root_cause="A digger", reason="Field team called")

    said(page, "Resolved: OUT-1.")
    row_says(page, outage, state="Resolved", sla="met")
    outage.refresh_from_db()
    assert (outage.mttr_minutes, outage.resolution_notes, outage.root_cause) == (5, "Spliced", "A digger")
    assert AuditEvent.objects.get(event="outage.commented").data["text"] == "Field team called"

    page.get_by_role("link", name="OUT-1", exact=True).click()
    result, payment = outage.sla_results.get(), outage.payments.get()
    page.get_by_role("link", name=str(payment), exact=True).click()
    expect(page.locator("h2", has_text=str(payment))).to_be_visible()
    page.go_back()
    page.get_by_role("link", name=str(result), exact=True).click()
    expect(page.locator("h2", has_text=str(result))).to_be_visible()


def test_resolve_with_times_that_contradict_each_other(page: Page, outage: Outage) -> None:
    choose(page, "resolve", "OUT-1")
    confirm(page, "Resolve", minutes="90", reason="It said so")

    said(page, "OUT-1: The outage cannot end in the future: its clock has counted 5 minutes, not 90.")
    outage.refresh_from_db()
    assert (outage.state, events(outage)) == ("active", ["outage.created"])


def test_merge(page: Page, outage: Outage, make_outage: Make) -> None:
    duplicate = make_outage(reference="OUT-2")
    choose(page, "merge", "OUT-1", "OUT-2")
    expect(page.locator("h1").last).to_have_text("Merge 2 outages")
    confirm(page, "Merge", into="OUT-1", reason="Same mast")

    said(page, "OUT-1: An outage is no duplicate of itself; name another one.", "Merged: OUT-2.")
    row_says(page, duplicate, sla="merged into OUT-1")
    duplicate.refresh_from_db()
    assert duplicate.merged_into == outage
    assert events(duplicate) == ["outage.created", "outage.merged", "outage.commented"]
    assert events(outage) == ["outage.created", "outage.absorbed"]


def test_comment_from_the_page_of_one_outage(page: Page, outage: Outage) -> None:
    page.goto(f"/admin/outages/outage/{outage.pk}/change/")
    page.get_by_role("button", name="Comment").click()
    confirm(page, "Comment", text="<b>Rain</b> & wind")

    said(page, "Commented on: OUT-1.")
    page.get_by_role("link", name="OUT-1", exact=True).click()
    expect(page.locator("#timeline")).to_contain_text("Comment: <b>Rain</b> & wind")
    expect(page.locator("#facts-group")).to_contain_text("detected")


def test_one_that_refuses_does_not_stop_the_others(page: Page, outage: Outage, make_outage: Make) -> None:
    make_outage(reference="OUT-2")
    settle("OUT-2")
    pause(make_outage(reference="OUT-3").reference, reason="Storm")
    choose(page, "pause", "OUT-1", "OUT-2", "OUT-3")
    confirm(page, "Pause", reason="Storm")

    said(
        page,
        "OUT-2: Outage OUT-2 is already resolved.",
        re.compile("^OUT-3: Outage OUT-3 is already paused, since "),
        "Paused: OUT-1.",
    )


def test_the_list_keeps_its_filters(page: Page, outage: Outage, make_outage: Make) -> None:
    make_outage(reference="OUT-2", severity="low")
    page.goto("/admin/outages/outage/?severity=critical")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.get_by_role("row").filter(has_text="OUT-1").get_by_role("checkbox").check()
    page.select_option("select[name=action]", "acknowledge")
    page.click("button[name=index]")
    confirm(page, "Acknowledge")

    said(page, "Acknowledged: OUT-1.")
    assert page.url.endswith("/admin/outages/outage/?severity=critical")
