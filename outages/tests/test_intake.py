"""Alarms become outages, once; repeats are noted, recoveries end them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.db import connection
from rest_framework.test import APIClient

from apexchainx import context
from apexchainx.accounts.services.keys import create_key
from audit.models import AuditEvent
from conftest import NOW
from outages.models import Fact, Outage
from outages.services.merging import merge
from payments.models import Payment
from payments.services.intake import Alarm, take_in
from payments.services.settling import settle
from sla.models import SLAResult

pytestmark = pytest.mark.django_db

ALERTMANAGER, GENERIC = "/api/v1/intake/alertmanager", "/api/v1/intake/generic"
START = NOW - timedelta(minutes=10)
NOTHING: dict[str, Any] = {"created": [], "repeated": [], "resolved": [], "ignored": []}


@pytest.fixture
def monitoring(clock: time_machine.Traveller, db: None) -> APIClient:
    """A program with a key for outages."""
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=create_key(scopes=["outages:write"]).raw)
    return client


def alert(**changes: Any) -> dict[str, Any]:
    """As Alertmanager sends it."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "SiteDown",
            "site": "Tower A",
            "region": "North",
            "job": "voice",
            "severity": "page",
        },
        "annotations": {"summary": "Tower A is down", "description": "No answer for 5 minutes"},
        "startsAt": "2026-01-16T09:50:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": "f0e1d2c3b4a59687",
        **changes,
    }


def payload(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="SiteDown"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "apexchainx",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": list(alerts),
    }


def send(client: APIClient, *alerts: dict[str, Any]) -> dict[str, Any]:
    response = client.post(ALERTMANAGER, payload(*alerts))
    assert response.status_code == 200, response.json()
    answer: dict[str, Any] = response.json()
    assert answer.pop("received") == len(alerts)
    return answer


def say(client: APIClient, **alarm: Any) -> dict[str, Any]:
    response = client.post(GENERIC, {"site_name": "Tower A", "severity": "high", **alarm})
    assert response.status_code == 200, response.json()
    answer: dict[str, Any] = response.json()
    assert answer.pop("received") == 1
    return answer


RECOVERED = {"status": "resolved", "endsAt": "2026-01-16T09:58:00Z"}


# A new alarm


def test_an_alert_becomes_an_outage(monitoring: APIClient) -> None:
    answer = send(monitoring, alert())

    outage = Outage.objects.get()
    assert answer == {**NOTHING, "created": [outage.reference]}
    assert (outage.site_name, outage.region, outage.severity) == ("Tower A", "North", "critical")
    assert outage.affected_services == ["voice"]
    assert outage.description == "Tower A is down\nNo answer for 5 minutes"
    assert (outage.detected_at, outage.alarm_started_at, outage.recorded_at) == (START, START, NOW)
    assert (outage.source, outage.fingerprint, outage.state) == ("alarm", "f0e1d2c3b4a59687", "active")
    [fact] = AuditEvent.objects.filter(stream=outage.stream)
    assert (fact.event, fact.source) == ("outage.created", "api")
    assert fact.actor == outage.created_by
    assert outage.created_by.startswith("service:")


@pytest.mark.parametrize(
    ("labels", "site", "services"),
    [
        ({"instance": "10.0.0.1:9100", "job": "node"}, "10.0.0.1:9100", ["node"]),
        ({"host": "db1"}, "db1", []),
        ({"site_name": "Tower B", "instance": "x", "service": "data", "job": "node"}, "Tower B", ["data"]),
        ({"site": " ", "host": "db1"}, "db1", []),
    ],
)
def test_labels_name_site_and_service(
    monitoring: APIClient, labels: dict[str, str], site: str, services: list[str]
) -> None:
    send(monitoring, alert(labels=labels))

    outage = Outage.objects.get()
    assert (outage.site_name, outage.affected_services, outage.severity) == (site, services, "medium")


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        *((word, "critical") for word in ("critical", "page", "DISASTER", "Critical")),
        *((word, "high") for word in ("high", "error", "major")),
        *((word, "medium") for word in ("medium", "warning", "minor", "average")),
        *((word, "low") for word in ("low", "info", "none")),
    ],
)
def test_words_for_severities(monitoring: APIClient, word: str, severity: str) -> None:
    say(monitoring, severity=word, title="Down")

    outage = Outage.objects.get()
    assert (outage.severity, outage.description) == (severity, "Down")


