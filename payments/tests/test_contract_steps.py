"""What dies or is answered wrongly between any two steps: the contract is called, and called once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apexchainx.stellar import horizon, soroban
from apexchainx.stellar.soroban import Sending
from apexchainx.stellar.soroban.sending import Sent
from audit.models import AuditEvent
from payments import tasks
from payments.models import Payment
from payments.settlement import answers, contract
from payments.tests.contract_bench import Governed, advance_after, invocation, shown
from sla.models import ContractInvocation

pytestmark = pytest.mark.django_db
Due = Callable[[], Payment]


class Killed(BaseException):
    """The process ends here."""


def test_a_contract_that_pauses_between_simulation_and_ledger_is_asked_again_under_a_new_number(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment, before, send = due(), governed.sequence, soroban.send

    def pause_first(envelope_xdr: str) -> Sent:
        monkeypatch.setattr(soroban, "send", send)
        governed.pause()
        return send(envelope_xdr)

    monkeypatch.setattr(soroban, "send", pause_first)
    contract.advance()
    row = invocation()
    assert (row.state, row.last_answer, row.ledger, row.hash) == ("pending", "ContractPaused", None, "")
    assert len(row.earlier_hashes) == 1
    assert shown(payment) == ("held", "contract_paused")

    governed.unpause()
    advance_after(seconds=20)
    assert (invocation().state, invocation().sequence) == ("confirmed", before + 2)
    assert shown(payment) == ("ready", "")


def test_nothing_is_lost_while_the_rpc_is_down(
    governed: Governed, due: Due, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    payment, url = due(), settings.STELLAR_SOROBAN_URL
    settings.STELLAR_SOROBAN_URL = "http://127.0.0.1:9"

    assert contract.advance() == 0
    assert (invocation().state, invocation().tries) == ("pending", 0)
    assert invocation().last_answer.startswith("The Soroban RPC does not answer")
    assert shown(payment) == ("held", "contract_pending")

    settings.STELLAR_SOROBAN_URL = url
    advance_after(seconds=16)
    assert shown(payment) == ("ready", "")


@pytest.mark.parametrize("step", ["prepare", "send", "outcome"])
def test_a_signer_that_dies_is_followed_by_one_that_calls_once(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It dies before signing, between storing and sending, or after sending and before it has looked."""
    payment, before = due(), governed.sequence

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(soroban, step, die)
        with pytest.raises(Killed):
            contract.advance()
    kept = invocation()
    assert (kept.state, bool(kept.envelope_xdr)) == (
        ("pending", False) if step == "prepare" else ("signed", True)
    )
    assert contract.advance() == 0, "the lease still holds it"
    advance_after(seconds=61)

    assert shown(payment) == ("ready", "")
    assert (invocation().sequence, governed.sequence) == (before + 1, before + 1)
    if step != "prepare":
        assert (invocation().hash, invocation().envelope_xdr) == (kept.hash, kept.envelope_xdr)


