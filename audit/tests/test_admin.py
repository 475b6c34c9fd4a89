from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apexchainx import context
from apexchainx.accounts.models import User
from audit.events import Event
from audit.log import record_all
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db

LOG = "/admin/audit/auditevent/"


@pytest.fixture
def auditor(make_user: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(make_user("auditor", is_staff=True))
    return client


def state(number: int) -> AuditEvent:
    """Facts about as many outages; the last one."""
    with context.acting_as("7", source="api", correlation_id="abc"):
        return record_all(
            (Event.OUTAGE_CREATED, f"outage:OUT{row}", f"outage:OUT{row}", {"site_name": "Alpha"})
            for row in range(number)
        )[-1]


@pytest.mark.parametrize("rows", [2, 50])
def test_the_list_costs_the_same_for_few_and_for_many(
    auditor: Client, django_assert_num_queries: Any, rows: int
) -> None:
    state(rows)

    with django_assert_num_queries(7):
        response = auditor.get(LOG)

    assert len(response.context["cl"].result_list) == rows


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "outage:OUT1"}, 1),
        ({"q": "abc"}, 3),
        ({"event__exact": "outage.created"}, 3),
        ({"source__exact": "task"}, 0),
    ],
)
def test_finding_a_fact(auditor: Client, query: dict[str, str], found: int) -> None:
    state(3)

    assert len(auditor.get(LOG, query).context["cl"].result_list) == found


def test_a_fact_is_shown_and_not_to_be_changed(auditor: Client) -> None:
    fact = state(1)

    response = auditor.get(f"{LOG}{fact.pk}/change/")

    page = response.content.decode()
    assert response.status_code == 200
    assert "outage:OUT0" in page
    assert 'name="_save"' not in page
    assert auditor.post(f"{LOG}{fact.pk}/change/", {"actor": "8"}).status_code == 403


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_nobody_adds_changes_or_deletes(make_user: Callable[..., User], role: str) -> None:
    client = Client()
    client.force_login(make_user(role, is_staff=True, is_superuser=role == "admin"))
    fact = state(1)

    answers = [
        client.post(f"{LOG}add/", {}),
        client.post(f"{LOG}{fact.pk}/change/", {"actor": "8"}),
        client.post(f"{LOG}{fact.pk}/delete/", {"post": "yes"}),
        client.post(LOG, {"action": "delete_selected", "_selected_action": [fact.pk], "post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 200]
    assert AuditEvent.objects.get().actor == "7"


@pytest.mark.parametrize("role", ["viewer", "engineer", "manager"])
def test_the_log_is_for_auditors(make_user: Callable[..., User], role: str) -> None:
    client = Client()
    client.force_login(make_user(role, is_staff=True))

    assert client.get(LOG).status_code == 403
