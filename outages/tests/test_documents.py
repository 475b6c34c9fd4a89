"""What the database writes of an outage is what the serializer says."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.db import connection

from apexchainx.api.renderers import encode, money
from conftest import NOW
from outages.models import Fact, MaintenanceWindow, Outage
from outages.serializers.documents import outage_documents
from outages.serializers.outage import OutageSerializer
from outages.views.lifecycle import told
from payments.models import Payment
from payments.services.settling import settle
from sla.models import Calendar, ContractInvocation, PolicyVersion, SLAResult

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "acting")]

HOUR = timedelta(hours=1)
ODD = 'He said "down" \\ C:\\new\t\u2028 50% _ \U0001f525 Жук é\u200d</script> \x1b\x7f'
Make = Callable[..., Outage]


def same(*outages: Outage) -> list[dict[str, Any]]:
    """The documents, after a look at what the serializer says."""
    keys = [outage.pk for outage in outages]
    written: list[dict[str, Any]] = orjson.loads(encode(outage_documents(keys)))
    said = {outage.pk: outage for outage in told().filter(pk__in=keys)}
    expected = orjson.loads(encode([OutageSerializer(said[key]).data for key in keys]))
    assert written == expected
    return written


def pause(outage: Outage, at: datetime, *, until: datetime | None = None) -> None:
    kinds = [(Fact.Kind.PAUSED, at), *([(Fact.Kind.RESUMED, until)] if until else [])]
    for kind, moment in kinds:
        Fact.objects.create(outage=outage, kind=kind, detail="Fuel", occurred_at=moment, actor="7")
    Outage.objects.filter(pk=outage.pk).update(paused_at=None if until else at)


def test_an_open_outage(make_outage: Make) -> None:
    [document] = same(make_outage(severity="high", detected_at=NOW - timedelta(minutes=12, microseconds=5)))

    assert document["detected_at"] == "2026-01-16T09:47:59.999995Z"
    assert document["sla_status"]["time_remaining_minutes"] == 18
    assert document["sla_status"]["breach_at"] == "2026-01-16T10:18:59.999995Z"


def test_an_outage_with_everything_said_of_it(make_outage: Make, parties: None) -> None:
    earlier = make_outage()
    outage = make_outage(
        reference="Odd_1-x",
        site_name=ODD,
        site_id="S-1",
        region="West",
        description=ODD * 20,
        affected_services=[ODD, "4G", "Voice, SMS", "{}", "NULL"],
        affected_subscribers=2**31 - 1,
        latitude=Decimal("-9.082000"),
        longitude=Decimal("8.675432"),
        assigned_to="user123",
        team="operations",
        operator="operator",
        root_cause=ODD,
    )
    Outage.objects.filter(pk=outage.pk).update(
        acknowledged_at=NOW, recurrence_of=earlier, source="alarm", state="investigating"
    )

    [document] = same(outage)

    assert document["site_name"] == ODD
    assert document["location"] == {"latitude": -9.082, "longitude": 8.675432}
    assert document["recurrence_of"] == earlier.reference


def test_nothing_is_said_of_a_place_that_is_half_known(make_outage: Make) -> None:
    assert same(make_outage(latitude=Decimal(9)))[0]["location"] is None


def test_a_clock_that_stands_still_and_one_that_runs_again(make_outage: Make) -> None:
    paused, resumed = (make_outage(severity="low", detected_at=NOW - 2 * HOUR) for _ in range(2))
    pause(paused, NOW - HOUR)
    pause(resumed, NOW - HOUR, until=NOW - HOUR / 2)

    standing = [document["sla_status"] for document in same(paused, resumed)]

    assert [(one["status"], one["time_remaining_minutes"]) for one in standing] == [
        ("paused", 60),
        ("in_progress", 30),
    ]


@pytest.mark.parametrize(
    ("place", "remaining"),
    [
        ({"site_name": "cell tower ALPHA"}, 90),
        ({"region": "WEST"}, 90),
        ({"service": "ß net"}, 90),
        ({"service": "5G"}, 60),
        ({"site_name": "Cell Tower"}, 60),
        ({"region": "WEST", "sla_relevant": True}, 60),
        ({"region": "WEST", "withdrawn_at": NOW}, 60),
        ({"region": "WEST", "approved_at": None, "approved_by": ""}, 60),
    ],
)
def test_maintenance_at_its_place_does_not_count(
    make_outage: Make, place: dict[str, Any], remaining: int
) -> None:
    outage = make_outage(
        severity="low", detected_at=NOW - HOUR, region="West", affected_services=["4G", "SS Net"]
    )
    times = {
        "starts_at": NOW - HOUR / 2,
        "ends_at": NOW + HOUR,
        "approved_at": NOW - HOUR,
        "approved_by": "8",
    }
    MaintenanceWindow.objects.create(**{"name": "Work", "reason": "r", "created_by": "7", **times, **place})

    assert same(outage)[0]["sla_status"]["time_remaining_minutes"] == remaining


def test_the_calendar_of_the_policy_at_detection(make_outage: Make) -> None:
    """Ten o'clock on a Friday: Lagos is an hour ahead and opened at nine, and Monday is a holiday."""
    hours = Calendar.objects.create(
        name="Office",
        timezone="Africa/Lagos",
        weekly=[{"weekday": day, "opens": "09:00", "closes": "12:00"} for day in range(1, 6)],
        holidays=[date(2026, 1, 19)],
        created_by="7",
    )
    PolicyVersion.objects.filter(severity="low").update(effective_to=NOW - HOUR, calendar=hours)
    PolicyVersion.objects.create(
        severity="low",
        version=2,
        threshold_minutes=7,
        penalty_per_minute=1,
        reward_base=1,
        effective_from=NOW - HOUR,
        published_by="7",
    )
    before, after = (make_outage(severity="low", detected_at=NOW - hours * HOUR) for hours in (3, 1))

    standing = [document["sla_status"] for document in same(before, after)]

    assert [(one["threshold_minutes"], one["time_remaining_minutes"]) for one in standing] == [
        (120, 0),
        (7, 0),
    ]
    assert standing[0]["breach_at"] == "2026-01-16T10:01:00Z"


