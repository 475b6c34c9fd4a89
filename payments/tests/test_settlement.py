"""What dies or is answered wrongly between any two steps: the payment is made, and made once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.db import connection
from django.utils import timezone
from stellar_sdk import Asset, ChangeTrust, Keypair, Server

from apexchainx.errors import Unavailable
from apexchainx.stellar import horizon, keys
from apexchainx.stellar.horizon import Outcome, Submission
from apexchainx.stellar.tests import bench
from audit.models import AuditEvent
from payments.models import Attempt, Payment, StellarTransaction
from payments.settlement import payouts as settlement
from payments.tests.conftest import Bank
from wallets.models import Wallet

pytestmark = pytest.mark.django_db
REWARD = Decimal(1500)


class Killed(BaseException):
    """The process ends here."""


def advance_after(**time: int) -> None:
    """The sweep that comes when leases, back-offs and parking times are over."""
    with time_machine.travel(timezone.now() + timedelta(**time)):
        settlement.advance()


def test_a_reward_is_paid_and_confirmed(bank: Bank, due: Callable[[], Payment]) -> None:
    payment = due()

    steps = settlement.advance()

    payment.refresh_from_db()
    assert steps == 2
    assert (payment.state, payment.status, payment.reason) == ("paid", "confirmed", "")
    seen = horizon.transaction(payment.transaction_hash)
    assert seen is not None
    assert (payment.ledger, payment.confirmed_at) == (seen.ledger, seen.created_at)
    assert bank.received == REWARD
    transaction = StellarTransaction.objects.get()
    assert (transaction.state, transaction.attempts.get().hash) == ("settled", payment.transaction_hash)
    assert [
        event.event
        for event in AuditEvent.objects.filter(subject=f"payment:{payment.reference}").order_by("id")
    ] == [
        "payment.initiated",
        "payment.signed",
        "payment.completed",
    ]


def test_envelope_and_hash_are_kept_before_anybody_is_sent_them(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch
) -> None:
    due()
    kept: list[tuple[str, str, str]] = []
    submit = horizon.submit

    def look(envelope_xdr: str) -> Submission:
        kept.extend(Attempt.objects.values_list("envelope_xdr", "hash", "transaction__state"))
        return submit(envelope_xdr)

    monkeypatch.setattr(horizon, "submit", look)
    settlement.advance()

    attempt = Attempt.objects.get()
    assert kept == [(attempt.envelope_xdr, attempt.hash, "submitted")]
    assert attempt.envelope_xdr


@pytest.mark.parametrize("step", ["fee_stats", "submit", "transaction"])
def test_a_signer_that_dies_is_followed_by_one_that_pays_once(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It dies before signing, before sending, or after sending and before it has looked."""
    payment = due()

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(horizon, step, die)
        with pytest.raises(Killed):
            settlement.advance()
    payment.refresh_from_db()
    assert payment.state == "batched"
    settlement.advance()
    assert StellarTransaction.objects.filter(state="settled").count() == 0, "the lease still holds it"
    advance_after(seconds=61)

    payment.refresh_from_db()
    assert (payment.state, bank.received) == ("paid", REWARD)
    assert StellarTransaction.objects.count() == Attempt.objects.count() == 1


