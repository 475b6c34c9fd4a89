"""Root cause analyses: their versions, their follow-ups, and the document."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from rest_framework.test import APIClient

from apexchainx import context
from apexchainx.errors import Conflict, NotFound
from audit.models import AuditEvent
from conftest import NOW
from outages.models import FollowUp, Outage, RootCauseAnalysis
from outages.serializers.rca_document import document, opening, paragraphs, plain
from outages.services.rca import Promise, analyse, mark_done, publish, published
from payments.services.settling import settle

pytestmark = pytest.mark.django_db

OUTAGES = "/api/v1/outages"
BODY = {
    "root_cause": "Misconfigured BGP route caused traffic blackholing",
    "contributing_factors": ["scheduled maintenance overlap", "incomplete runbook"],
    "remediation": "BGP config reviewed and hardened; runbook updated",
}
TO_DO = {"action": "Review the runbook", "owner": "Ada", "due_on": "2026-02-01"}

Make = Callable[..., Outage]
Client = Callable[[str], APIClient]


@pytest.fixture
def outage(clock: time_machine.Traveller, acting: context.Context, make_outage: Make) -> Outage:
    """Resolved after 25 minutes."""
    outage = make_outage(detected_at=NOW - timedelta(minutes=25), region="North")
    return settle(outage.reference).outage


@pytest.fixture
def engineer(clock: time_machine.Traveller, client_as: Client) -> APIClient:
    return client_as("engineer")


def written() -> list[str]:
    events = AuditEvent.objects.order_by("id").values_list("event", flat=True)
    return [event for event in events if event.startswith(("rca.", "follow_up."))]


# Versions


def test_an_analysis_states_the_root_cause_of_its_outage(outage: Outage, engineer: APIClient) -> None:
    response = engineer.post(f"{OUTAGES}/{outage.reference}/rca", BODY)

    assert response.status_code == 201
    author = response.json()["created_by"]
    assert response.json() == {
        "outage_id": outage.reference,
        "version": 1,
        "status": "published",
        **BODY,
        "follow_ups": [],
        "created_at": "2026-01-16T10:00:00Z",
        "created_by": author,
    }
    stored = Outage.objects.get(pk=outage.pk)
    assert (stored.root_cause, stored.version) == (BODY["root_cause"], outage.version + 1)
    fact = AuditEvent.objects.get(event="rca.published")
    assert (fact.subject, fact.stream, fact.actor) == (outage.stream, outage.stream, author)
    assert fact.data == {"outage_id": outage.reference, "version": 1, "root_cause": BODY["root_cause"]}


def test_writing_again_makes_a_new_version_and_keeps_the_old_one(outage: Outage, engineer: APIClient) -> None:
    url = f"{OUTAGES}/{outage.reference}/rca"
    for cause in ("A cable", "A digger", "The map"):
        engineer.post(url, {"root_cause": cause})

    assert engineer.get(url).json()["root_cause"] == "The map"
    assert engineer.get(f"{url}?version=1").json()["root_cause"] == "A cable"
    versions = engineer.get(f"{url}/versions").json()
    assert [(one["version"], one["root_cause"]) for one in versions] == [
        (3, "The map"),
        (2, "A digger"),
        (1, "A cable"),
    ]


def test_a_draft_changes_nothing_until_it_is_published(outage: Outage, engineer: APIClient) -> None:
    url = f"{OUTAGES}/{outage.reference}/rca"
    draft = engineer.post(url, {**BODY, "status": "draft"})
    assert (draft.status_code, draft.json()["status"], draft.json()["version"]) == (201, "draft", 1)
    assert Outage.objects.get(pk=outage.pk).root_cause == ""
    assert engineer.get(url).status_code == 404

    response = engineer.post(f"{url}/publish", {"version": 1})

    assert response.status_code == 201
    answered = response.json()
    assert (answered["version"], answered["status"]) == (2, "published")
    assert {name: answered[name] for name in BODY} == BODY
    assert Outage.objects.get(pk=outage.pk).root_cause == BODY["root_cause"]
    assert written() == ["rca.drafted", "rca.published"]


def test_without_a_version_the_newest_draft_is_published(outage: Outage) -> None:
    analyse(outage.reference, root_cause="A cable", is_draft=True)
    analyse(outage.reference, root_cause="A digger", is_draft=True)

    assert publish(outage.reference).root_cause == "A digger"
    assert list(outage.analyses.values_list("version", "status")) == [
        (3, "published"),
        (2, "draft"),
        (1, "draft"),
    ]


def test_what_is_published_is_not_published_again(outage: Outage) -> None:
    analyse(outage.reference, root_cause="A cable")

    for version in (None, 1):
        with pytest.raises(Conflict, match=r"^Version 1 of this analysis is published already\.$"):
            publish(outage.reference, version=version)
    assert outage.analyses.count() == 1


@pytest.mark.parametrize("version", [None, 7])
def test_what_is_not_there_is_not_published(outage: Outage, version: int | None) -> None:
    with pytest.raises(NotFound):
        publish(outage.reference, version=version)
    assert written() == []


def test_an_open_outage_has_no_analysis_yet(
    engineer: APIClient, acting: context.Context, make_outage: Make
) -> None:
    outage = make_outage()
    url = f"{OUTAGES}/{outage.reference}/rca"

    for response in (
        engineer.post(url, {**BODY, "follow_ups": [TO_DO]}),
        engineer.post(f"{url}/publish", {}),
    ):
        assert response.status_code == 409
        assert response.json()["detail"] == (
            f"Outage {outage.reference} is not resolved yet; its analysis comes after that."
        )
    assert (written(), FollowUp.objects.count()) == ([], 0)


def test_a_duplicate_is_analysed_where_it_was_merged_into(outage: Outage, make_outage: Make) -> None:
    duplicate = make_outage()
    Outage.objects.filter(pk=duplicate.pk).update(state="resolved", resolved_at=NOW, merged_into=outage)

    with pytest.raises(Conflict, match=f"was merged into {outage.reference}; the analysis belongs there"):
        analyse(duplicate.reference, root_cause="A cable")
    assert written() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"root_cause": None}, "root_cause"),
        ({"root_cause": " "}, "root_cause"),
        ({"root_cause": "x" * 5001}, "root_cause"),
        ({"remediation": 5}, "remediation"),
        ({"contributing_factors": "one"}, "contributing_factors"),
        ({"contributing_factors": ["x"] * 101}, "contributing_factors"),
        ({"contributing_factors": ["fine", "x" * 501]}, "contributing_factors.1"),
        ({"status": "final"}, "status"),
        ({"follow_ups": [TO_DO, {**TO_DO, "due_on": "soon"}]}, "follow_ups.1.due_on"),
        ({"follow_ups": [{**TO_DO, "owner": ""}]}, "follow_ups.0.owner"),
        ({"follow_ups": [TO_DO] * 101}, "follow_ups"),
    ],
)
def test_bad_input_names_its_field(
    outage: Outage, engineer: APIClient, change: dict[str, Any], field: str
) -> None:
    response = engineer.post(f"{OUTAGES}/{outage.reference}/rca", {**BODY, **change})

    assert response.status_code == 400
    assert list(response.json()["error"]["details"]["fields"]) == [field]
    assert (RootCauseAnalysis.objects.count(), FollowUp.objects.count(), written()) == (0, 0, [])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("OUT999/rca", 404),
        ("OUT999/rca/versions", 404),
        ("OUT999/rca/export", 404),
        ("{id}/rca", 404),
        ("{id}/rca?version=3", 404),
        ("{id}/rca/export", 404),
        ("{id}/rca?version=x", 400),
        ("{id}/rca?version=0", 400),
    ],
)
def test_what_is_not_there(outage: Outage, engineer: APIClient, path: str, status: int) -> None:
    response = engineer.get(f"{OUTAGES}/{path.replace('{id}', outage.reference)}")

    assert (response.status_code, response["Content-Type"]) == (status, "application/json")


def test_an_outage_without_an_analysis_has_no_versions(outage: Outage, engineer: APIClient) -> None:
    assert engineer.get(f"{OUTAGES}/{outage.reference}/rca/versions").json() == []


def test_one_key_makes_one_version(outage: Outage, engineer: APIClient) -> None:
    answers = [
        engineer.post(f"{OUTAGES}/{outage.reference}/rca", BODY, HTTP_IDEMPOTENCY_KEY="once") for _ in "ab"
    ]

    assert answers[0].json() == answers[1].json()
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert outage.analyses.count() == 1


@pytest.mark.django_db(transaction=True)
def test_versions_written_at_once_are_numbered_one_by_one(make_outage: Make) -> None:
    outage = settle(make_outage().reference).outage
    start, failures = Barrier(4), []

    def work() -> None:
        try:
            start.wait()
            analyse(
                outage.reference,
                root_cause="A cable",
                follow_ups=[Promise("Bury it", "Ada", date(2026, 2, 1))],
            )
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert list(outage.analyses.values_list("version", flat=True)) == [4, 3, 2, 1]
    assert list(outage.follow_ups.values_list("number", flat=True)) == [1]


# Follow-ups


def test_follow_ups_are_numbered_and_added_once(outage: Outage, engineer: APIClient) -> None:
    url = f"{OUTAGES}/{outage.reference}/rca"
    other = {**TO_DO, "action": "Bury the cable", "due_on": "2026-01-20"}
    engineer.post(url, {**BODY, "status": "draft", "follow_ups": [TO_DO, TO_DO]})
    response = engineer.post(url, {**BODY, "follow_ups": [TO_DO, other]})

    assert [(one["number"], one["action"]) for one in response.json()["follow_ups"]] == [
        (2, "Bury the cable"),
        (1, "Review the runbook"),
    ]
    assert written() == ["rca.drafted", "follow_up.added", "rca.published", "follow_up.added"]
    assert AuditEvent.objects.filter(event="follow_up.added").latest("id").data == {
        "outage_id": outage.reference,
        "number": 2,
        **other,
    }


def test_a_follow_up_is_done_and_opened_again(outage: Outage, engineer: APIClient) -> None:
    analyse(outage.reference, root_cause="A cable", follow_ups=[Promise("Bury it", "Ada", date(2026, 1, 15))])
    url = f"{OUTAGES}/{outage.reference}/follow-ups/1"

    done = engineer.patch(url, {"done": True}).json()
    again = engineer.patch(url, {"done": True}).json()
    assert done == again
    assert (done["done"], done["overdue"], done["done_at"]) == (True, False, "2026-01-16T10:00:00Z")
    assert done["done_by"] != "7"

    reopened = engineer.patch(url, {"done": False}).json()
    assert (reopened["done"], reopened["overdue"], reopened["done_at"], reopened["done_by"]) == (
        False,
        True,
        None,
        "",
    )
    assert written()[-2:] == ["follow_up.done", "follow_up.reopened"]


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [
        ("2", {"done": True}, 404),
        (str(10**30), {"done": True}, 404),
        ("x", {"done": True}, 404),
        ("1", {}, 400),
    ],
)
def test_a_follow_up_that_is_not_there(
    outage: Outage, engineer: APIClient, number: str, body: dict[str, Any], status: int
) -> None:
    analyse(outage.reference, root_cause="A cable", follow_ups=[Promise("Bury it", "Ada", date(2026, 1, 15))])
    response = engineer.patch(f"{OUTAGES}/{outage.reference}/follow-ups/{number}", body)

    assert response.status_code == status
    assert written() == ["rca.published", "follow_up.added"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [1, 2, 3]),
        ("owner=ada", [1, 3]),
        ("done=true", [1]),
        ("done=false", [2, 3]),
        ("overdue=true", [2]),
        ("overdue=false", [1, 3]),
        ("owner=Ada&overdue=true", []),
    ],
)
def test_follow_ups_of_every_outage(
    outage: Outage, engineer: APIClient, query: str, numbers: list[int]
) -> None:
    due = [("Ada", date(2026, 1, 10)), ("Bo", date(2026, 1, 15)), ("Ada", date(2026, 1, 16))]
    promises = [Promise("Bury it", owner, day) for owner, day in due]
    analyse(outage.reference, root_cause="A cable", follow_ups=promises)
    mark_done(outage.reference, 1, is_done=True)

    answer = engineer.get(f"/api/v1/follow-ups?{query}").json()

    assert [item["number"] for item in answer["results"]] == numbers
    assert answer["total"] == len(numbers)


def test_a_word_that_is_neither_true_nor_false_is_refused(engineer: APIClient) -> None:
    response = engineer.get("/api/v1/follow-ups?overdue=maybe")

    assert (response.status_code, response.json()["error"]["details"]["field"]) == (400, "overdue")


# The document


def test_the_document_tells_the_whole_story(
    parties: None, outage: Outage, engineer: APIClient, make_outage: Make
) -> None:
    outage = make_outage(
        reference="OUT-7",
        detected_at=NOW - timedelta(minutes=25),
        region="North",
        description="No signal",
        affected_services=["voice", "data"],
        affected_subscribers=1200,
    )
    settle(outage.reference)
    analyse(
        outage.reference,
        root_cause="A digger\nmet a cable",
        contributing_factors=["No map"],
        remediation="Spliced",
        follow_ups=[Promise("Bury it", "Ada", date(2026, 2, 1))],
    )
    response = engineer.get(f"{OUTAGES}/OUT-7/rca/export")

    assert (response.status_code, response["Content-Type"]) == (200, "text/markdown; charset=utf-8")
    assert response["Content-Disposition"] == 'attachment; filename="OUT-7-rca.md"'
    payment = outage.payments.get()
    policy = payment.sla_result.policy.label
    timeline = response.content.decode().partition("## Timeline\n\n")[2].partition("\n\n## Root cause")[0]
    assert timeline.splitlines()[2].split(" | ")[1] == ("Outage detected at Cell Tower Alpha")
    assert (
        response.content.decode().replace(timeline, "...")
        == f"""\