def test_without_a_policy_there_is_no_threshold(make_outage: Make) -> None:
    PolicyVersion.objects.filter(severity="low").update(effective_from=NOW + HOUR)

    assert same(make_outage(severity="low"))[0]["sla_status"]["threshold_minutes"] is None


@pytest.mark.parametrize("minutes", [0, 9, 15, 16, 500])
def test_met_and_violated_with_their_payments(make_outage: Make, parties: None, minutes: int) -> None:
    outage = make_outage(detected_at=NOW - minutes * timedelta(minutes=1, seconds=1))
    settle(outage.reference, notes=ODD)

    [document] = same(outage)

    assert document["sla_status"]["mttr_minutes"] == document["mttr_minutes"]
    assert document["stellar_payment"]["outage_id"] == outage.reference


@pytest.mark.parametrize(
    "change",
    [{"state": state} for state in Payment.State.values if state != "paid"]
    + [
        {"state": "paid", "confirmed_at": NOW, "transaction_hash": "ab" * 32, "ledger": 2**40},
        {"transaction_hash": "ab" * 32},
        {"amount": Decimal("0.0000001"), "reason": "no_wallet", "next_action_at": None},
        {"amount": Decimal("12345678901.1000000"), "from_address": "", "to_address": ""},
        {"amount": Decimal(100)},
    ],
)
def test_payments_in_every_state(make_outage: Make, parties: None, change: dict[str, Any]) -> None:
    outage = settle(make_outage().reference).outage
    Payment.objects.update(**change)

    same(outage)


@pytest.mark.parametrize(("ledger", "seen"), [(None, None), (7, "cd" * 32)])
def test_the_contract_s_answer_once_a_ledger_has_shown_it(
    make_outage: Make, parties: None, ledger: int | None, seen: str | None
) -> None:
    outage = settle(make_outage().reference).outage
    invoked = {"result": SLAResult.objects.get(), "hash": "cd" * 32, "ledger": ledger}
    ContractInvocation.objects.create(**invoked)

    assert same(outage)[0]["sla_status"]["contract_tx_hash"] == seen


def test_a_result_of_nothing_has_no_payment(make_outage: Make, parties: None) -> None:
    PolicyVersion.objects.filter(severity="critical").update(reward_base=0)
    outage = settle(make_outage().reference).outage

    [document] = same(outage)

    assert document["stellar_payment"] is None
    assert document["sla_status"]["reward_amount"] == 0


def test_a_duplicate_has_neither_clock_nor_money(make_outage: Make) -> None:
    original, duplicate = make_outage(), make_outage()
    Outage.objects.filter(pk=duplicate.pk).update(state="resolved", resolved_at=NOW, merged_into=original)

    [document] = same(duplicate)

    assert document["merged_into"] == original.reference
    assert set(document["sla_status"].values()) == {None, False}


def test_documents_come_in_the_order_asked_for(make_outage: Make, parties: None) -> None:
    outages = [make_outage() for _ in range(5)]
    settle(outages[1].reference)
    order = [outages[place] for place in (3, 0, 4, 1, 2)]

    assert [document["id"] for document in same(*order)] == [outage.reference for outage in order]
    assert outage_documents([]) == []


def test_a_payment_is_numbered_beyond_three_digits(make_outage: Make, parties: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('payments_payment_id_seq', 99999)")
    outage = settle(make_outage().reference).outage

    assert same(outage)[0]["stellar_payment"]["id"] == "PAY100000"


@pytest.mark.parametrize(
    "digits", ["0", "1", "-1.5", "1125.0000000", "0.0000001", "99999999999.9999999", "1e3", "10.10"]
)
def test_amounts_are_written_as_the_renderer_does(digits: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT json_money(%s::numeric(18, 7))::text", [digits])
        assert cursor.fetchone()[0] == money(Decimal(digits).quantize(Decimal("1e-7")))


@pytest.mark.parametrize("micros", [0, 1, 500_000, 999_999])
@pytest.mark.parametrize("year", [2000, 2026, 9998])
def test_moments_are_written_as_the_renderer_does(year: int, micros: int) -> None:
    moment = datetime(year, 2, 3, 4, 5, 6, micros, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'Asia/Kathmandu'")
        cursor.execute("SELECT json_moment(%s)", [moment])
        assert cursor.fetchone()[0] == orjson.loads(encode(moment))
