import pytest
from django.db import IntegrityError, connection, transaction

from apexchainx import context
from audit.events import PUBLIC, Event
from audit.log import record, recorded
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db


def test_a_fact_carries_who_where_and_under_which_id(acting: context.Context) -> None:
    event = record(Event.OWNER_CREATED, "owner:x", stream="outage:OUT001", key="x")

    kept = AuditEvent.objects.get(pk=event.pk)
    assert (kept.event, kept.subject, kept.stream, kept.data) == (
        "owner.created",
        "owner:x",
        "outage:OUT001",
        {"key": "x"},
    )
    assert (kept.actor, kept.source, kept.correlation_id) == ("7", "api", "test-correlation")


@pytest.mark.django_db(transaction=True)
def test_a_fact_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        record(Event.OWNER_CREATED, "owner:x")
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_auditevent SET actor = 'x'", "DELETE FROM audit_auditevent"]
)
def test_what_is_written_stays(acting: context.Context, statement: str) -> None:
    record(Event.OWNER_CREATED, "owner:x")

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEvent.objects.get().actor == "7"


def test_even_truncate_is_refused_outside_the_test_database(acting: context.Context) -> None:
    record(Event.OWNER_CREATED, "owner:x")

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL apexchainx.test_database = 'off'")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute("TRUNCATE audit_auditevent")
    assert AuditEvent.objects.count() == 1


def test_a_stream_is_in_the_order_of_recording(acting: context.Context) -> None:
    for number in range(3):
        record(Event.OUTAGE_UPDATED, "outage:OUT001", stream="outage:OUT001", number=number)
    record(Event.OUTAGE_UPDATED, "outage:OUT002", stream="outage:OUT002", number=9)

    assert [event.data["number"] for event in AuditEvent.objects.stream("outage:OUT001")] == [0, 1, 2]


def test_readers_are_told_inside_the_transaction(acting: context.Context) -> None:
    heard: list[tuple[str, bool]] = []

    def listen(events: list[AuditEvent], **_: object) -> None:
        heard.extend((event.event, connection.in_atomic_block) for event in events)

    recorded.connect(listen)
    try:
        record(Event.OWNER_CREATED, "owner:x")
    finally:
        recorded.disconnect(listen)
    assert heard == [("owner.created", True)]


def test_nothing_of_authentication_or_wallets_is_public() -> None:
    private = ("auth.", "user.", "owner.", "wallet.", "webhook.", "policy.")
    assert [event for event in PUBLIC if event.value.startswith(private)] == []