def test_an_unknown_severity_is_medium_and_kept_as_it_was_said(monitoring: APIClient) -> None:
    say(monitoring, severity="P7", title="Down", description="Since ten")

    outage = Outage.objects.get()
    assert (outage.severity, outage.description) == ("medium", "Down\nSince ten\nSeverity: P7")


def test_an_alarm_without_a_fingerprint_is_known_by_its_labels(monitoring: APIClient) -> None:
    labels = {"site": "Tower A", "alertname": "SiteDown"}
    other = {"alertname": "SiteDown", "site": "Tower A"}
    send(monitoring, alert(labels=labels, fingerprint=""))
    outage = Outage.objects.get()

    assert len(outage.fingerprint) == 64
    assert send(monitoring, alert(labels=other, fingerprint="")) == {
        **NOTHING,
        "repeated": [outage.reference],
    }


def test_a_generic_alarm_is_known_by_what_it_is_about(monitoring: APIClient) -> None:
    say(monitoring, title="Down", severity="low", description="ping lost")
    outage = Outage.objects.get()

    assert say(monitoring, title="Down", severity="low")["repeated"] == [outage.reference]
    assert say(monitoring, title="Slow", severity="low")["created"] != []
    assert say(monitoring, title="Down", status="OK")["resolved"] == [outage.reference]


def test_long_annotations_are_cut(monitoring: APIClient) -> None:
    send(monitoring, alert(annotations={"summary": "Down", "description": "x" * 6000}))

    assert Outage.objects.get().description == "Down\n" + "x" * 4995


def test_a_start_just_ahead_of_our_clock_is_now(monitoring: APIClient) -> None:
    send(monitoring, alert(startsAt="2026-01-16T10:04:59Z"))

    assert Outage.objects.get().detected_at == NOW


def test_without_a_start_it_begins_now(monitoring: APIClient) -> None:
    send(monitoring, alert(startsAt="0001-01-01T00:00:00Z"))

    outage = Outage.objects.get()
    assert (outage.detected_at, outage.alarm_started_at) == (NOW, None)


# The same alarm again


def test_a_repeat_of_an_open_alarm_is_a_fact(monitoring: APIClient, clock: time_machine.Traveller) -> None:
    [reference] = send(monitoring, alert())["created"]
    clock.shift(60)

    assert send(monitoring, alert()) == {**NOTHING, "repeated": [reference]}

    outage = Outage.objects.get()
    fact = outage.facts.get(kind=Fact.Kind.REPEATED)
    assert (fact.occurred_at, fact.recorded_at) == (NOW + timedelta(minutes=1),) * 2
    assert (fact.detail, fact.actor) == ("Tower A is down\nNo answer for 5 minutes", outage.created_by)
    assert (outage.version, outage.detected_at) == (2, START)
    assert AuditEvent.objects.get(event="outage.repeated").data == {
        "outage_id": reference,
        "site_name": "Tower A",
        "severity": "critical",
        "status": "open",
        "detected_at": "2026-01-16T09:50:00Z",
        "fingerprint": "f0e1d2c3b4a59687",
    }


def test_twice_in_one_payload_is_one_outage(monitoring: APIClient) -> None:
    answer = send(monitoring, alert(), alert())

    reference = Outage.objects.get().reference
    assert answer == {**NOTHING, "created": [reference], "repeated": [reference]}


