from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from audit.events import Event
from conftest import PREFIX
from webhooks.models import Delivery, Webhook
from webhooks.tests.conftest import NOW, Make, State

pytestmark = pytest.mark.django_db

WEBHOOKS = f"{PREFIX}/webhooks"


def test_a_delivery_with_its_attempts(
    manager: APIClient, make_webhook: Make, tell: Callable[[int], None]
) -> None:
    webhook = make_webhook()
    tell(1)

    (shown,) = manager.get(f"{WEBHOOKS}/{webhook.pk}/deliveries").json()

    told = Delivery.objects.get()
    assert told.delivered_at
    first, second = told.tries.all()
    attempts = [
        {
            "number": attempt.number,
            "started_at": attempt.started_at.isoformat().replace("+00:00", "Z"),
            "status_code": attempt.status_code,
            "latency_ms": 12,
            "error": None,
        }
        for attempt in (first, second)
    ]
    assert shown == {
        "id": str(told.pk),
        "webhook_id": str(webhook.pk),
        "message_id": f"msg_{told.message_id}",
        "event": "outage.created",
        "status": "delivered",
        "attempt_count": 2,
        "next_attempt_at": None,
        "created_at": told.created_at.isoformat().replace("+00:00", "Z"),
        "delivered_at": told.delivered_at.isoformat().replace("+00:00", "Z"),
        "correlation_id": "corr-1",
        "attempts": attempts,
    }
    detail = manager.get(f"{WEBHOOKS}/{webhook.pk}/deliveries/{told.pk}").json()
    assert detail == {
        **shown,
        "attempts": [{**attempt, "response_body": "said"} for attempt in attempts],
        "payload": {
            "id": f"msg_{told.message_id}",
            "event": "outage.created",
            "type": "outage.created",
            "timestamp": detail["payload"]["timestamp"],
            "schema_version": "1",
            "webhook_id": str(webhook.pk),
            "data": {},
        },
    }


def test_a_payload_shows_money_to_the_last_digit(
    manager: APIClient, make_webhook: Make, state: State
) -> None:
    webhook = make_webhook()
    state(Event.PAYMENT_COMPLETED, amount=Decimal("12345678901.1234567"))

    answer = manager.get(f"{WEBHOOKS}/{webhook.pk}/deliveries/{Delivery.objects.get().pk}")

    assert b'"amount":12345678901.1234567' in answer.content


def queued(webhook: Webhook, count: int) -> list[str]:
    """The ids of so many deliveries without attempts, newest first."""
    rows = Delivery.objects.bulk_create(
        Delivery(webhook=webhook, event_id=number, event="outage.created", body="{}", next_attempt_at=NOW)
        for number in range(count)
    )
    return [str(row.pk) for row in reversed(rows)]


def test_without_paging_the_newest_fifty_are_a_bare_array(manager: APIClient, make_webhook: Make) -> None:
    webhook, other = make_webhook(), make_webhook()
    ids = queued(webhook, 52)
    queued(other, 1)

    shown = manager.get(f"{WEBHOOKS}/{webhook.pk}/deliveries").json()

    assert [row["id"] for row in shown] == ids[:50]


def test_with_paging_there_are_pages(manager: APIClient, make_webhook: Make) -> None:
    webhook = make_webhook()
    ids = queued(webhook, 3)
    path = f"{WEBHOOKS}/{webhook.pk}/deliveries"

    by_offset = manager.get(path, {"limit": "2", "offset": "1"}).json()
    by_page = manager.get(path, {"page": "2", "page_size": "2"}).json()
    by_cursor = manager.get(path, {"cursor": "", "limit": "2"}).json()

    assert (by_offset["total"], [row["id"] for row in by_offset["results"]]) == (3, ids[1:])
    assert (by_page["total"], [row["id"] for row in by_page["items"]]) == (3, ids[2:])
    assert (by_cursor["has_more"], [row["id"] for row in by_cursor["results"]]) == (True, ids[:2])
    following = manager.get(path, {"cursor": by_cursor["next_cursor"]}).json()
    assert (following["has_more"], [row["id"] for row in following["results"]]) == (False, ids[2:])
    assert manager.get(path, {"limit": "many"}).status_code == 400


def test_deliveries_are_filtered(manager: APIClient, make_webhook: Make) -> None:
    webhook = make_webhook()
    newest, middle, oldest = queued(webhook, 3)
    Delivery.objects.filter(pk=oldest).update(created_at=NOW - timedelta(days=1))
    Delivery.objects.filter(pk=middle).update(created_at=NOW, event="sla.calculated")
    Delivery.objects.filter(pk=newest).update(created_at=NOW, status="failed", next_attempt_at=None)

    def found(**query: str) -> list[str]:
        return [row["id"] for row in manager.get(f"{WEBHOOKS}/{webhook.pk}/deliveries", query).json()]

    assert found(status="failed") == [newest]
    assert found(event="sla.calculated") == [middle]
    assert found(start="2026-01-16") == [newest, middle]
    assert found(end="2026-01-15") == [oldest]
    answer = manager.get(f"{WEBHOOKS}/{webhook.pk}/deliveries", {"status": "lost"})
    assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, "status")


def test_anothers_delivery_is_not_there(manager: APIClient, make_webhook: Make) -> None:
    webhook, other = make_webhook(), make_webhook()
    (told,) = queued(other, 1)

    assert manager.get(f"{WEBHOOKS}/{other.pk}/deliveries/{told}").status_code == 200
    for name in (told, "abc", "9" * 30):
        assert manager.get(f"{WEBHOOKS}/{webhook.pk}/deliveries/{name}").status_code == 404


@pytest.mark.parametrize("count", [2, 50])
@pytest.mark.parametrize(("query", "queries"), [({}, 4), ({"limit": "50"}, 5)], ids=["bare", "paged"])
def test_the_number_of_queries_is_fixed(
    manager: APIClient,
    make_webhook: Make,
    tell: Callable[[int], None],
    count: int,
    query: dict[str, str],
    queries: int,
) -> None:
    webhook = make_webhook()
    tell(count)

    with CaptureQueriesContext(connection) as captured:
        answer = manager.get(f"{WEBHOOKS}/{webhook.pk}/deliveries", query).json()

    rows = answer["results"] if query else answer
    assert (len(rows), {len(row["attempts"]) for row in rows}) == (count, {2})
    assert len(captured) == queries
