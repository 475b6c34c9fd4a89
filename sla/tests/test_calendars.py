"""Calendars: hours that a policy names and then holds to."""

from collections.abc import Callable
from typing import Any

import pytest

from audit.models import AuditEvent
from conftest import PREFIX
from outages import clock
from sla.models import Calendar, PolicyVersion

pytestmark = pytest.mark.django_db

CALENDARS = f"{PREFIX}/calendars"
BODY = {
    "name": "Office",
    "timezone": "Africa/Lagos",
    "weekly": [
        {"weekday": 1, "opens": "08:00", "closes": "12:00"},
        {"weekday": 1, "opens": "12:00", "closes": "18:00"},
        {"weekday": 7, "opens": "00:00", "closes": "24:00"},
    ],
    "holidays": ["2026-12-25", "2026-12-26"],
}


def day(weekday: Any = 1, opens: Any = "08:00", closes: Any = "18:00") -> dict[str, Any]:
    return {"weekday": weekday, "opens": opens, "closes": closes}


@pytest.fixture
def manager(client_as: Callable[[str], Any]) -> Any:
    return client_as("manager")


@pytest.fixture
def office(manager: Any) -> str:
    return str(manager.post(CALENDARS, BODY).json()["id"])


def test_a_calendar_is_created_and_read(manager: Any, client_as: Callable[[str], Any]) -> None:
    unordered = {
        **BODY,
        "weekly": BODY["weekly"][::-1],
        "holidays": ["2026-12-26", "2026-12-25", "2026-12-26"],
    }

    created = manager.post(CALENDARS, unordered)

    calendar = Calendar.objects.get()
    said = created.json()
    assert created.status_code == 201
    assert said == {
        **BODY,
        "id": f"CAL{calendar.pk:03d}",
        "created_by": calendar.created_by,
        "created_at": said["created_at"],
        "updated_at": said["updated_at"],
    }
    viewer = client_as("viewer")
    assert viewer.get(f"{CALENDARS}/{calendar.reference}").json() == said
    assert viewer.get(CALENDARS).json()["results"] == [said]
    assert calendar.hours.openings == (
        clock.Opening(1, 480, 720),
        clock.Opening(1, 720, 1080),
        clock.Opening(7, 0, 1440),
    )
    [event] = AuditEvent.objects.stream(calendar.subject)
    assert (event.event, event.actor, event.data["weekly"]) == (
        "calendar.created",
        calendar.created_by,
        BODY["weekly"],
    )


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"timezone": "Lagos"}, "timezone", "IANA"),
        ({"timezone": "Africa"}, "timezone", "IANA"),
        ({"timezone": "../../etc/passwd"}, "timezone", "IANA"),
        ({"timezone": ""}, "timezone", "blank"),
        ({"name": "x" * 101}, "name", "100"),
        ({"weekly": []}, "weekly", ""),
        ({"weekly": [day()] * 101}, "weekly", ""),
        ({"weekly": [day(0)]}, "weekly", ""),
        ({"weekly": [day(8)]}, "weekly", ""),
        ({"weekly": [day(opens="8:00")]}, "weekly", ""),
        ({"weekly": [day(opens="24:00")]}, "weekly", ""),
        ({"weekly": [day(closes="24:01")]}, "weekly", ""),
        ({"weekly": [day(closes="18:60")]}, "weekly", ""),
        ({"weekly": [day(opens=800)]}, "weekly", ""),
        ({"weekly": [day(opens="18:00", closes="18:00")]}, "weekly", "closes after it opens; see weekday 1"),
        ({"weekly": [day(5, "22:00", "06:00")]}, "weekly", "closes after it opens; see weekday 5"),
        ({"weekly": [day(), day(1, "17:59", "20:00")]}, "weekly", "openings of weekday 1 overlap"),
        ({"weekly": [day(), day()]}, "weekly", "openings of weekday 1 overlap"),
        ({"holidays": ["2026-02-30"]}, "holidays", ""),
        ({"holidays": ["2026-12-25T00:00:00Z"]}, "holidays", ""),
        ({"holidays": ["2026-12-25"] * 1001}, "holidays", "1000"),
    ],
)
def test_a_bad_calendar_is_named_by_its_field(
    manager: Any, change: dict[str, Any], field: str, message: str
) -> None:
    answer = manager.post(CALENDARS, {**BODY, **change})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    fields = answer.json()["error"]["details"]["fields"]
    assert {name.split(".")[0] for name in fields} == {field}
    assert message in str(fields)
    assert not Calendar.objects.exists()