def test_a_graver_repeat_escalates(
    monitoring: APIClient, facts: Callable[..., list[tuple[str, str]]]
) -> None:
    [reference] = say(monitoring, fingerprint="f", severity="minor")["created"]
    say(monitoring, fingerprint="f", severity="info")
    say(monitoring, fingerprint="f", severity="P7")
    assert Outage.objects.get().severity == "medium"

    say(monitoring, fingerprint="f", severity="disaster")

    assert Outage.objects.get().severity == "critical"
    assert [event for event, _ in facts(stream=f"outage:{reference}")] == [
        "outage.created",
        "outage.repeated",
        "outage.repeated",
        "outage.repeated",
        "outage.updated",
        "outage.escalated",
    ]


def test_the_same_key_answers_the_same(monitoring: APIClient) -> None:
    answers = [monitoring.post(ALERTMANAGER, payload(alert()), HTTP_IDEMPOTENCY_KEY="one") for _ in "ab"]

    assert answers[0].json() == answers[1].json()
    assert Fact.objects.filter(kind=Fact.Kind.REPEATED).count() == 0


def test_a_late_duplicate_of_an_alarm_that_is_over_is_ignored(monitoring: APIClient) -> None:
    [reference] = send(monitoring, alert())["created"]
    send(monitoring, alert(**RECOVERED))

    assert send(monitoring, alert()) == {
        **NOTHING,
        "ignored": [
            {"fingerprint": "f0e1d2c3b4a59687", "reason": f"{reference} was made of this alarm, and is over."}
        ],
    }
    assert Outage.objects.count() == 1


def test_the_alarm_begins_anew_after_its_recovery(monitoring: APIClient) -> None:
    [first] = send(monitoring, alert())["created"]
    send(monitoring, alert(**RECOVERED))
    [second] = send(monitoring, alert(startsAt="2026-01-16T09:59:00Z"))["created"]

    assert first != second
    assert send(monitoring, alert(startsAt="2026-01-16T09:59:00Z"))["repeated"] == [second]


# Recovery


def test_a_recovery_ends_the_outage_and_settles_it(parties: None, monitoring: APIClient) -> None:
    [reference] = send(monitoring, alert())["created"]

    assert send(monitoring, alert(**RECOVERED)) == {**NOTHING, "resolved": [reference]}

    outage = Outage.objects.get()
    assert (outage.state, outage.resolved_at, outage.mttr_minutes) == (
        "resolved",
        NOW - timedelta(minutes=2),
        8,
    )
    assert (outage.resolution_notes, outage.resolved_by) == ("The alarm recovered.", outage.created_by)
    assert SLAResult.objects.get().outage == outage
    assert Payment.objects.get().outage == outage


@pytest.mark.parametrize("ended_at", [None, "0001-01-01T00:00:00Z", "2026-01-16T10:03:00Z"])
def test_a_recovery_without_an_end_is_now(monitoring: APIClient, ended_at: str | None) -> None:
    send(monitoring, alert())
    send(monitoring, alert(status="resolved", endsAt=ended_at))

    assert Outage.objects.get().resolved_at == NOW


def test_a_recovery_without_an_outage_is_ignored(monitoring: APIClient) -> None:
    assert send(monitoring, alert(**RECOVERED)) == {
        **NOTHING,
        "ignored": [{"fingerprint": "f0e1d2c3b4a59687", "reason": "No open outage was made of this alarm."}],
    }
    assert (Outage.objects.count(), AuditEvent.objects.filter(event__startswith="outage").count()) == (0, 0)


def test_the_recovery_of_an_earlier_alarm_ends_nothing(monitoring: APIClient) -> None:
    [reference] = send(monitoring, alert())["created"]
    late = alert(status="resolved", startsAt="2026-01-16T09:00:00Z", endsAt="2026-01-16T09:30:00Z")

    assert send(monitoring, late)["ignored"] == [
        {"fingerprint": "f0e1d2c3b4a59687", "reason": f"It recovered before {reference} was detected."}
    ]
    assert Outage.objects.get().state == "active"


def test_an_alarm_and_its_recovery_in_one_payload(monitoring: APIClient) -> None:
    answer = send(monitoring, alert(), alert(**RECOVERED))

    reference = Outage.objects.get().reference
    assert answer == {**NOTHING, "created": [reference], "resolved": [reference]}


