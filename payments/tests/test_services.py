from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from time_machine import Traveller

from apexchainx.errors import Conflict
from audit.models import AuditEvent
from conftest import NOW, OPERATOR_ADDRESS, TEAM_ADDRESS
from outages.models import Outage
from payments.models import Payment
from payments.services import settling as services
from payments.services.settling import settle
from sla.models import SLAResult
from wallets.models import Kind, Wallet
from webhooks import signing
from webhooks.models import Webhook

pytestmark = pytest.mark.django_db


def test_a_reward_leaves_the_pool_for_the_team(
    settings: Any, make_outage: Callable[..., Outage], parties: None
) -> None:
    outage = make_outage()

    settlement = settle(outage.reference)

    payment = Payment.objects.get()
    assert settlement.payment == payment
    assert (payment.type, payment.amount, payment.state, payment.reason) == (
        "reward",
        Decimal(1500),
        "ready",
        "",
    )
    assert (payment.payer, payment.payee) == ("pool", "operations")
    assert (payment.from_address, payment.to_address) == (settings.STELLAR_POOL_ADDRESS, TEAM_ADDRESS)
    assert payment.source_key == f"sla:{settlement.result.pk}"
    assert payment.reference == f"PAY{payment.pk:03d}"
    assert (payment.transaction_hash, payment.ledger, payment.confirmed_at) == ("", None, None)


def test_a_penalty_is_awaited_from_the_operator_and_not_pretended(
    settings: Any, clock: Traveller, make_outage: Callable[..., Outage], parties: None
) -> None:
    outage = make_outage()
    clock.shift(timedelta(minutes=25))

    payment = settle(outage.reference).payment

    assert payment is not None
    assert (payment.type, payment.amount) == ("penalty", Decimal(1000))
    assert (payment.state, payment.reason, payment.status) == (
        "awaiting_payer",
        "payer_has_not_paid",
        "pending",
    )
    assert (payment.payer, payment.payee) == ("operator", "pool")
    assert (payment.from_address, payment.to_address) == (OPERATOR_ADDRESS, settings.STELLAR_POOL_ADDRESS)


@pytest.mark.parametrize(
    ("outage", "limit", "state", "reason"),
    [
        ({"detected_at": NOW - timedelta(minutes=8)}, 10_000, "held", "clock_declared"),
        ({}, 1499, "held", "over_automatic_limit"),
        ({}, 1500, "ready", ""),
    ],
)
def test_weak_evidence_and_large_amounts_wait_for_a_person(
    clock: Traveller,
    settings: Any,
    make_outage: Callable[..., Outage],
    parties: None,
    outage: dict[str, Any],
    limit: int,
    state: str,
    reason: str,
) -> None:
    settings.MAX_AUTO_PAYMENT_AMOUNT = limit

    payment = settle(make_outage(**outage).reference).payment

    assert payment is not None
    assert (payment.state, payment.reason) == (state, reason)
    assert (payment.next_action_at is None) == (state == "held")


def test_an_owner_without_a_wallet_parks_the_payment(make_outage: Callable[..., Outage]) -> None:
    payment = settle(make_outage().reference).payment

    assert payment is not None
    assert (payment.state, payment.reason, payment.to_address) == ("parked", "no_wallet", "")


def test_the_whole_settlement_is_told_in_order(
    acting: None,
    make_outage: Callable[..., Outage],
    parties: None,
    facts: Callable[..., list[tuple[str, str]]],
) -> None:
    outage = make_outage()

    settlement = settle(outage.reference)

    assert settlement.payment is not None
    assert facts(stream=outage.stream) == [
        ("outage.created", outage.stream),
        ("outage.resolved", outage.stream),
        ("sla.calculated", f"sla:{settlement.result.pk}"),
        ("sla.reward", f"sla:{settlement.result.pk}"),
        ("payment.initiated", f"payment:{settlement.payment.reference}"),
    ]
    assert AuditEvent.objects.get(event="payment.initiated").data == {
        "outage_id": outage.reference,
        "payment_id": settlement.payment.reference,
        "sla_result_id": str(settlement.result.pk),
        "type": "reward",
        "amount": "1500",
        "asset_code": "USDC",
        "transaction_hash": "",
        "state": "ready",
        "reason": "",
    }


def test_a_result_is_paid_for_once(make_outage: Callable[..., Outage], parties: None) -> None:
    result = settle(make_outage().reference).result

    with pytest.raises(IntegrityError, match=r"source_key|sla_result"), transaction.atomic():
        services.pay(result)
    assert Payment.objects.count() == 1


