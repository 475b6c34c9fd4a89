"""Maintenance windows: planned, approved by somebody else, withdrawn and kept."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from time_machine import Traveller

from apexchainx import context
from apexchainx.errors import Conflict
from audit.models import AuditEvent
from conftest import PREFIX
from outages.models import MaintenanceWindow, Outage
from outages.services import maintenance
from outages.services.resolving import evidence_of

pytestmark = pytest.mark.django_db

WINDOWS = f"{PREFIX}/maintenance-windows"
BODY = {
    "name": "Core upgrade",
    "region": "West",
    "starts_at": "2026-02-01T22:00:00Z",
    "ends_at": "2026-02-02T02:00:00Z",
    "reason": "Firmware 7.2",
}
DRAFT = maintenance.Plan(
    name="Core upgrade",
    region="West",
    starts_at=datetime(2026, 2, 1, 22, tzinfo=UTC),
    ends_at=datetime(2026, 2, 2, 2, tzinfo=UTC),
    reason="Firmware 7.2",
)


@pytest.fixture(autouse=True)
def _in_january(clock: Traveller) -> None:
    """Two weeks before the windows of these tests."""


@pytest.fixture
def engineer(client_as: Callable[[str], Any]) -> Any:
    return client_as("engineer")


@pytest.fixture
def manager(client_as: Callable[[str], Any]) -> Any:
    return client_as("manager")


@pytest.fixture
def plan(engineer: Any) -> Callable[..., str]:
    """The id of a new draft of the engineer's."""

    def make(**fields: Any) -> str:
        answer = engineer.post(WINDOWS, {**BODY, **fields})
        assert answer.status_code == 201, answer.json()
        return str(answer.json()["id"])

    return make


def standing(reference: str) -> str:
    return str(MaintenanceWindow.objects.referenced(reference).get().status)


def test_a_draft_is_planned_and_read(engineer: Any, client_as: Callable[[str], Any]) -> None:
    created = engineer.post(WINDOWS, BODY)

    window = MaintenanceWindow.objects.get()
    assert created.status_code == 201
    assert created.json() == {
        **BODY,
        "id": f"MW{window.pk:03d}",
        "site_name": "",
        "service": "",
        "sla_relevant": False,
        "status": "draft",
        "created_by": window.created_by,
        "created_at": created.json()["created_at"],
        "approved_by": "",
        "approved_at": None,
        "withdrawn_by": "",
        "withdrawn_at": None,
        "overlaps": [],
    }
    assert client_as("viewer").get(f"{WINDOWS}/{window.reference}").json() == created.json()
    [event] = AuditEvent.objects.stream(window.subject)
    assert (event.event, event.actor, event.data["region"]) == (
        "maintenance.planned",
        window.created_by,
        "West",
    )


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"site_name": "Cell Tower Alpha"}, "site_name", "Name exactly one of site_name, region, service."),
        ({"region": ""}, "site_name", "Name exactly one of site_name, region, service."),
        ({"ends_at": "2026-02-01T22:00:00Z"}, "ends_at", "ends after it starts"),
        ({"ends_at": "2026-02-02T02:00:00"}, "ends_at", "with an offset"),
        ({"ends_at": "2101-01-01T00:00:00Z"}, "ends_at", "before 2100-01-01"),
        ({"starts_at": "1999-12-31T23:59:59Z"}, "starts_at", "between 2000-01-01 and 2100-01-01"),
        ({"name": "x" * 201}, "name", "200"),
        ({"name": " "}, "name", "blank"),
        ({"reason": ""}, "reason", "blank"),
        ({"region": "x" * 65}, "region", "64"),
        ({"sla_relevant": "maybe"}, "sla_relevant", "boolean"),
    ],
)
def test_a_bad_plan_is_named_by_its_field(
    engineer: Any, change: dict[str, Any], field: str, message: str
) -> None:
    answer = engineer.post(WINDOWS, {**BODY, **change})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert message in str(answer.json()["error"]["details"]["fields"][field])
    assert not MaintenanceWindow.objects.exists()


def test_a_second_person_approves_and_the_clock_knows(
    engineer: Any, manager: Any, plan: Callable[..., str], make_outage: Callable[..., Outage]
) -> None:
    reference, outage = plan(), make_outage(region="west")
    assert evidence_of(outage).windows == ()

    assert engineer.post(f"{WINDOWS}/{reference}/approve").status_code == 403
    approved = manager.post(f"{WINDOWS}/{reference}/approve")

    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert len(evidence_of(outage).windows) == 1
    again = manager.post(f"{WINDOWS}/{reference}/approve")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "CONFLICT")