# Root cause analysis of OUT-7

| Fact | Value |
| --- | --- |
| Site | Cell Tower Alpha |
| Region | North |
| Severity | critical |
| Detected | 2026-01-16 09:35:00 UTC |
| Resolved | 2026-01-16 10:00:00 UTC |
| MTTR | 25 minutes |
| Analysis | version 1, published, 2026-01-16 10:00:00 UTC |

## Impact

No signal

- Affected services: voice, data
- Affected subscribers: 1200

## Clock

| From | To | Length | Counts |
| --- | --- | --- | --- |
| 2026-01-16 09:35:00 UTC | 2026-01-16 10:00:00 UTC | 0:25:00 | yes |

## Timeline

...

## Root cause

A digger\\
met a cable

## Contributing factors

- No map

## Remediation

Spliced

## Follow-ups

| No. | Action | Owner | Due | Done |
| --- | --- | --- | --- | --- |
| 1 | Bury it | Ada | 2026-02-01 |  |

## SLA and payment

| Fact | Value |
| --- | --- |
| SLA | violated, poor |
| Counted | 25 of 15 minutes |
| Policy | {policy} |
| Evidence | declared |
| Amount | -1000 |
| Payment | {payment.reference}, penalty, 1000 USDC |
| From and to | operator to pool |
| State | held (clock\\_declared) |
| Transaction | none yet |
"""
    )


def test_the_document_of_a_draft(outage: Outage, engineer: APIClient) -> None:
    analyse(outage.reference, root_cause="A cable", is_draft=True)
    url = f"{OUTAGES}/{outage.reference}/rca/export"

    assert engineer.get(url).status_code == 404
    assert "version 1, draft" in engineer.get(f"{url}?version=1").content.decode()
    assert engineer.get(f"{url}?version=1", HTTP_ACCEPT="text/markdown").status_code == 200


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a | b", r"a \| b"),
        ("two\nlines", "two lines"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("[click](https://evil.example)", r"\[click\](https\://evil.example)"),
        ("www.evil.example", r"www\.evil.example"),
        ("mail a@evil.example", r"mail a\@evil.example"),
        ("![x](x)", r"\!\[x\](x)"),
        ("`code` *bold* _it_ ~~gone~~", r"\`code\` \*bold\* \_it\_ \~\~gone\~\~"),
        ("&lt;b&gt;", r"\&lt;b\&gt;"),
        ("back\\slash", r"back\\slash"),
        ("10:00 - 11:00", "10:00 - 11:00"),
        ("\u2028line\x85separators\x0b", "line separators"),
    ],
)
def test_text_is_not_read_as_markup(text: str, written: str) -> None:
    assert plain(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("- item", r"\- item"),
        ("+ item", r"\+ item"),
        ("1. item", r"1\. item"),
        ("12) item", r"12\) item"),
        ("# title", r"\# title"),
        ("> quote", r"\> quote"),
        ("---", r"\---"),
        ("===", r"\==="),
        ("    code", "code"),
    ],
)
def test_text_begins_no_block(text: str, written: str) -> None:
    assert opening(text) == written


def test_text_keeps_its_lines_and_paragraphs() -> None:
    assert paragraphs("one\r\ntwo\n\n \n- three\n") == "one\\\ntwo\n\n\\- three"


def test_export_command(outage: Outage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    analyse(outage.reference, root_cause="A cable")
    call_command("export_rca", outage.reference)
    printed = capsys.readouterr().out
    call_command("export_rca", outage.reference, out=tmp_path / "rca.md")

    assert printed.startswith(f"# Root cause analysis of {outage.reference}\n\n| Fact | Value |\n")
    assert (tmp_path / "rca.md").read_text() == printed
    assert capsys.readouterr().out == f"{tmp_path / 'rca.md'}: {len(printed.splitlines())} lines.\n"


def test_export_command_of_what_is_not_there(outage: Outage, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Outage OUT999 has no published root cause analysis"):
        call_command("export_rca", "OUT999")
    analyse(outage.reference, root_cause="A cable")
    with pytest.raises(CommandError, match="cannot be written: Is a directory"):
        call_command("export_rca", outage.reference, out=tmp_path)


def test_the_document_costs_the_same_for_any_number_of_rows(
    outage: Outage, django_assert_num_queries: Any
) -> None:
    promises = [Promise(f"Step {number}", "Ada", date(2026, 2, 1)) for number in range(30)]
    analyse(outage.reference, root_cause="A cable", follow_ups=promises)

    with django_assert_num_queries(7):
        document(published(outage.reference))
