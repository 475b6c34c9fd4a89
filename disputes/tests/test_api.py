from typing import Any
from uuid import uuid4

import pytest

from apexchainx.accounts.models import Role
from audit.models import AuditEvent
from conftest import PREFIX
from disputes.models import Dispute
from disputes.services import file
from payments.models import Payment

pytestmark = pytest.mark.django_db

DISPUTES = f"{PREFIX}/sla/disputes"
REASON = "MTTR measurement started before engineer was notified"


@pytest.fixture
def make_disputes(make_settled):
    """So many disputes, oldest first."""
    return lambda number: [file(make_settled().outage.reference, reason=REASON) for _ in range(number)]


def error(response: Any) -> dict[str, Any]:
    return dict(response.json()["error"])


# Filing


def test_a_dispute_is_filed(client_of, make_user, settled):
    engineer = make_user("engineer")
    answer = client_of(engineer).post(
        DISPUTES, {"outage_id": settled.outage.reference, "reason": f" {REASON} "}
    )

    dispute = Dispute.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": dispute.reference,
        "dispute_id": dispute.reference,
        "outage_id": settled.outage.reference,
        "sla_result_id": str(settled.result.pk),
        "status": "open",
        "reason": REASON,
        "filed_by": str(engineer.pk),
        "resolution_notes": None,
        "created_at": dispute.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert Payment.objects.get().state == "held"
    fact = AuditEvent.objects.get(event="dispute.filed")
    assert (fact.actor, fact.source, fact.correlation_id) == (
        str(engineer.pk),
        "api",
        answer["X-Correlation-ID"],
    )


@pytest.mark.parametrize("given", [True, False])
def test_the_result_may_be_named_or_null(client_as, settled, given):
    body = {"outage_id": settled.outage.reference, "reason": REASON}
    answer = client_as("engineer").post(
        DISPUTES, {**body, "sla_result_id": str(settled.result.pk) if given else None}
    )

    assert answer.status_code == 201
    assert answer.json()["sla_result_id"] == str(settled.result.pk)


def test_the_actor_is_the_caller_whatever_the_body_says(client_of, make_user, settled):
    engineer = make_user("engineer")
    body = {"outage_id": settled.outage.reference, "reason": REASON}
    forged = {"id": "DIS777", "filed_by": "1000", "status": "resolved", "resolution_notes": "Mine."}
    answer = client_of(engineer).post(DISPUTES, {**body, **forged})

    assert answer.status_code == 201
    dispute = Dispute.objects.get()
    assert (dispute.filed_by, dispute.status, dispute.resolution_notes) == (str(engineer.pk), "open", "")
    assert dispute.reference != "DIS777"


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"reason": None}, 400, "reason"),
        ({"reason": ""}, 400, "reason"),
        ({"reason": "  \n"}, 400, "reason"),
        ({"reason": 5}, 400, "reason"),
        ({"reason": ["x"]}, 400, "reason"),
        ({"reason": "x" * 5001}, 400, "reason"),
        ({"outage_id": None}, 400, "outage_id"),
        ({"outage_id": 1}, 400, "outage_id"),
        ({"outage_id": "x" * 65}, 400, "outage_id"),
        ({"sla_result_id": ""}, 400, "sla_result_id"),
        ({"sla_result_id": "SLA001"}, 400, "sla_result_id"),
        ({"sla_result_id": 1}, 400, "sla_result_id"),
        ({"sla_result_id": True}, 400, "sla_result_id"),
        ({"sla_result_id": {}}, 400, "sla_result_id"),
        ({"sla_result_id": str(uuid4())}, 422, "sla_result_id"),
    ],
)
def test_a_bad_filing_is_named_by_its_field(client_as, settled, change, status, field):
    body = {"outage_id": settled.outage.reference, "reason": REASON, **change}
    answer = client_as("engineer").post(DISPUTES, body)

    assert (answer.status_code, error(answer)["details"]["field"]) == (status, field)
    assert not Dispute.objects.exists()
    assert Payment.objects.get().state == "ready"


@pytest.mark.parametrize("missing", ["outage_id", "reason"])
def test_outage_and_reason_are_required(client_as, settled, missing):
    body = {"outage_id": settled.outage.reference, "reason": REASON}
    del body[missing]
    answer = client_as("engineer").post(DISPUTES, body)

    assert (answer.status_code, error(answer)["details"]["field"]) == (400, missing)
    assert not Dispute.objects.exists()


def test_an_unknown_outage_is_404_and_an_open_one_422(client_as, make_outage):
    engineer = client_as("engineer")

    assert engineer.post(DISPUTES, {"outage_id": "OUT999", "reason": REASON}).status_code == 404
    assert (
        engineer.post(DISPUTES, {"outage_id": make_outage().reference, "reason": REASON}).status_code == 422
    )
    assert not Dispute.objects.exists()