def test_nobody_approves_their_own_words(manager: Any, plan: Callable[..., str]) -> None:
    own = manager.post(WINDOWS, BODY).json()["id"]
    edited = plan()
    assert manager.patch(f"{WINDOWS}/{edited}", {"reason": "Firmware 8"}).status_code == 200

    for reference in (own, edited):
        answer = manager.post(f"{WINDOWS}/{reference}/approve")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "SECOND_PERSON_NEEDED")
        assert standing(reference) == "draft"


def test_a_draft_is_changed(engineer: Any, plan: Callable[..., str]) -> None:
    reference = plan(sla_relevant=True)

    moved = engineer.patch(f"{WINDOWS}/{reference}", {"site_name": "Hub", "name": "Mast"}).json()
    replaced = engineer.put(f"{WINDOWS}/{reference}", BODY).json()

    assert (moved["site_name"], moved["region"], moved["name"], moved["sla_relevant"]) == (
        "Hub",
        "",
        "Mast",
        True,
    )
    assert (replaced["site_name"], replaced["region"], replaced["sla_relevant"]) == ("", "West", False)
    stream = f"maintenance:{reference}"
    assert [event.event for event in AuditEvent.objects.stream(stream)] == [
        "maintenance.planned",
        "maintenance.changed",
        "maintenance.changed",
    ]
    assert engineer.put(f"{WINDOWS}/{reference}", BODY).status_code == 200
    assert AuditEvent.objects.stream(stream).count() == 3


def test_a_change_is_judged_as_a_whole(engineer: Any, plan: Callable[..., str]) -> None:
    reference = plan()

    answer = engineer.patch(f"{WINDOWS}/{reference}", {"ends_at": "2026-02-01T21:00:00Z"})

    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]["fields"]) == ["ends_at"]
    assert engineer.put(f"{WINDOWS}/{reference}", {"name": "Only"}).status_code == 400


def test_an_approved_window_stays_as_it_is(engineer: Any, manager: Any, plan: Callable[..., str]) -> None:
    reference = plan()
    manager.post(f"{WINDOWS}/{reference}/approve")

    answer = engineer.patch(f"{WINDOWS}/{reference}", {"name": "Other"})

    assert answer.status_code == 409
    assert (
        answer.json()["detail"]
        == f"{reference} is approved and stays as it is; withdraw it and plan another."
    )
    assert MaintenanceWindow.objects.get().name == "Core upgrade"


def test_withdrawing_keeps_it(
    engineer: Any, manager: Any, plan: Callable[..., str], make_outage: Callable[..., Outage]
) -> None:
    draft, approved, outage = plan(), plan(), make_outage(region="West")
    manager.post(f"{WINDOWS}/{approved}/approve")

    assert engineer.delete(f"{WINDOWS}/{draft}").status_code == 204
    assert engineer.delete(f"{WINDOWS}/{approved}").status_code == 403
    assert standing(approved) == "approved"
    assert manager.delete(f"{WINDOWS}/{approved}").status_code == 204

    assert engineer.delete(f"{WINDOWS}/{draft}").status_code == 409
    assert manager.post(f"{WINDOWS}/{draft}/approve").status_code == 409
    assert evidence_of(outage).windows == ()
    listed = engineer.get(WINDOWS, {"status": "withdrawn"}).json()["results"]
    assert [one["id"] for one in listed] == [approved, draft]


def test_others_in_effect_at_the_same_place_are_named(
    engineer: Any, manager: Any, plan: Callable[..., str]
) -> None:
    first, second = plan(), plan(region="WEST", starts_at="2026-02-02T01:59:59Z")
    later = plan(starts_at="2026-02-02T02:00:00Z", ends_at="2026-02-02T03:00:00Z")
    elsewhere = plan(region="", site_name="West")
    for reference in (first, second, later, elsewhere):
        manager.post(f"{WINDOWS}/{reference}/approve")
    draft = plan()

    listed = {one["id"]: one["overlaps"] for one in engineer.get(WINDOWS).json()["results"]}

    assert listed == {first: [second], second: [first], later: [], elsewhere: [], draft: [first, second]}