def test_an_envelope_that_was_lost_is_sent_again_unchanged(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment, send, sent = due(), soroban.send, []

    def lose_once(envelope_xdr: str) -> Sent:
        sent.append(envelope_xdr)
        return send(envelope_xdr) if len(sent) > 1 else Sent(Sending.UNKNOWN, "", "reset")

    monkeypatch.setattr(soroban, "send", lose_once)
    contract.advance()
    assert (invocation().state, invocation().last_answer) == ("signed", "reset")
    advance_after(seconds=2)

    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert shown(payment) == ("ready", "")


def test_an_expired_envelope_is_replaced_under_the_same_number(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = due()
    with monkeypatch.context() as patch:
        patch.setattr(soroban, "send", lambda _: Sent(Sending.UNKNOWN, "", "reset"))
        contract.advance()
    first = invocation()
    ContractInvocation.objects.update(max_time=timezone.now() - timedelta(days=1))

    advance_after(seconds=2)

    row = invocation()
    assert (row.state, row.sequence, row.earlier_hashes) == ("confirmed", first.sequence, [first.hash])
    assert row.hash != first.hash
    assert shown(payment) == ("ready", "")


def test_the_first_envelope_is_recognised_after_it_was_replaced(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = due()
    with monkeypatch.context() as patch:
        patch.setattr(soroban, "send", lambda _: Sent(Sending.UNKNOWN, "", "reset"))
        contract.advance()
        first = invocation()
        ContractInvocation.objects.update(max_time=timezone.now() - timedelta(days=1))
        advance_after(seconds=2)
    assert invocation().earlier_hashes == [first.hash]
    soroban.send(first.envelope_xdr)

    advance_after(seconds=10)

    assert (invocation().state, invocation().hash) == ("confirmed", first.hash)
    assert shown(payment) == ("ready", "")


def test_a_number_that_is_used_for_nothing_we_know_is_an_alert(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    payment = due()
    with monkeypatch.context() as patch:
        patch.setattr(soroban, "send", lambda _: Sent(Sending.UNKNOWN, "", "reset"))
        contract.advance()
    stranger = soroban.calculate_sla("another", "low", 1)
    stolen = soroban.prepare(
        stranger, signer=governed.operator, max_time=int(timezone.now().timestamp()) + 60
    )
    soroban.send(stolen.envelope_xdr)
    ContractInvocation.objects.update(max_time=timezone.now() - timedelta(days=1))

    advance_after(seconds=2)

    assert invocation().state == "signed"
    assert shown(payment) == ("held", "contract_stuck")
    assert "no ledger shows for what" in caplog.text


def test_a_replica_that_lags_gives_no_number_twice(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = horizon.account(governed.operator.address)
    assert old
    due()
    due()
    monkeypatch.setattr(horizon, "account", lambda _: old)

    assert contract.advance() == 2

    assert set(ContractInvocation.objects.values_list("state", "sequence")) == {
        ("confirmed", old.sequence + 1),
        ("confirmed", old.sequence + 2),
    }


def test_messages_that_come_twice_call_once(governed: Governed, due: Due) -> None:
    payment, before = due(), governed.sequence

    for _ in range(3):
        tasks.advance_contract()

    assert governed.sequence == before + 1
    assert shown(payment)[0] in {"ready", "paid"}
    assert AuditEvent.objects.filter(event="sla.contract_confirmed").count() == 1


def test_a_landing_is_recorded_once(governed: Governed, due: Due) -> None:
    due()
    contract.advance()
    row = invocation()
    row.state = ContractInvocation.State.SIGNED
    seen = soroban.outcome(row.hash)
    assert seen

    answers.finish(row, seen)

    assert AuditEvent.objects.filter(event="sla.contract_confirmed").count() == 1


def test_calls_of_one_account_go_one_by_one(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    due()
    due()
    before = governed.sequence
    with monkeypatch.context() as patch:
        patch.setattr(soroban, "send", lambda _: Sent(Sending.UNKNOWN, "", "reset"))
        assert contract.advance() == 1
    assert sorted(ContractInvocation.objects.values_list("state", flat=True)) == ["pending", "signed"]

    assert advance_after(seconds=2) == 2

    assert set(ContractInvocation.objects.values_list("state", "sequence")) == {
        ("confirmed", before + 1),
        ("confirmed", before + 2),
    }


def test_a_slow_worker_whose_lease_is_over_changes_nothing(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    due()
    slow = contract.claim()
    assert slow
    advance_after(seconds=61)
    finished = invocation()

    contract.carry(slow)

    assert invocation().hash == finished.hash
    assert invocation().state == "confirmed"


def test_no_transaction_is_open_while_the_network_is_asked(
    governed: Governed, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    due()
    depth = len(connection.savepoint_ids)
    depths: list[int] = []
    for name in ("health", "prepare", "send", "outcome"):
        real = getattr(soroban, name)

        def spy(*args: Any, real: Any = real, **options: Any) -> Any:
            depths.append(len(connection.savepoint_ids))
            return real(*args, **options)

        monkeypatch.setattr(soroban, name, spy)

    contract.advance()

    assert invocation().state == "confirmed"
    assert depths == [depth] * 4


@pytest.mark.django_db(transaction=True)
def test_signers_that_race_call_once_for_each_result(governed: Governed, due: Due) -> None:
    for _ in range(3):
        due()
    before = governed.sequence

    def run(_: int) -> int:
        try:
            return contract.advance()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    advance_after(seconds=30)

    rows = ContractInvocation.objects.order_by("sequence").values_list("state", "sequence")
    assert list(rows) == [("confirmed", before + number) for number in (1, 2, 3)]
    assert governed.sequence == before + 3
