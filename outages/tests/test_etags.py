"""What a client has read: not sent twice, and not overwritten unseen."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import Traveller

from audit.models import AuditEvent
from conftest import PREFIX
from outages.models import Fact, Outage
from outages.services import lifecycle
from outages.services.changing import Changes, change
from outages.tests.racing import race

pytestmark = pytest.mark.django_db
OUTAGES = f"{PREFIX}/outages"
Make = Callable[..., Outage]


@pytest.fixture
def engineer(clock: Traveller, client_as: Callable[[str], APIClient]) -> APIClient:
    return client_as("engineer")


@pytest.fixture
def path(clock: Traveller, make_outage: Make) -> str:
    return f"{OUTAGES}/{make_outage(reference='A').reference}"


def written() -> tuple[int, int, list[Any]]:
    return Fact.objects.count(), AuditEvent.objects.count(), list(Outage.objects.order_by("pk").values())


# Reading


@pytest.mark.parametrize("route", ["", "/A", "/A/timeline"])
def test_what_is_unchanged_is_not_sent_again(engineer: APIClient, path: str, route: str) -> None:
    first = engineer.get(f"{OUTAGES}{route}")
    second = engineer.get(f"{OUTAGES}{route}", HTTP_IF_NONE_MATCH=first["ETag"])

    assert (first.status_code, first["Cache-Control"]) == (200, "private, no-cache")
    assert (second.status_code, second.content) == (304, b"")
    assert (second["ETag"], second["Cache-Control"]) == (first["ETag"], "private, no-cache")
    assert second["X-Correlation-ID"]


def test_what_has_changed_is(engineer: APIClient, path: str) -> None:
    first = engineer.get(path)
    lifecycle.comment("A", text="Still dark.")
    second = engineer.get(path, HTTP_IF_NONE_MATCH=first["ETag"])

    assert (second.status_code, second["ETag"][:3]) == (200, '"2-')
    assert second["ETag"] != first["ETag"]


def test_time_alone_changes_the_document(engineer: APIClient, path: str, clock: Traveller) -> None:
    clock.shift(timedelta(seconds=1))
    first = engineer.get(path)
    clock.shift(timedelta(seconds=58))
    assert engineer.get(path, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    clock.shift(timedelta(seconds=1))
    second = engineer.get(path, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (second.status_code, second["ETag"][:3]) == (200, '"1-')


def test_refusals_and_secrets_have_none(engineer: APIClient, path: str) -> None:
    for answer in (
        engineer.get(f"{OUTAGES}/OUT999"),
        engineer.get(f"{PREFIX}/auth/me"),
        engineer.get("/health"),
    ):
        assert "ETag" not in answer


def test_a_read_that_asks_for_another_version_is_refused_in_the_envelope(
    engineer: APIClient, path: str
) -> None:
    answer = engineer.get(path, HTTP_IF_MATCH='"1-0"')
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")


# Writing


WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("patch", "", {"region": "West"}),
    ("put", "", {"region": "West"}),
    ("patch", "", {"status": "resolved"}),
    ("post", "/resolve", {}),
    ("post", "/acknowledge", {}),
    ("post", "/investigate", {}),
    ("post", "/assign", {"assigned_to": "ada"}),
    ("post", "/pause", {"reason": "Storm"}),
    ("post", "/comment", {"text": "Hm."}),
    ("post", "/merge", {"into": "B"}),
    ("delete", "", {}),
]
every_write = pytest.mark.parametrize(("method", "route", "body"), WRITES, ids=str)


@pytest.fixture
def admin(
    clock: Traveller, client_as: Callable[[str], APIClient], make_outage: Make, parties: None
) -> APIClient:
    make_outage(reference="B")
    return client_as("admin")


@every_write
def test_a_write_on_what_was_read_passes(
    admin: APIClient, path: str, method: str, route: str, body: dict[str, Any]
) -> None:
    seen = admin.get(path)["ETag"]
    answer = getattr(admin, method)(f"{path}{route}", body, HTTP_IF_MATCH=seen)

    assert answer.status_code in {200, 204}
    if method != "delete":
        version = Outage.objects.get(reference="A").version
        assert answer["ETag"].startswith(f'"{version}-')
        again = admin.patch(path, {"root_cause": "UPS"}, HTTP_IF_MATCH=answer["ETag"])
        assert again.status_code == 200


@every_write
@pytest.mark.parametrize("given", ["stale", '"1"', "1", 'W/"2-d41d8cd98f00b204e9800998ecf8427e"', "x" * 1000])
def test_a_write_on_anything_else_is_refused(
    admin: APIClient, path: str, method: str, route: str, body: dict[str, Any], given: str
) -> None:
    stale = admin.get(path)["ETag"]
    lifecycle.comment("A", text="Somebody was quicker.")
    before = written()

    answer = getattr(admin, method)(
        f"{path}{route}", body, HTTP_IF_MATCH=stale if given == "stale" else given
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "PRECONDITION_FAILED")
    assert written() == before


@every_write
def test_a_star_is_any_version(
    admin: APIClient, path: str, method: str, route: str, body: dict[str, Any]
) -> None:
    lifecycle.comment("A", text="Somebody was quicker.")
    assert getattr(admin, method)(f"{path}{route}", body, HTTP_IF_MATCH="*").status_code in {200, 204}


def test_time_alone_refuses_no_write(engineer: APIClient, path: str, clock: Traveller) -> None:
    seen = engineer.get(path)["ETag"]
    clock.shift(timedelta(minutes=5))
    assert engineer.patch(path, {"region": "West"}, HTTP_IF_MATCH=seen).status_code == 200


def test_a_refused_precondition_is_not_kept_under_an_idempotency_key(engineer: APIClient, path: str) -> None:
    stale = engineer.get(path)["ETag"]
    lifecycle.comment("A", text="Somebody was quicker.")
    once = "once"
    assert (
        engineer.post(f"{path}/acknowledge", HTTP_IF_MATCH=stale, HTTP_IDEMPOTENCY_KEY=once).status_code
        == 412
    )

    fresh = engineer.get(path)["ETag"]
    first = engineer.post(f"{path}/acknowledge", HTTP_IF_MATCH=fresh, HTTP_IDEMPOTENCY_KEY=once)
    replay = engineer.post(f"{path}/acknowledge", HTTP_IF_MATCH=fresh, HTTP_IDEMPOTENCY_KEY=once)
    assert (first.status_code, replay.status_code, replay["Idempotency-Replayed"]) == (200, 200, "true")


def test_the_description_names_the_header(anonymous: APIClient) -> None:
    paths = anonymous.get("/openapi.json").json()["paths"]
    one = f"{OUTAGES}/{{outage_id}}"
    for method, route, _ in WRITES:
        names = [(item["in"], item["name"]) for item in paths[f"{one}{route}"][method]["parameters"]]
        assert ("header", "If-Match") in names


@pytest.mark.django_db(transaction=True)
def test_of_two_who_change_what_they_have_read_one_is_refused(make_outage: Make) -> None:
    make_outage(reference="A")

    outcomes = race(
        [
            lambda: change("A", Changes(region="West"), version=1),
            lambda: change("A", Changes(region="East"), version=1),
        ]
    )

    assert sorted(outcomes) == ["PRECONDITION_FAILED", "done"]
    assert Outage.objects.get().version == 2
    assert AuditEvent.objects.filter(event="outage.updated").count() == 1