def test_a_second_open_dispute_is_409(client_as, settled):
    body = {"outage_id": settled.outage.reference, "reason": REASON}
    engineer = client_as("engineer")
    engineer.post(DISPUTES, body)

    again = engineer.post(DISPUTES, body)
    assert (again.status_code, error(again)["code"]) == (409, "CONFLICT")
    assert Dispute.objects.count() == 1


# Showing


def test_one_dispute_is_shown(client_as, make_disputes):
    dispute = make_disputes(1)[0]
    Dispute.objects.update(status="rejected", resolution_notes="The call logs agree with the clock.")

    body = client_as("viewer").get(f"{DISPUTES}/{dispute.reference}").json()
    assert (body["id"], body["dispute_id"]) == (dispute.reference, dispute.reference)
    assert (body["status"], body["resolution_notes"]) == ("rejected", "The call logs agree with the clock.")


@pytest.mark.parametrize(
    "dispute_id", ["DIS999999", "DIS1", "dis001", "1", "OUT001", "DIS" + "9" * 30, "DIS00x"]
)
def test_an_unknown_dispute_is_404(client_as, make_disputes, dispute_id):
    make_disputes(1)

    answer = client_as("viewer").get(f"{DISPUTES}/{dispute_id}")
    assert (answer.status_code, error(answer)["code"]) == (404, "NOT_FOUND")


def test_disputes_are_listed_newest_first_and_filtered(client_as, make_disputes):
    first, second, third = make_disputes(3)
    Dispute.objects.filter(pk=second.pk).update(status="resolved")
    Dispute.objects.filter(pk=third.pk).update(status="rejected")
    viewer = client_as("viewer")

    def listed(**query: str) -> list[str]:
        return [dispute["id"] for dispute in viewer.get(DISPUTES, query).json()["results"]]

    assert listed() == [third.reference, second.reference, first.reference]
    for word in ("open", "under_review", "pending"):
        assert listed(status=word) == [first.reference]
    assert listed(status="resolved") == [second.reference]
    assert listed(status="rejected") == [third.reference]
    assert listed(outage_id=second.outage.reference) == [second.reference]
    assert listed(outage_id=second.outage.reference, status="open") == []
    assert listed(outage_id="OUT999") == []


def test_all_three_paging_styles_see_the_same(client_as, make_disputes):
    newest = [dispute.reference for dispute in reversed(make_disputes(3))]
    viewer = client_as("viewer")

    def ids(rows: list[dict[str, Any]]) -> list[str]:
        return [row["id"] for row in rows]

    offset = viewer.get(DISPUTES, {"limit": "2", "offset": "1"}).json()
    assert (ids(offset["results"]), offset["total"], offset["has_next"]) == (newest[1:], 3, False)
    page = viewer.get(DISPUTES, {"page": "2", "page_size": "2"}).json()
    assert (ids(page["items"]), page["total"], page["page"]) == (newest[2:], 3, 2)
    first = viewer.get(DISPUTES, {"cursor": "", "limit": "2"}).json()
    rest = viewer.get(DISPUTES, {"cursor": first["next_cursor"], "limit": "2"}).json()
    assert (ids(first["results"] + rest["results"]), rest["has_more"]) == (newest, False)


@pytest.mark.parametrize(
    "query", ["status=closed", "outage_id=" + "x" * 65, "limit=0", "page=x", "cursor=nonsense"]
)
def test_a_bad_query_is_400(client_as, query):
    assert client_as("viewer").get(f"{DISPUTES}?{query}").status_code == 400


@pytest.mark.parametrize("number", [2, 50])
def test_a_list_costs_the_same_for_any_length(client_as, make_settled, django_assert_num_queries, number):
    settled = make_settled()
    Dispute.objects.bulk_create(
        Dispute(
            outage=settled.outage, sla_result=settled.result, status="rejected", reason=REASON, filed_by="7"
        )
        for _ in range(number)
    )
    viewer = client_as("viewer")

    with django_assert_num_queries(3):
        assert len(viewer.get(DISPUTES).json()["results"]) == number


# Rights


@pytest.mark.parametrize("role", Role.values)
def test_everybody_reads_and_engineers_file(client_as, settled, role):
    client = client_as(role)
    filed = client.post(DISPUTES, {"outage_id": settled.outage.reference, "reason": REASON})
    may_file = role in {"engineer", "manager", "admin"}

    assert filed.status_code == (201 if may_file else 403)
    assert Dispute.objects.count() == may_file
    assert client.get(DISPUTES).status_code == 200
    assert client.get(f"{DISPUTES}/DIS999999").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("get", DISPUTES), ("post", DISPUTES), ("get", f"{DISPUTES}/DIS001")]
)
def test_nobody_enters_without_a_token(anonymous, settled, method, path):
    assert getattr(anonymous, method)(path, {"outage_id": settled.outage.reference}).status_code == 401
    assert not Dispute.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_disputes_cannot_be_changed(client_as, make_disputes, method):
    dispute = make_disputes(1)[0]

    assert getattr(client_as("admin"), method)(f"{DISPUTES}/{dispute.reference}").status_code == 405
    assert Dispute.objects.get().status == "open"
