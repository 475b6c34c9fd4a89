"""Our client, and what may stand where Horizon should be: none of it is taken for the ledger's word."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from apexchainx.errors import Unavailable
from apexchainx.stellar import envelopes, horizon, keys
from apexchainx.stellar.envelopes import Envelope
from apexchainx.stellar.horizon import Outcome, Submission, connection
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.tests.scripted import RESET, SILENCE, Answer, Scripted, document, problem

HASH = "0" * 64
DEEP = "[" * 100_000


def payment(signer: KeyPair) -> Envelope:
    return envelopes.payment(
        signer=signer,
        sequence=8,
        destination=signer.address,
        amount=Decimal(5),
        memo="",
        base_fee=100,
        max_time=0,
    )


def record(envelope: Envelope, **changes: Any) -> dict[str, Any]:
    """A transaction as Horizon shows it."""
    return {
        "hash": envelope.hash,
        "successful": True,
        "ledger": 7,
        "created_at": "2026-01-02T03:04:05Z",
        "envelope_xdr": envelope.xdr,
        "result_xdr": "",
    } | changes


BAD = {
    "504": problem(504, "transaction_submission_timeout"),
    "503": problem(503, "service_unavailable"),
    "429": problem(429, "rate_limit_exceeded"),
    "500 of a proxy": Answer(500, "<html>Bad Gateway</html>", "text/html"),
    "302 to nowhere": Answer(302),
    "no JSON": Answer(200, "{", "application/json"),
    "no object": document(200, [1]),
    "null": document(200, None),
    "empty object": document(200, {}),
    "nothing": Answer(200),
    "too deep": Answer(200, DEEP),
    "400 without a document": Answer(400, "no", "text/plain"),
    "400 with a list": document(400, []),
    "400 without extras": document(400, {"type": "x", "extras": None}),
    "403": problem(403, "transaction_submission_disabled"),
    "404 of somebody else": Answer(404, "<html>Not Found</html>", "text/html"),
    "404 in JSON of somebody else": document(404, {"detail": "Not found."}),
    "404 with a list": document(404, []),
    "reset": RESET,
}


@pytest.fixture(params=list(BAD.values()), ids=list(BAD))
def bad(request: pytest.FixtureRequest) -> Answer:
    answer: Answer = request.param
    return answer


def test_a_submission_never_raises_and_is_sent_once(scripted: Scripted, bad: Answer, issuer: KeyPair) -> None:
    scripted.post = bad
    envelope = payment(issuer)

    submission = horizon.submit(envelope.xdr)

    assert (submission.outcome, submission.hash) == (Outcome.UNKNOWN, envelope.hash)
    assert (submission.ledger, submission.operations) == (None, ())
    assert scripted.asked.count("POST /transactions") == 1


@pytest.mark.parametrize(
    "read",
    [
        lambda: horizon.account(keys.generate().address),
        lambda: horizon.transaction(HASH),
        horizon.fee_stats,
        horizon.latest_close,
        lambda: horizon.payments_since(keys.generate().address),
        lambda: horizon.claimable_balances(keys.generate().address),
    ],
    ids=["account", "transaction", "fee_stats", "latest_close", "payments", "claimable_balances"],
)
def test_a_reading_that_goes_wrong_is_unavailable_and_not_repeated(
    scripted: Scripted, bad: Answer, read: Callable[[], object]
) -> None:
    scripted.get = bad

    with pytest.raises(Unavailable) as refusal:
        read()

    assert refusal.value.code == "STELLAR_TIMEOUT"
    assert len(scripted.asked) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"hash": HASH},
        {"successful": "true"},
        {"successful": None},
        {"created_at": "yesterday"},
        {"successful": False, "result_xdr": "%%%"},
        {"successful": False, "result_xdr": "AAAA"},
        {"successful": False, "result_xdr": None},
    ],
)
def test_a_record_that_makes_no_sense_settles_nothing(
    scripted: Scripted, issuer: KeyPair, changes: dict[str, Any]
) -> None:
    envelope = payment(issuer)
    scripted.get = scripted.post = document(200, record(envelope, **changes))

    assert horizon.submit(envelope.xdr).outcome == Outcome.UNKNOWN
    with pytest.raises(Unavailable):
        horizon.transaction(envelope.hash)


@pytest.mark.parametrize(
    "content",
    [
        {"account_id": "G", "sequence": "1", "balances": [{"asset_type": "native", "balance": "much"}]},
        {"account_id": "G", "sequence": "1", "balances": [{"asset_type": "native"}]},
        {"account_id": "G", "sequence": "one", "balances": []},
        {"account_id": "G", "sequence": "1", "balances": None},
    ],
)
def test_an_account_that_makes_no_sense_is_unavailable(scripted: Scripted, content: dict[str, Any]) -> None:
    scripted.get = document(200, content)

    with pytest.raises(Unavailable):
        horizon.account(keys.generate().address)


def test_only_horizons_own_404_says_that_there_is_none(scripted: Scripted) -> None:
    scripted.get = problem(404, "not_found")

    assert horizon.account(keys.generate().address) is None
    assert horizon.transaction(HASH) is None


BAD_SEQ = problem(400, "transaction_failed", result_codes={"transaction": "tx_bad_seq"})


def test_a_400_about_a_transaction_that_the_ledger_has_is_settled_by_the_ledger(
    scripted: Scripted, issuer: KeyPair
) -> None:
    envelope = payment(issuer)
    scripted.post, scripted.get = BAD_SEQ, document(200, record(envelope))

    submission = horizon.submit(envelope.xdr)

    assert submission == Submission(Outcome.APPLIED, envelope.hash, ledger=7, code="tx_success")
    assert scripted.asked == ["POST /transactions", f"GET /transactions/{envelope.hash}"]


@pytest.mark.parametrize("lookup", [problem(404, "not_found"), problem(503, "stale_history"), RESET])
def test_a_400_about_a_transaction_that_the_ledger_does_not_show_is_unknown(
    scripted: Scripted, issuer: KeyPair, lookup: Answer
) -> None:
    envelope = payment(issuer)
    scripted.post, scripted.get = BAD_SEQ, lookup

    submission = horizon.submit(envelope.xdr)

    assert submission == Submission(
        Outcome.UNKNOWN, envelope.hash, code="tx_bad_seq", detail="about transaction_failed"
    )
    assert scripted.asked == ["POST /transactions", f"GET /transactions/{envelope.hash}"]


@pytest.mark.parametrize(
    "extras", [{}, {"result_codes": "x"}, {"result_codes": []}, {"result_codes": {"operations": 7}}]
)
def test_a_400_without_sensible_codes_is_unknown_without_codes(
    scripted: Scripted, issuer: KeyPair, extras: dict[str, Any]
) -> None:
    envelope = payment(issuer)
    scripted.post = problem(400, "transaction_failed", **extras)

    submission = horizon.submit(envelope.xdr)

    assert (submission.outcome, submission.code, submission.operations) == (Outcome.UNKNOWN, "", ())


def test_an_answer_of_horizon_is_named_by_its_status(scripted: Scripted, issuer: KeyPair) -> None:
    scripted.post = problem(504, "transaction_submission_timeout")

    assert horizon.submit(payment(issuer).xdr).detail == "Horizon answers 504."


def test_nobody_waits_for_ever(scripted: Scripted, issuer: KeyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted.post = scripted.get = SILENCE
    monkeypatch.setattr(connection, "SUBMIT_SECONDS", 0.05)
    monkeypatch.setattr(connection, "READ_SECONDS", 0.05)
    begun = time.monotonic()

    assert horizon.submit(payment(issuer).xdr).outcome == Outcome.UNKNOWN
    for read in (horizon.fee_stats, lambda: horizon.friendbot(issuer.address)):
        with pytest.raises(Unavailable):
            read()

    assert time.monotonic() - begun < 2


def test_where_nobody_listens_a_submission_is_unknown_and_a_reading_unavailable(
    settings: Any, issuer: KeyPair
) -> None:
    settings.STELLAR_HORIZON_URL = "http://127.0.0.1:9"
    settings.STELLAR_ASSET_ISSUER = issuer.address

    assert horizon.submit(payment(issuer).xdr).outcome == Outcome.UNKNOWN
    with pytest.raises(Unavailable):
        horizon.latest_close()


@pytest.mark.parametrize("answer", [problem(503, "stale_history"), problem(404, "not_found"), RESET])
def test_friendbot_that_is_out_of_order_is_unavailable(
    scripted: Scripted, issuer: KeyPair, answer: Answer
) -> None:
    scripted.get = answer

    with pytest.raises(Unavailable):
        horizon.friendbot(issuer.address)

    assert scripted.asked == [f"GET /friendbot?addr={issuer.address}"]


@pytest.mark.parametrize("text", ["", "AAAA", "no envelope"])
def test_what_is_no_envelope_is_a_value_error(scripted: Scripted, text: str) -> None:
    with pytest.raises(ValueError, match="not a transaction envelope"):
        horizon.submit(text)

    assert scripted.asked == []


def payment_record(**changes: Any) -> dict[str, Any]:
    """As Horizon lists it, with its transaction."""
    return {
        "id": str((7 << 32) + (2 << 12) + 3),
        "paging_token": str((7 << 32) + (2 << 12) + 3),
        "type": "payment",
        "transaction_hash": HASH,
        "transaction_successful": True,
        "from": "GA",
        "to": "GB",
        "asset_type": "native",
        "amount": "5.0000000",
        "transaction": {"memo": "ESCROW:ops"},
    } | changes


def listed(*records: Any) -> Answer:
    return document(200, {"_embedded": {"records": list(records)}})


def test_a_payment_that_makes_no_sense_is_one_without_an_amount_and_stops_no_other(
    scripted: Scripted,
) -> None:
    scripted.get = listed(
        payment_record(amount="much"),
        payment_record(amount=None),
        payment_record(amount="NaN"),
        payment_record(amount=5.0),
        payment_record(type="account_merge", asset_type=None),
        payment_record(transaction=[7]),
        payment_record(),
    )

    *strange, sound = horizon.payments_since(keys.generate().address)

    assert [each.amount for each in strange] == [None] * 6
    assert {each.cursor for each in strange} == {sound.cursor}
    assert (sound.amount, sound.memo, sound.operation_index) == (Decimal(5), "ESCROW:ops", 2)


@pytest.mark.parametrize("broken", [payment_record(id="x"), payment_record(paging_token=None), {}, None, [7]])
def test_a_payment_without_a_place_in_history_is_unavailable(scripted: Scripted, broken: Any) -> None:
    scripted.get = listed(broken)

    with pytest.raises(Unavailable):
        horizon.payments_since(keys.generate().address)