def test_many_results_are_paid_for_at_once(
    clock: Traveller,
    make_outage: Callable[..., Outage],
    make_wallet: Callable[..., Wallet],
    settings: Any,
    facts: Callable[..., list[tuple[str, str]]],
) -> None:
    make_wallet("towers", OPERATOR_ADDRESS, Kind.OPERATOR)
    make_wallet("west", TEAM_ADDRESS)
    reward, free, penalty, ownerless = (
        settle(make_outage(**fields).reference).result
        for fields in ({"team": "west"}, {}, {"operator": "towers"}, {})
    )
    Payment.objects.all().delete()
    free.amount = Decimal(0)
    penalty.outcome, penalty.amount = "penalty", Decimal(-10)

    paid = services.pay_all([reward, free, penalty, ownerless])

    assert paid[1] is None
    made = [payment for payment in paid if payment]
    assert [(one.sla_result, one.payer, one.payee, one.amount) for one in made] == [
        (reward, "pool", "west", Decimal(1500)),
        (penalty, "towers", "pool", Decimal(10)),
        (ownerless, "pool", settings.DEFAULT_TEAM, Decimal(1500)),
    ]
    assert [(one.state, one.reason, one.from_address, one.to_address) for one in made] == [
        ("ready", "", settings.STELLAR_POOL_ADDRESS, TEAM_ADDRESS),
        ("awaiting_payer", "payer_has_not_paid", OPERATOR_ADDRESS, settings.STELLAR_POOL_ADDRESS),
        ("parked", "no_wallet", settings.STELLAR_POOL_ADDRESS, ""),
    ]
    assert facts(event="payment.initiated")[-3:] == [
        ("payment.initiated", f"payment:{one.reference}") for one in made
    ]


@pytest.mark.parametrize("count", [1, 20])
def test_any_number_of_payments_takes_the_same_statements(
    make_outage: Callable[..., Outage],
    parties: None,
    django_assert_num_queries: Callable[..., Any],
    count: int,
) -> None:
    results = [settle(make_outage().reference).result for _ in range(count)]
    Payment.objects.all().delete()
    owners_payments_events_and_subscribers, begin_and_commit = 4, 2

    statements = owners_payments_events_and_subscribers + begin_and_commit
    with django_assert_num_queries(statements), transaction.atomic():
        services.pay_all(results)


def test_nothing_to_pay_writes_nothing(
    make_outage: Callable[..., Outage], django_assert_num_queries: Callable[..., Any]
) -> None:
    result = settle(make_outage().reference).result
    result.amount = Decimal(0)

    with django_assert_num_queries(0):
        assert services.pay_all([]) == []
        assert services.pay_all([result]) == [None]
    assert Payment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_failure_in_the_payment_step_leaves_the_outage_open(
    make_outage: Callable[..., Outage], parties: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = make_outage()
    before = AuditEvent.objects.count()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the payment step fails")

    monkeypatch.setattr(services, "insert", fail)
    with pytest.raises(RuntimeError, match="the payment step fails"):
        settle(outage.reference)

    outage.refresh_from_db()
    assert (outage.state, outage.resolved_at, outage.mttr_minutes) == ("active", None, None)
    assert (SLAResult.objects.count(), AuditEvent.objects.count()) == (0, before)


@pytest.mark.django_db(transaction=True)
def test_a_hundred_resolves_at_once_leave_one_result_and_one_payment(
    make_outage: Callable[..., Outage], parties: None
) -> None:
    reference = make_outage().reference

    def attempt(_: int) -> str:
        try:
            settle(reference)
        except Conflict:
            return "conflict"
        finally:
            connection.close()
        return "settled"

    with ThreadPoolExecutor(20) as pool:
        outcomes = sorted(pool.map(attempt, range(100)))

    assert outcomes == ["conflict"] * 99 + ["settled"]
    assert (SLAResult.objects.count(), Payment.objects.count()) == (1, 1)
    assert AuditEvent.objects.filter(event="outage.resolved").count() == 1


@pytest.mark.parametrize(("subscribers", "statements"), [(0, 16), (1, 19), (5, 19)])
def test_a_settlement_takes_few_statements_and_no_network(
    make_outage: Callable[..., Outage],
    parties: None,
    settings: Any,
    django_assert_num_queries: Callable[..., Any],
    subscribers: int,
    statements: int,
) -> None:
    settings.STELLAR_HORIZON_URL = "http://127.0.0.1:9"
    for number in range(subscribers):
        webhook = Webhook(url=f"https://example.com/{number}", events=["*"], created_by="7")
        webhook.secret = signing.new_secret()
        webhook.save()
    reference = make_outage().reference
    begin_and_commit = 2

    with django_assert_num_queries(statements + begin_and_commit):
        settle(reference)