@pytest.mark.parametrize("count", [2, 30])
def test_a_list_costs_the_same_for_any_number_of_windows(
    acting: None, engineer: Any, django_assert_num_queries: Callable[..., Any], count: int
) -> None:
    for _ in range(count):
        maintenance.plan(DRAFT)
    rows_total_and_overlaps, authentication = 3, 1

    with django_assert_num_queries(rows_total_and_overlaps + authentication):
        answer = engineer.get(WINDOWS)

    assert len(answer.json()["results"]) == count


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [3, 2, 1]),
        ({"region": "WEST"}, [1]),
        ({"site_name": "hub"}, [2]),
        ({"service": "voice"}, [3]),
        ({"status": "draft"}, [3, 2, 1]),
        ({"status": "approved"}, []),
        ({"at": "2026-02-01T22:00:00Z"}, [1]),
        ({"at": "2026-02-02T02:00:00Z"}, [2]),
        ({"from": "2026-02-02T02:00:00Z"}, [3, 2]),
        ({"to": "2026-02-01"}, [1]),
        ({"from": "2026-02-02", "to": "2026-02-02"}, [2, 1]),
    ],
)
def test_windows_are_found(
    engineer: Any, plan: Callable[..., str], query: dict[str, str], found: list[int]
) -> None:
    references = [
        plan(),
        plan(region="", site_name="Hub", starts_at="2026-02-02T02:00:00Z", ends_at="2026-02-02T03:00:00Z"),
        plan(region="", service="Voice", starts_at="2026-02-03T00:00:00Z", ends_at="2026-02-04T00:00:00Z"),
    ]

    results = engineer.get(WINDOWS, query).json()["results"]

    assert [one["id"] for one in results] == [references[number - 1] for number in found]


@pytest.mark.parametrize("query", [{"status": "open"}, {"at": "noon"}, {"from": "2026-02-30"}])
def test_a_bad_filter_is_named(engineer: Any, query: dict[str, str]) -> None:
    answer = engineer.get(WINDOWS, query)

    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]["fields"]) == list(query)


@pytest.mark.parametrize("reference", ["MW999", "MW1", "1", "OUT001"])
def test_an_unknown_window_is_404(engineer: Any, manager: Any, reference: str) -> None:
    path = f"{WINDOWS}/{reference}"

    answers = [
        engineer.get(path),
        engineer.put(path, BODY),
        engineer.patch(path, {"name": "x"}),
        engineer.delete(path),
        manager.post(f"{path}/approve"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5


# By command


def run(*words: str) -> str:
    out = StringIO()
    call_command("maintenance", *words, stdout=out)
    return out.getvalue()


PLAN = ("plan", "--name", "Mast", "--site", "Hub", "--reason", "Storm", "--starts", BODY["starts_at"])


def test_the_command_plans_approves_lists_and_withdraws() -> None:
    planned = run(*PLAN, "--ends", BODY["ends_at"])
    reference = planned.split()[0]
    rest = "2026-02-01T22:00Z..2026-02-02T02:00Z  excluded  site_name=Hub  Mast\n"

    assert planned == f"{reference}  draft      {rest}"
    assert run("approve", reference) == f"{reference}  approved   {rest}"
    assert run("list", "--status", "approved") == f"{reference}  approved   {rest}"
    assert run("list", "--status", "draft") == ""
    assert run("withdraw", reference) == f"{reference}  withdrawn  {rest}"
    assert set(AuditEvent.objects.values_list("source", "actor")) == {("command", "system")}


def test_a_dry_run_writes_nothing() -> None:
    said = run(*PLAN, "--ends", BODY["ends_at"], "--dry-run")

    assert said.endswith("Dry run: nothing is written.\n")
    assert not MaintenanceWindow.objects.exists()
    reference = run(*PLAN, "--ends", BODY["ends_at"]).split()[0]
    run("approve", reference, "--dry-run")
    assert standing(reference) == "draft"
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("approve", "MW999"), "There is no such maintenance window."),
        ((*PLAN, "--ends", "2026-02-01T21:00:00Z"), "A window ends after it starts"),
        ((*PLAN, "--ends", "soon"), "ends_at: Datetime has wrong format"),
    ],
)
def test_the_command_says_what_is_wrong(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*words)
    assert not MaintenanceWindow.objects.exists()


def test_an_approval_is_given_once(acting: None) -> None:
    window = maintenance.plan(DRAFT)
    with context.acting_as("8", source="api"):
        maintenance.approve(window.reference)
    with context.acting_as("9", source="api"), pytest.raises(Conflict, match="is approved"):
        maintenance.approve(window.reference)
    window.refresh_from_db()
    assert window.approved_by == "8"