def test_a_name_is_taken_once(manager: Any, office: str) -> None:
    other = manager.post(CALENDARS, {**BODY, "name": "Other"}).json()["id"]

    answers = [manager.post(CALENDARS, BODY), manager.patch(f"{CALENDARS}/{other}", {"name": "Office"})]

    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CALENDAR_EXISTS")
    assert sorted(Calendar.objects.values_list("name", flat=True)) == ["Office", "Other"]


def test_a_calendar_is_changed_in_part_and_as_a_whole(manager: Any, office: str) -> None:
    path = f"{CALENDARS}/{office}"
    bare = {"name": "Bare", "timezone": "Europe/Berlin", "weekly": [day()]}

    changed = manager.patch(path, {"timezone": "Europe/Berlin"}).json()
    replaced = manager.put(path, bare).json()

    assert (changed["timezone"], changed["weekly"], changed["holidays"]) == (
        "Europe/Berlin",
        BODY["weekly"],
        BODY["holidays"],
    )
    assert {name: replaced[name] for name in (*bare, "holidays")} == {**bare, "holidays": []}
    assert manager.put(path, bare).status_code == 200
    assert [event.event for event in AuditEvent.objects.stream(f"calendar:{office}")] == [
        "calendar.created",
        "calendar.changed",
        "calendar.changed",
    ]


@pytest.mark.parametrize(
    "change", [{"weekly": [{"weekday": 1}]}, {"weekly": [{}]}, {"weekly": [day(), day()]}]
)
def test_a_bad_change_changes_nothing(manager: Any, office: str, change: dict[str, Any]) -> None:
    assert manager.patch(f"{CALENDARS}/{office}", change).status_code == 400
    assert Calendar.objects.get().weekly == BODY["weekly"]


def test_a_calendar_is_deleted(manager: Any, office: str) -> None:
    assert manager.delete(f"{CALENDARS}/{office}").status_code == 204

    assert not Calendar.objects.exists()
    assert AuditEvent.objects.filter(event="calendar.deleted", subject=f"calendar:{office}").count() == 1


def test_what_a_policy_names_stays_as_it_is(manager: Any, office: str) -> None:
    PolicyVersion.objects.filter(severity="low").update(calendar=Calendar.objects.get())
    path = f"{CALENDARS}/{office}"

    answers = [manager.patch(path, {"name": "Other"}), manager.put(path, BODY), manager.delete(path)]

    for answer in answers:
        assert answer.status_code == 409
        assert answer.json()["detail"] == (
            f"Policy low-v1 names {office}: it stays as it is; create another calendar."
        )
    assert Calendar.objects.get().name == "Office"
    assert AuditEvent.objects.stream(f"calendar:{office}").count() == 1


@pytest.mark.parametrize("reference", ["CAL999", "CAL1", "1", "MW001"])
def test_an_unknown_calendar_is_404(manager: Any, reference: str) -> None:
    path = f"{CALENDARS}/{reference}"

    answers = [manager.get(path), manager.put(path, BODY), manager.patch(path, {}), manager.delete(path)]

    assert [answer.status_code for answer in answers] == [404] * 4


@pytest.mark.parametrize("role", ["viewer", "engineer", "auditor"])
def test_only_who_makes_policies_writes_calendars(client_as: Callable[[str], Any], role: str) -> None:
    client = client_as(role)

    assert client.post(CALENDARS, BODY).status_code == 403
    assert client.get(CALENDARS).status_code == 200
    assert not Calendar.objects.exists()