def test_what_people_resolved_stays_resolved(monitoring: APIClient) -> None:
    [reference] = send(monitoring, alert())["created"]
    settle(reference)

    assert send(monitoring, alert())["ignored"] != []
    assert send(monitoring, alert(**RECOVERED))["ignored"] != []
    assert SLAResult.objects.count() == 1


# Merged duplicates


@pytest.fixture
def merged(monitoring: APIClient, make_outage: Callable[..., Outage]) -> Outage:
    """The outage that the alarm's one was merged into."""
    [reference] = send(monitoring, alert())["created"]
    target = make_outage(severity="low", detected_at=NOW - timedelta(minutes=20))
    merge(reference, into=target.reference)
    return target


@pytest.mark.parametrize("start", ["2026-01-16T09:50:00Z", "2026-01-16T09:55:00Z", None])
def test_a_repeat_goes_to_what_the_duplicate_was_merged_into(
    monitoring: APIClient, merged: Outage, start: str | None
) -> None:
    assert send(monitoring, alert(startsAt=start)) == {**NOTHING, "repeated": [merged.reference]}

    merged.refresh_from_db()
    assert merged.severity == "critical"
    assert merged.facts.filter(kind=Fact.Kind.REPEATED).count() == 1


def test_the_recovery_of_a_duplicate_does_not_end_the_other_one(
    monitoring: APIClient, merged: Outage
) -> None:
    reason = f"Its outage was merged into {merged.reference}, which ends by itself."

    assert send(monitoring, alert(**RECOVERED))["ignored"] == [
        {"fingerprint": "f0e1d2c3b4a59687", "reason": reason}
    ]
    merged.refresh_from_db()
    assert merged.state == "active"


def test_after_the_other_one_is_over_the_alarm_begins_anew(monitoring: APIClient, merged: Outage) -> None:
    settle(merged.reference)

    assert len(send(monitoring, alert())["ignored"]) == 1
    assert len(send(monitoring, alert(startsAt="2026-01-16T09:59:00Z"))["created"]) == 1


# Many, and at once


@pytest.mark.parametrize("number", [2, 50])
def test_many_alarms_cost_few_statements(
    acting: context.Context, django_assert_num_queries: Any, number: int
) -> None:
    alarms = [Alarm(fingerprint=f"f{one}", is_firing=True, site_name="Tower") for one in range(number)]
    with django_assert_num_queries(11):
        assert len(take_in(alarms).created) == number
    with django_assert_num_queries(7):
        assert len(take_in(alarms).repeated) == number


def test_a_payload_holds_a_thousand_alarms(monitoring: APIClient) -> None:
    alerts = [{"site_name": "Tower", "fingerprint": str(number)} for number in range(1001)]
    refused = monitoring.post(GENERIC, {"alerts": alerts})

    assert refused.status_code == 400
    assert list(refused.json()["error"]["details"]["fields"]) == ["alerts"]
    assert Outage.objects.count() == 0
    answer = monitoring.post(GENERIC, {"alerts": alerts[1:]}).json()
    assert (answer["received"], len(answer["created"])) == (1000, 1000)


@pytest.mark.django_db(transaction=True)
def test_the_same_payload_at_once_is_one_outage() -> None:
    alarms = [
        Alarm(fingerprint=f"f{number}", is_firing=True, site_name="Tower", started_at=START)
        for number in range(20)
    ]
    start, answers, failures = Barrier(4), [], []

    def work(order: int) -> None:
        try:
            start.wait()
            answers.append(take_in(alarms[::order]))
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted((len(one.created), len(one.repeated)) for one in answers) == [
        (0, 20),
        (0, 20),
        (0, 20),
        (20, 0),
    ]
    assert Outage.objects.count() == 20
    assert Fact.objects.filter(kind=Fact.Kind.REPEATED).count() == 60


