"""Our own client of the contract: its words, its steps, and its exceptions."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from apexchainx.errors import NotReady, Unavailable
from apexchainx.stellar import horizon, keys, soroban
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.sandbox.soroban.contract import schema, views
from apexchainx.stellar.sandbox.soroban.instance import CONTRACT_ID
from apexchainx.stellar.soroban import (
    ContractRefused,
    Invocation,
    Outcome,
    Prepared,
    Sending,
    Standing,
    Terms,
)
from apexchainx.stellar.tests.scripted import RESET, Answer, Scripted, document

DIGEST_OF_DASHED = "2bf2d015a02e251a9181790ac2a3d3f2"


@dataclass(frozen=True)
class Parties:
    admin: KeyPair
    operator: KeyPair
    other: KeyPair


@pytest.fixture
def parties(sandbox: str, settings: Any) -> Parties:
    """Three accounts, and settings that point to a contract which nobody has initialised."""
    settings.STELLAR_SOROBAN_URL = sandbox
    settings.STELLAR_CONTRACT_ID = CONTRACT_ID
    found = Parties(keys.generate(), keys.generate(), keys.generate())
    for each in (found.admin, found.operator, found.other):
        horizon.friendbot(each.address)
    return found


@pytest.fixture
def ready(parties: Parties) -> Parties:
    done(soroban.initialize(parties.operator.address), parties.admin, parties.operator)
    return parties


@pytest.fixture
def scripted_rpc(scripted: Scripted, settings: Any) -> Scripted:
    settings.STELLAR_SOROBAN_URL = scripted.url
    settings.STELLAR_CONTRACT_ID = CONTRACT_ID
    return scripted


def prepared(invocation: Invocation, signer: KeyPair, *cosigners: KeyPair) -> Prepared:
    return soroban.prepare(invocation, signer=signer, max_time=int(time.time()) + 600, cosigners=cosigners)


def done(invocation: Invocation, signer: KeyPair, *cosigners: KeyPair) -> Outcome:
    envelope = prepared(invocation, signer, *cosigners)
    assert soroban.send(envelope.envelope_xdr).sending == Sending.ACCEPTED
    outcome = soroban.outcome(envelope.hash)
    assert outcome
    assert outcome.successful
    return outcome


def test_the_view_speaks_our_words(ready: Parties) -> None:
    seen = soroban.calculate_view("OUT001", "critical", 15)

    assert (seen.status, seen.payment_type, seen.rating, seen.amount) == ("met", "reward", "good", 750)
    assert soroban.calculate_view("OUT001", "critical", 1).rating == "exceptional"
    assert soroban.calculate_view("OUT001", "critical", 10).rating == "excellent"
    late = soroban.calculate_view("OUT001", "critical", 25)
    assert (late.status, late.payment_type, late.rating, late.amount) == (
        "violated",
        "penalty",
        "poor",
        -1000,
    )


@pytest.mark.parametrize(
    ("reference", "symbol"),
    [
        ("OUT001", "OUT001"),
        ("A_b9" * 8, "A_b9" * 8),
        ("OUT-001", DIGEST_OF_DASHED),
        ("A" * 33, "5d873590851b7b00b60490c8e6966b34"),
        ("", "e3b0c44298fc1c149afbf4c8996fb924"),
        ("OUT001\n", "0f52e2083a6276efdef19c643c89585f"),
    ],
)
def test_a_reference_becomes_a_symbol(reference: str, symbol: str) -> None:
    assert soroban.outage_symbol(reference) == symbol


def test_a_calculation_goes_step_by_step(ready: Parties) -> None:
    envelope = prepared(soroban.calculate_sla("OUT-001", "critical", 25), ready.operator)
    assert (envelope.fee, len(envelope.hash)) == (5100, 64)
    assert soroban.outcome(envelope.hash) is None
    assert soroban.latest_result("OUT-001") is None

    sent = soroban.send(envelope.envelope_xdr)

    outcome = soroban.outcome(envelope.hash)
    assert outcome
    assert (sent.sending, sent.hash, outcome.successful, outcome.fee) == (
        Sending.ACCEPTED,
        envelope.hash,
        True,
        5100,
    )
    assert (outcome.calculation.outage, outcome.calculation.amount) == (DIGEST_OF_DASHED, -1000)
    assert soroban.latest_result("OUT-001") == outcome.calculation
    assert outcome.created_at == outcome.calculation.recorded_at <= datetime.now(UTC)


def test_sending_again_changes_nothing(ready: Parties) -> None:
    envelope = prepared(soroban.calculate_sla("OUT001", "critical", 25), ready.operator)
    soroban.send(envelope.envelope_xdr)
    first = soroban.outcome(envelope.hash)

    again = soroban.send(envelope.envelope_xdr)

    assert (again.sending, again.detail) == (Sending.UNKNOWN, "TRY_AGAIN_LATER")
    assert soroban.outcome(envelope.hash) == first


def test_two_envelopes_of_one_number_apply_once(ready: Parties) -> None:
    number = horizon_sequence(ready.operator) + 1
    until = int(time.time()) + 600
    first, second = (
        soroban.prepare(
            soroban.calculate_sla(name, "high", 10), signer=ready.operator, max_time=until, sequence=number
        )
        for name in ("A", "B")
    )
    assert first.sequence == second.sequence == number
    soroban.send(first.envelope_xdr)

    refused = soroban.send(second.envelope_xdr)

    assert (refused.sending, refused.detail) == (Sending.UNKNOWN, "tx_bad_seq")
    assert soroban.outcome(second.hash) is None
    assert soroban.latest_result("B") is None


def test_a_refusal_of_the_simulation_has_the_contracts_name(ready: Parties) -> None:
    done(soroban.pause("works"), ready.admin)

    with pytest.raises(ContractRefused, match="ContractPaused") as refusal:
        prepared(soroban.calculate_sla("OUT001", "critical", 25), ready.operator)

    assert refusal.value.code == "STELLAR_CONTRACT_ERROR"
    assert refusal.value.details == {"contract_error": "ContractPaused", "is_retryable": True}


def test_a_refusal_on_the_ledger_has_it_too(ready: Parties) -> None:
    envelope = prepared(soroban.calculate_sla("OUT001", "critical", 25), ready.operator)
    done(soroban.pause("works"), ready.admin)

    soroban.send(envelope.envelope_xdr)

    outcome = soroban.outcome(envelope.hash)
    assert outcome
    assert outcome.error
    assert (outcome.successful, outcome.error.error, outcome.value) == (False, "ContractPaused", None)


def test_a_failure_of_the_host_is_named_as_well(parties: Parties) -> None:
    with pytest.raises(ContractRefused, match="Auth ExistingValue"):
        prepared(soroban.initialize(parties.admin.address), parties.admin)

    envelope = prepared(soroban.initialize(parties.operator.address), parties.admin)
    soroban.send(envelope.envelope_xdr)
    outcome = soroban.outcome(envelope.hash)
    assert outcome
    assert outcome.error
    assert outcome.error.error == "Auth InvalidAction"
    assert soroban.health().standing == Standing.NOT_INITIALIZED


def test_roles_change_hands(ready: Parties) -> None:
    done(soroban.propose_admin(ready.other.address), ready.admin)
    done(soroban.cancel_admin_proposal(), ready.admin)
    done(soroban.propose_admin(ready.other.address), ready.admin)
    assert soroban.roles().pending_admin == ready.other.address
    done(soroban.accept_admin(), ready.other)
    done(soroban.propose_operator(ready.admin.address), ready.other)
    done(soroban.cancel_operator_proposal(), ready.other)
    done(soroban.propose_operator(ready.admin.address), ready.other)
    done(soroban.accept_operator(), ready.admin)

    roles = soroban.roles()

    assert (roles.admin, roles.operator) == (ready.other.address, ready.admin.address)
    assert (roles.pending_admin, roles.pending_operator) == (None, None)
    done(soroban.set_operator(ready.operator.address), ready.other)
    done(soroban.renounce_admin(), ready.other)
    with pytest.raises(ContractRefused, match="NotInitialized"):
        soroban.roles()


def test_the_configuration_is_set_and_read(ready: Parties) -> None:
    terms = {"threshold_minutes": 20, "penalty_per_minute": 200, "reward_base": 1000}
    done(soroban.set_config("critical", **terms), ready.admin)

    config = soroban.config()

    assert (config.terms["critical"], config.version_hash) == (Terms(20, 200, 1000), 3202668148427286373)
    assert list(config.terms) == ["critical", "high", "medium", "low"]
    done(soroban.freeze_config(), ready.admin)
    with pytest.raises(ContractRefused, match="ConfigFrozen"):
        prepared(soroban.set_config("critical", **terms), ready.admin)
    done(soroban.unfreeze_config(), ready.admin)


def test_history_is_kept_small(ready: Parties) -> None:
    done(soroban.calculate_sla("A", "high", 10), ready.operator)
    done(soroban.set_retention_limit(150), ready.admin)

    done(soroban.prune_history(0), ready.admin)

    assert soroban.latest_result("A") is None


def test_health_says_what_must_happen_first(parties: Parties, monkeypatch: pytest.MonkeyPatch) -> None:
    assert soroban.health().standing == Standing.NOT_INITIALIZED
    done(soroban.initialize(parties.operator.address), parties.admin, parties.operator)
    assert soroban.health().is_ready

    done(soroban.pause("works"), parties.admin)
    health = soroban.health()
    assert (health.standing, health.is_paused, health.pause_reason) == (Standing.PAUSED, True, "works")

    other = replace(schema.result_schema(), result_field_count=10)
    monkeypatch.setattr(schema, "result_schema", lambda: other)
    assert soroban.health().standing == Standing.UNKNOWN_SCHEMA

    monkeypatch.setattr(views, "STORAGE_VERSION", 2)
    assert soroban.health().standing == Standing.NEEDS_MIGRATION
    monkeypatch.setattr(views, "STORAGE_VERSION", 0)
    assert soroban.health().standing == Standing.TOO_NEW


def test_a_signer_without_an_account_is_told(parties: Parties) -> None:
    with pytest.raises(NotReady, match="does not exist"):
        prepared(soroban.pause("x"), keys.generate())


@pytest.mark.parametrize(
    "answer",
    [
        RESET,
        Answer(503),
        Answer(200, "no json"),
        document(200, {"jsonrpc": "2.0", "id": "1", "error": {"code": -32603, "message": "inside"}}),
        document(200, {"jsonrpc": "2.0", "id": "1", "result": {"unknown": 1}}),
        document(200, []),
    ],
)
def test_trouble_with_the_rpc_is_unavailable(scripted_rpc: Scripted, answer: Answer) -> None:
    scripted_rpc.post = answer

    for call in (soroban.health, lambda: soroban.calculate_view("A", "low", 1), lambda: soroban.outcome("0")):
        with pytest.raises(Unavailable) as error:
            call()
        assert error.value.code == "STELLAR_TIMEOUT"
    assert scripted_rpc.asked == ["POST /"] * 3


def test_a_send_into_the_void_is_unknown_and_asked_once(
    ready: Parties, scripted: Scripted, settings: Any
) -> None:
    envelope = prepared(soroban.calculate_sla("OUT001", "critical", 25), ready.operator)
    settings.STELLAR_SOROBAN_URL = scripted.url
    scripted.post = RESET

    sent = soroban.send(envelope.envelope_xdr)

    assert (sent.sending, sent.hash) == (Sending.UNKNOWN, envelope.hash)
    assert scripted.asked == ["POST /"]


def test_what_is_no_envelope_is_not_sent(scripted_rpc: Scripted) -> None:
    with pytest.raises(ValueError, match="not a transaction envelope"):
        soroban.send("AAAA")
    assert scripted_rpc.asked == []


def test_a_value_that_does_not_fit_is_refused_before_any_request(
    scripted_rpc: Scripted, issuer: KeyPair
) -> None:
    for minutes in (-1, 2**32):
        with pytest.raises(ValueError, match="must be between 0 and"):
            prepared(soroban.calculate_sla("A", "low", minutes), issuer)
    assert scripted_rpc.asked == []


def test_no_secret_shows(ready: Parties) -> None:
    envelope = prepared(soroban.pause("x"), ready.admin)

    assert ready.admin.secret not in repr((ready, envelope, soroban.pause("x")))


def horizon_sequence(owner: KeyPair) -> int:
    account = horizon.account(owner.address)
    assert account
    return account.sequence
