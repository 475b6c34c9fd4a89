from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from apexchainx.accounts.models import Role, User
from audit.models import AuditEvent
from webhooks import delivery, sender
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.tests.conftest import Make, State

pytestmark = pytest.mark.django_db

LIST = "/admin/webhooks/webhook/"


@pytest.fixture
def staff(client: Client, make_user: Callable[..., User]) -> Client:
    client.force_login(make_user(Role.ADMIN, is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def told(make_webhook: Make, state: State) -> Delivery:
    """A delivery with a failed attempt."""
    make_webhook(name="Billing")
    state()
    (claimed,) = delivery.claim(1)
    given = sender.Answer(error="ConnectionResetError")
    delivery.conclude(claimed, delivery.attempt(claimed, given, datetime.now(UTC)), given)
    return claimed


@pytest.mark.parametrize(
    ("path", "query", "shown"),
    [
        ("webhook", "q=bill&status__exact=active", "https://hooks.example.com/in"),
        ("delivery", "q=bill&status__exact=pending", "msg_"),
        ("attempt", "q=reset", "ConnectionResetError"),
    ],
)
def test_what_there_is_can_be_looked_through(
    staff: Client, told: Delivery, path: str, query: str, shown: str
) -> None:
    changelist = staff.get(f"/admin/webhooks/{path}/?{query}")

    assert (changelist.status_code, shown in changelist.content.decode()) == (200, True)
    assert staff.get(f"/admin/webhooks/{path}/?q=nowhere").content.decode().count(shown) == 0


def test_a_delivery_is_found_by_its_webhook_id_header(staff: Client, told: Delivery) -> None:
    page = staff.get("/admin/webhooks/delivery/", {"q": str(told.message_id)})
    assert told.public_id in page.content.decode()


def test_pages_show_no_secret_and_nothing_to_change(staff: Client, told: Delivery) -> None:
    webhook, attempt = told.webhook, Attempt.objects.get()
    pages = [
        staff.get(LIST),
        *(
            staff.get(f"/admin/webhooks/{path}/change/")
            for path in (f"webhook/{webhook.pk}", f"delivery/{told.pk}", f"attempt/{attempt.pk}")
        ),
    ]

    assert {page.status_code for page in pages} == {200}
    text = " ".join(page.content.decode() for page in pages)
    assert "ConnectionResetError" in text
    assert [found for found in ("whsec_", "ecret", "_save") if found in text] == []


@pytest.mark.parametrize("model", ["webhook", "delivery", "attempt"])
def test_nothing_is_added_changed_or_deleted(staff: Client, told: Delivery, model: str) -> None:
    pk = {"webhook": told.webhook_id, "delivery": told.pk, "attempt": Attempt.objects.get().pk}[model]
    answers = [
        staff.post(f"/admin/webhooks/{model}/add/", {}),
        staff.post(f"/admin/webhooks/{model}/{pk}/change/", {"name": "x", "url": "https://x.test"}),
        staff.post(f"/admin/webhooks/{model}/{pk}/delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert (Webhook.objects.get().name, Delivery.objects.count(), Attempt.objects.count()) == (
        "Billing",
        1,
        1,
    )


def test_webhooks_are_paused_and_activated_through_the_service(staff: Client, make_webhook: Make) -> None:
    first, second, _untouched = (make_webhook() for _ in range(3))
    chosen = {"_selected_action": [first.pk, second.pk]}

    page = staff.post(LIST, {"action": "pause", **chosen}, follow=True)

    assert "Now paused: 2." in page.content.decode()
    assert list(Webhook.objects.values_list("status", flat=True)) == ["paused", "paused", "active"]
    events = AuditEvent.objects.filter(event="webhook.updated").order_by("id")
    assert [(event.subject, event.source) for event in events] == [
        (first.subject, "admin"),
        (second.subject, "admin"),
    ]

    staff.post(LIST, {"action": "activate", **chosen})

    assert list(Webhook.objects.values_list("status", flat=True)) == ["active"] * 3


def test_activating_resets_the_counters(staff: Client, make_webhook: Make) -> None:
    webhook = make_webhook(status="disabled")
    Webhook.objects.update(consecutive_failures=5)

    staff.post(LIST, {"action": "activate", "_selected_action": [webhook.pk]})

    kept = Webhook.objects.get()
    assert (kept.status, kept.disabled_reason, kept.consecutive_failures) == ("active", "", 0)


def test_who_lacks_the_scope_has_no_actions(
    client: Client, make_user: Callable[..., User], make_webhook: Make
) -> None:
    webhook = make_webhook()
    client.force_login(make_user(Role.ENGINEER, is_staff=True, is_superuser=True))

    assert 'value="pause"' not in client.get(LIST).content.decode()
    client.post(LIST, {"action": "pause", "_selected_action": [webhook.pk]})

    assert Webhook.objects.get().status == "active"