@pytest.mark.django_db(transaction=True)
def test_a_recovery_at_once_pays_once() -> None:
    begun = Alarm(fingerprint="f", is_firing=True, site_name="Tower", started_at=START)
    take_in([begun])
    start, answers = Barrier(4), []

    def work() -> None:
        start.wait()
        answers.append(take_in([replace(begun, is_firing=False)]))
        connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(len(one.resolved) for one in answers) == [0, 0, 0, 1]
    assert (SLAResult.objects.count(), Payment.objects.count()) == (1, 1)


# Bad input


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"labels": {"alertname": "SiteDown"}}, "alerts.1.labels"),
        ({"labels": {"site": "x" * 256}}, "alerts.1.labels.site"),
        ({"labels": {"site": "x", "region": "x" * 65}}, "alerts.1.labels.region"),
        ({"labels": {"site": "x", "job": "x" * 256}}, "alerts.1.labels.job"),
        ({"labels": {"site": 5}}, "alerts.1.labels.site"),
        ({"labels": None}, "alerts.1.labels"),
        ({"labels": []}, "alerts.1.labels"),
        ({"status": "maybe"}, "alerts.1.status"),
        ({"status": None}, "alerts.1.status"),
        ({"startsAt": "2026-01-16T10:05:01Z"}, "alerts.1.startsAt"),
        ({"startsAt": "1999-12-31T23:59:59Z"}, "alerts.1.startsAt"),
        ({"startsAt": "2026-01-16T09:50:00"}, "alerts.1.startsAt"),
        ({"startsAt": "soon"}, "alerts.1.startsAt"),
        ({"status": "resolved", "endsAt": "2026-01-16T10:05:01Z"}, "alerts.1.endsAt"),
        ({"status": "resolved", "endsAt": "2026-01-16T09:49:59Z"}, "alerts.1.endsAt"),
        ({"fingerprint": "x" * 129}, "alerts.1.fingerprint"),
    ],
)
def test_one_bad_alert_and_nothing_is_taken_in(
    monitoring: APIClient, changes: dict[str, Any], field: str
) -> None:
    response = monitoring.post(ALERTMANAGER, payload(alert(), alert(**changes)))

    assert response.status_code == 400
    assert list(response.json()["error"]["details"]["fields"]) == [field]
    assert (Outage.objects.count(), Fact.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (ALERTMANAGER, {}, "alerts"),
        (ALERTMANAGER, {"alerts": {}}, "alerts"),
        (ALERTMANAGER, {"alerts": [], "version": "3"}, "version"),
        (GENERIC, {}, "site_name"),
        (GENERIC, {"alerts": None}, "alerts"),
        (GENERIC, {"alerts": [5]}, "alerts.0.non_field_errors"),
        (GENERIC, {"site_name": "x" * 256}, "site_name"),
        (GENERIC, {"site_name": "x", "service": "x" * 256}, "service"),
        (GENERIC, {"site_name": "x", "description": "x" * 5001}, "description"),
        (GENERIC, {"site_name": "x", "status": "ok", "ended_at": "2027-01-01T00:00:00Z"}, "ended_at"),
    ],
)
def test_bad_payloads(monitoring: APIClient, path: str, body: dict[str, Any], field: str) -> None:
    response = monitoring.post(path, body)

    assert response.status_code == 400
    assert list(response.json()["error"]["details"]["fields"]) == [field]
    assert Outage.objects.count() == 0


def test_an_empty_list_is_no_news(monitoring: APIClient) -> None:
    assert monitoring.post(ALERTMANAGER, payload()).json() == {"received": 0, **NOTHING}


def test_a_failure_takes_nothing_in(monitoring: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    [reference] = send(monitoring, alert())["created"]
    monkeypatch.setattr("payments.services.intake.create_all", lambda _reports: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        take_in(
            [
                Alarm(fingerprint="f0e1d2c3b4a59687", is_firing=False, site_name="Tower A"),
                Alarm(fingerprint="f1", is_firing=True, site_name="Tower A"),
            ]
        )

    assert Outage.objects.get(reference=reference).state == "active"
    assert SLAResult.objects.count() == 0
