"""Outages in the admin: who sees what, what a page costs, and what the forms refuse."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client

from apexchainx import context
from apexchainx.accounts.models import User
from audit.models import AuditEvent
from conftest import NOW
from outages.admin.operations import OPERATIONS
from outages.models import Outage
from outages.services.pausing import pause
from outages.services.rca import Promise, analyse
from payments.services.settling import settle

pytestmark = pytest.mark.django_db

OUTAGES, FOLLOW_UPS = "/admin/outages/outage/", "/admin/outages/followup/"
NAMES = {operation.name for operation in OPERATIONS}

Make = Callable[..., Outage]


@pytest.fixture
def staff(clock: time_machine.Traveller, make_user: Callable[..., User]) -> Callable[[str], Client]:
    """A browser in which a staff user of this role has signed in."""

    def make(role: str) -> Client:
        client = Client()
        client.force_login(make_user(role, is_staff=True))
        return client

    return make


@pytest.fixture
def engineer(staff: Callable[[str], Client]) -> Client:
    return staff("engineer")


def choose(client: Client, operation: str, *outages: Outage, **values: Any) -> Any:
    """Ask for an operation, or answer what it asks."""
    chosen = {"action": operation, "_selected_action": [outage.pk for outage in outages], "index": 0}
    return client.post(OUTAGES, {**chosen, **values})


def answer(client: Client, operation: str, *outages: Outage, **values: Any) -> list[str]:
    """What the next page says."""
    response = choose(client, operation, *outages, answered="yes", **values)
    assert response.status_code == 302
    return [str(message) for message in get_messages(response.wsgi_request)]


def listed(client: Client, query: str = "") -> list[str]:
    changelist = client.get(f"{OUTAGES}?{query}").context["cl"]
    return sorted(outage.reference for outage in changelist.result_list)


# The list


@pytest.mark.parametrize("number", [2, 45])
def test_a_page_costs_the_same_for_any_number_of_rows(
    engineer: Client, make_outage: Make, django_assert_num_queries: Any, number: int
) -> None:
    for minutes in range(number):
        outage = make_outage(detected_at=NOW - timedelta(minutes=minutes))
        if minutes % 2:
            settle(outage.reference)
    engineer.get(OUTAGES)

    with django_assert_num_queries(11):
        assert len(listed(engineer)) == number


@pytest.mark.parametrize(
    ("minutes", "paused", "shown"),
    [
        (0, False, '<span class="sla-calm">15 min left, until 10:16</span>'),
        (11, False, '<span class="sla-calm">4 min left, until 10:05</span>'),
        (12, False, '<span class="sla-at-risk">3 min left, until 10:04</span>'),
        (15, False, '<span class="sla-at-risk">0 min left, until 10:01</span>'),
        (16, False, '<span class="sla-breached">breached, 1 min over</span>'),
        (12, True, '<span class="sla-at-risk">paused, 3 min left</span>'),
    ],
)
def test_the_countdown(engineer: Client, make_outage: Make, minutes: int, paused: bool, shown: str) -> None:
    outage = make_outage(detected_at=NOW - timedelta(minutes=minutes))
    if paused:
        pause(outage.reference, reason="Storm")

    assert shown in engineer.get(OUTAGES).content.decode()
    assert shown in engineer.get(f"{OUTAGES}{outage.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["A", "B", "C", "D"]),
        ("state=resolved", ["C", "D"]),
        ("severity=low", ["B"]),
        ("region=North", ["A"]),
        ("paused=yes", ["B"]),
        ("paused=no", ["A", "C", "D"]),
        ("chronic=yes", ["D"]),
        ("source=alarm", ["A"]),
        ("q=tower+north", ["A"]),
    ],
)
def test_filters_and_search(
    engineer: Client, acting: context.Context, make_outage: Make, query: str, found: list[str]
) -> None:
    make_outage(reference="A", site_name="Tower North", region="North", source="alarm")
    make_outage(reference="B", severity="low")
    pause("B", reason="Storm")
    for reference, days in (("C", 2), ("D", 1)):
        detected = NOW - timedelta(days=days)
        make_outage(reference=reference, detected_at=detected)
        settle(reference, at=detected + timedelta(minutes=5), root_cause="A digger")

    assert listed(engineer, query) == found


# The page of one outage


def test_the_page_of_one_outage(
    engineer: Client, parties: None, acting: context.Context, make_outage: Make
) -> None:
    outage = make_outage(detected_at=NOW - timedelta(minutes=5))
    settle(outage.reference)
    analyse(outage.reference, root_cause="A digger", follow_ups=[Promise("Bury it", "Ada", date(2026, 2, 1))])
    result, payment = outage.sla_results.get(), outage.payments.get()

    response = engineer.get(f"{OUTAGES}{outage.pk}/change/")

    page = response.content.decode()
    assert f'href="/admin/sla/slaresult/{result.pk}/change/"' in page
    assert f'href="/admin/payments/payment/{payment.pk}/change/"' in page
    assert [entry["event_type"] for entry in response.context["timeline"]] == [
        "created",
        "resolved",
        "sla_evaluated",
        "sla.reward",
        "payment_triggered",
        "rca.published",
        "follow_up.added",
    ]
    assert [len(inline.formset.forms) for inline in response.context["inline_admin_formsets"]] == [3, 1, 1]
    assert [one.name for one in response.context["operations"]] == ["assign", "comment"]
    assert 'name="_save"' not in page


def test_a_page_that_is_not_there(engineer: Client) -> None:
    assert engineer.get(f"{OUTAGES}999999/change/").status_code == 302


# Rights


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_who_only_reads_is_offered_nothing(
    staff: Callable[[str], Client], make_outage: Make, role: str
) -> None:
    client, outage = staff(role), make_outage()

    assert client.get(OUTAGES).context["action_form"] is None
    assert client.get(f"{OUTAGES}{outage.pk}/change/").context["operations"] == []
    choose(client, "acknowledge", outage, answered="yes")
    outage.refresh_from_db()
    assert outage.acknowledged_at is None


@pytest.mark.parametrize("role", ["engineer", "manager", "admin"])
def test_who_writes_is_offered_every_operation(
    staff: Callable[[str], Client], make_outage: Make, role: str
) -> None:
    client, outage = staff(role), make_outage()

    assert set(client.get(f"{OUTAGES}{outage.pk}/change/").context["operations"]) == set(OPERATIONS)
    assert answer(client, "acknowledge", outage) == [f"Acknowledged: {outage.reference}."]


# Operations


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_operation_asks_first(engineer: Client, make_outage: Make, name: str) -> None:
    first, second = make_outage(reference="A"), make_outage(reference="B", site_name="<Tower>")
    written = AuditEvent.objects.count()

    response = choose(engineer, name, first, second)

    page = response.content.decode()
    assert response.context["title"] == f"{name.capitalize()} 2 outages"
    assert "&lt;Tower&gt;" in page
    assert "<script>" not in page
    assert AuditEvent.objects.count() == written


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [
        ("assign", {}, "assigned_to"),
        ("assign", {"assigned_to": "x" * 256}, "assigned_to"),
        ("pause", {"reason": " "}, "reason"),
        ("pause", {"reason": "x" * 501}, "reason"),
        ("pause", {"reason": "Storm", "occurred_at_0": "2026-01-16"}, "occurred_at"),
        ("resolve", {}, "reason"),
        ("resolve", {"reason": "Done", "minutes": "-1"}, "minutes"),
        ("resolve", {"reason": "Done", "minutes": "ten"}, "minutes"),
        ("resolve", {"reason": "Done", "at_0": "2026-02-30", "at_1": "10:00"}, "at"),
        ("merge", {"into": "A"}, "reason"),
        ("merge", {"reason": "Same"}, "into"),
        ("comment", {"text": "x" * 5001}, "text"),
    ],
)
def test_a_form_names_what_is_wrong(
    engineer: Client, make_outage: Make, name: str, values: dict[str, str], field: str
) -> None:
    outage = make_outage()
    written = AuditEvent.objects.count()

    response = choose(engineer, name, outage, answered="yes", **values)

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert AuditEvent.objects.count() == written


def test_a_reason_stands_or_falls_with_what_it_is_for(engineer: Client, make_outage: Make) -> None:
    outage = make_outage()
    settle(outage.reference)

    assert answer(engineer, "acknowledge", outage, reason="Late") == [
        f"{outage.reference}: Outage {outage.reference} is already resolved."
    ]
    assert not AuditEvent.objects.filter(event="outage.commented").exists()


def test_times_are_in_utc(engineer: Client, make_outage: Make) -> None:
    outage = make_outage(detected_at=NOW - timedelta(minutes=30))
    values = {"reason": "Storm", "occurred_at_0": "2026-01-16", "occurred_at_1": "09:45:00"}

    assert answer(engineer, "pause", outage, **values) == [f"Paused: {outage.reference}."]
    outage.refresh_from_db()
    assert outage.paused_at == NOW - timedelta(minutes=15)


def test_more_than_a_hundred_are_not_taken(engineer: Client, make_outage: Make) -> None:
    outages = [make_outage() for _ in range(101)]

    assert answer(engineer, "acknowledge", *outages) == ["Select at most 100 outages."]
    assert Outage.objects.filter(acknowledged_at__isnull=False).count() == 0
    answer(engineer, "acknowledge", *outages[1:])
    assert Outage.objects.filter(acknowledged_at__isnull=False).count() == 100


def test_the_way_back_leads_to_the_list(engineer: Client, make_outage: Make) -> None:
    response = choose(
        engineer, "acknowledge", make_outage(), answered="yes", filters="https://evil.example/?x=1"
    )

    assert response["Location"].startswith(f"{OUTAGES}?")


# Reports


def test_an_outage_is_reported(engineer: Client) -> None:
    report = {
        "site_name": "Tower A",
        "severity": "high",
        "detected_at_0": "2026-01-16",
        "detected_at_1": "09:30",
    }

    response = engineer.post(f"{OUTAGES}add/", report)

    assert response.status_code == 302
    outage = Outage.objects.get()
    assert (outage.site_name, outage.source, outage.detected_at) == (
        "Tower A",
        "admin",
        NOW - timedelta(minutes=30),
    )
    assert AuditEvent.objects.get(stream=outage.stream).event == "outage.created"


@pytest.mark.parametrize("day", ["2026-01-17", "1999-12-31"])
def test_a_report_of_another_time_is_refused(engineer: Client, day: str) -> None:
    report = {"site_name": "Tower A", "severity": "high", "detected_at_0": day, "detected_at_1": "09:30"}

    response = engineer.post(f"{OUTAGES}add/", report)

    assert response.context["errors"] == [["The detection lies between 2000-01-01 and now."]]
    assert Outage.objects.count() == 0


# Follow-ups


def test_follow_ups_are_done_and_opened_again(
    engineer: Client, acting: context.Context, make_outage: Make
) -> None:
    outage = make_outage()
    settle(outage.reference)
    analyse(
        outage.reference, root_cause="A digger", follow_ups=[Promise("Bury it", "Ada", date(2026, 1, 15))]
    )
    item = outage.follow_ups.get()
    said = []
    for name, overdue in (("finish", 0), ("reopen", 1)):
        response = engineer.post(FOLLOW_UPS, {"action": name, "_selected_action": [item.pk], "index": 0})
        said += [str(message) for message in get_messages(response.wsgi_request)]
        shown = engineer.get(f"{FOLLOW_UPS}?status=overdue").context["cl"]
        assert shown.result_count == overdue

    name = f"{outage.reference}, 1. Bury it"
    assert said == [f"{name}: done.", f"{name}: open again."]
    assert AuditEvent.objects.filter(event__startswith="follow_up").count() == 3


def test_analyses_are_listed(engineer: Client, acting: context.Context, make_outage: Make) -> None:
    outage = make_outage()
    settle(outage.reference)
    analyse(outage.reference, root_cause="A digger")

    assert engineer.get("/admin/outages/rootcauseanalysis/").context["cl"].result_count == 1
    pk = outage.analyses.get().pk
    assert engineer.get(f"/admin/outages/rootcauseanalysis/{pk}/change/").status_code == 200