def test_applied_but_answered_with_an_error_is_found_and_not_paid_again(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = due()
    submit = horizon.submit

    def swallow(envelope_xdr: str) -> Submission:
        return Submission(Outcome.UNKNOWN, submit(envelope_xdr).hash, code="504", detail="timeout")

    with monkeypatch.context() as patch:
        patch.setattr(horizon, "submit", swallow)
        settlement.advance()
    transaction = StellarTransaction.objects.get()
    assert (transaction.state, transaction.last_answer) == ("submitted", "504 timeout")
    advance_after(seconds=2)

    payment.refresh_from_db()
    assert (payment.state, bank.received) == ("paid", REWARD)
    assert Attempt.objects.count() == 1


def test_an_envelope_that_was_lost_is_sent_again_unchanged(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch
) -> None:
    due()
    sent: list[str] = []
    submit = horizon.submit

    def lose_once(envelope_xdr: str) -> Submission:
        sent.append(envelope_xdr)
        return submit(envelope_xdr) if len(sent) > 1 else Submission(Outcome.UNKNOWN, "", detail="reset")

    monkeypatch.setattr(horizon, "submit", lose_once)
    settlement.advance()
    assert bank.received == 0
    advance_after(seconds=2)

    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert bank.received == REWARD


def test_an_expired_envelope_is_replaced_under_the_same_number(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.PAYMENT_VALID_SECONDS = -60
    due()
    settlement.advance()
    first = Attempt.objects.get()
    settings.PAYMENT_VALID_SECONDS = 120
    horizon.friendbot(keys.generate().address)
    advance_after(seconds=2)

    second = Attempt.objects.exclude(pk=first.pk).get()
    assert (first.transaction_id, second.transaction_id) == (second.transaction_id, first.transaction_id)
    assert (first.number, second.number) == (1, 2)
    assert bank.received == REWARD
    assert horizon.transaction(first.hash) is None


def test_an_envelope_that_the_ledger_may_still_take_is_not_replaced(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch
) -> None:
    due()
    monkeypatch.setattr(horizon, "submit", lambda _: Submission(Outcome.UNKNOWN, "", detail="504"))
    settlement.advance()

    advance_after(seconds=119)
    assert Attempt.objects.count() == 1
    advance_after(seconds=600)
    assert Attempt.objects.count() == 1, "our clock is past its end, but no ledger has closed past it"


def test_an_envelope_that_landed_unseen_is_found_although_another_followed_it(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replica lags: the first envelope was applied, nothing of it is shown, and a second one is signed."""
    payment = due()
    submit = horizon.submit
    with monkeypatch.context() as patch:
        patch.setattr(horizon, "submit", lambda xdr: Submission(Outcome.UNKNOWN, submit(xdr).hash))
        settlement.advance()
    with monkeypatch.context() as patch:
        patch.setattr(horizon, "transaction", lambda _: None)
        patch.setattr(settlement, "may_be_replaced", lambda *_: True)
        advance_after(seconds=2)
    assert Attempt.objects.count() == 2
    assert StellarTransaction.objects.get().last_answer.startswith("tx_bad_seq")
    advance_after(seconds=10)

    payment.refresh_from_db()
    assert (payment.state, bank.received) == ("paid", REWARD)
    assert payment.transaction_hash == Attempt.objects.get(number=1).hash


def test_a_ledger_that_lags_is_not_asked_which_number_is_free(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = horizon.account(bank.pool.address)
    account = horizon.account
    payments = [due(), due()]

    monkeypatch.setattr(horizon, "account", lambda at: stale if at == bank.pool.address else account(at))
    settlement.advance()

    assert stale is not None
    numbers = StellarTransaction.objects.order_by("id").values_list("sequence", flat=True)
    assert list(numbers) == [stale.sequence + 1, stale.sequence + 2]
    assert bank.received == REWARD * len(payments)


def test_a_landing_is_recorded_once(
    bank: Bank, due: Callable[[], Payment], facts: Callable[..., list[tuple[str, str]]]
) -> None:
    due()
    settlement.advance()
    attempt = Attempt.objects.select_related("transaction").get()
    landing = horizon.transaction(attempt.hash)
    assert landing is not None

    settlement.finish(attempt.transaction, attempt, landing)

    assert len(facts(event="payment.completed")) == 1


@pytest.fixture
def stranger(bank: Bank, settings: Any) -> keys.KeyPair:
    """The team's wallet is an account that the ledger has not seen."""
    pair = keys.generate()
    Wallet.objects.filter(owner__key=settings.DEFAULT_TEAM).update(address=pair.address)
    return pair


def test_a_wallet_that_cannot_receive_parks_the_payment_until_it_can(
    bank: Bank, stranger: keys.KeyPair, due: Callable[[], Payment], server: Server
) -> None:
    payment = due()
    settlement.advance()
    payment.refresh_from_db()
    assert (payment.state, payment.reason, payment.status) == ("parked", "no_account", "pending")
    assert payment.next_action_at is not None

    horizon.friendbot(stranger.address)
    advance_after(seconds=61)
    payment.refresh_from_db()
    assert (payment.state, payment.reason) == ("parked", "no_trustline")
    assert not StellarTransaction.objects.exists()

    trust(server, stranger)
    advance_after(seconds=130)
    payment.refresh_from_db()
    assert (payment.state, payment.to_address) == ("paid", stranger.address)
    assert [
        event.data["reason"] for event in AuditEvent.objects.filter(event="payment.parked").order_by("id")
    ] == [
        "no_account",
        "no_trustline",
    ]


def test_a_trustline_that_vanishes_after_the_look_costs_a_number_and_not_the_payment(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    payment = due()
    submit = horizon.submit

    def remove_the_line_first(envelope_xdr: str) -> Submission:
        trust(server, bank.team, limit="0")
        return submit(envelope_xdr)

    with monkeypatch.context() as patch:
        patch.setattr(horizon, "submit", remove_the_line_first)
        settlement.advance()
    payment.refresh_from_db()
    assert (payment.state, payment.reason) == ("parked", "op_no_trust")
    assert StellarTransaction.objects.get().state == "failed_onchain"

    trust(server, bank.team)
    advance_after(seconds=61)
    payment.refresh_from_db()
    assert (payment.state, bank.received) == ("paid", REWARD)
    first, second = StellarTransaction.objects.order_by("id")
    assert second.sequence == first.sequence + 1


def test_a_payment_that_is_disputed_on_its_way_does_not_set_out_again(
    bank: Bank, due: Callable[[], Payment], monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    payment = due()
    submit = horizon.submit

    def dispute_and_remove_the_line(envelope_xdr: str) -> Submission:
        Payment.objects.filter(state="batched").update(reason="disputed")
        trust(server, bank.team, limit="0")
        return submit(envelope_xdr)

    monkeypatch.setattr(horizon, "submit", dispute_and_remove_the_line)
    settlement.advance()

    payment.refresh_from_db()
    assert (payment.state, payment.reason, payment.next_action_at) == ("held", "disputed", None)
    assert AuditEvent.objects.get(event="payment.held").data["payment_id"] == payment.reference


def test_a_pool_without_money_fails_the_payment_by_name(
    bank: Bank, due: Callable[[], Payment], server: Server
) -> None:
    everything_but_a_thousand = bench.pay(bank.issuer.address, Asset("USDC", bank.issuer.address), "99000")
    bench.send(server, pair_of(bank.pool), everything_but_a_thousand)
    payment = due()

    settlement.advance()

    payment.refresh_from_db()
    assert (payment.state, payment.reason, payment.status) == ("failed", "op_underfunded", "failed")
    assert AuditEvent.objects.get(event="payment.failed").data["reason"] == "op_underfunded"


def test_a_ledger_that_is_down_delays_and_loses_nothing(
    bank: Bank, due: Callable[[], Payment], settings: Any, sandbox: str
) -> None:
    payment = due()
    settings.STELLAR_HORIZON_URL = "http://127.0.0.1:9"
    assert settlement.advance() == 0
    payment.refresh_from_db()
    assert payment.state == "ready"

    settings.STELLAR_HORIZON_URL = sandbox
    settlement.advance()
    payment.refresh_from_db()
    assert payment.state == "paid"


def test_a_key_that_is_not_the_pools_signs_nothing(
    bank: Bank, due: Callable[[], Payment], settings: Any, tmp_path: Any
) -> None:
    keys.write_secret(tmp_path / "other.secret", keys.generate())
    settings.STELLAR_POOL_SECRET_FILE = str(tmp_path / "other.secret")
    due()

    settlement.advance()

    assert (
        StellarTransaction.objects.get().last_answer
        == "The signer's key is not the key of STELLAR_POOL_ADDRESS."
    )
    assert (Attempt.objects.count(), bank.received) == (0, Decimal(0))


@pytest.mark.django_db(transaction=True)
def test_four_signers_at_once_pay_each_payment_once(bank: Bank, due: Callable[[], Payment]) -> None:
    payments = [due() for _ in range(6)]

    def sign(_: int) -> None:
        try:
            for _ in range(8):
                settlement.advance()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sign, range(4)))
    advance_after(seconds=61)

    assert bank.received == REWARD * len(payments)
    assert set(Payment.objects.values_list("state", flat=True)) == {"paid"}
    sequences = list(StellarTransaction.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(sequences[0], sequences[0] + len(payments)))


def test_a_held_payment_is_not_touched(bank: Bank, due: Callable[[], Payment], settings: Any) -> None:
    settings.MAX_AUTO_PAYMENT_AMOUNT = 1
    payment = due()

    assert settlement.advance() == 0
    payment.refresh_from_db()
    assert (payment.state, bank.received) == ("held", Decimal(0))


def test_trouble_is_unavailable_and_not_a_crash(bank: Bank, settings: Any) -> None:
    settings.STELLAR_HORIZON_URL = "http://127.0.0.1:9"
    with pytest.raises(Unavailable):
        horizon.latest_close()


def pair_of(pair: keys.KeyPair) -> Keypair:
    return Keypair.from_secret(pair.secret)


def trust(server: Server, holder: keys.KeyPair, *, limit: str | None = None) -> None:
    asset = Asset(configured.STELLAR_ASSET_CODE, configured.STELLAR_ASSET_ISSUER)
    bench.send(server, pair_of(holder), ChangeTrust(asset, limit))
