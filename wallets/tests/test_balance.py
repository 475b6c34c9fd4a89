from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from apexchainx.errors import Invalid, NotFound, Unavailable
from apexchainx.stellar import horizon, keys
from apexchainx.stellar.horizon import Account, Balance
from audit.models import AuditEvent
from conftest import NOW, TEAM_ADDRESS
from wallets.models import Wallet
from wallets.services import Sighting, balance, refresh_balance, wallet_of

pytestmark = pytest.mark.django_db


def told(seen: Sighting) -> tuple[str, Decimal, Decimal]:
    return seen.cache_status, seen.wallet.usdc, seen.wallet.xlm


def account_with(xlm: str) -> Callable[[str], Account]:
    return lambda address: Account(address, 1, (Balance("XLM", "", Decimal(xlm), "native"),))


# What the ledger says


def test_the_ledger_is_asked_and_its_answer_kept(holder, make_wallet):
    make_wallet("operations", holder.address)

    assert told(balance(holder.address)) == ("live", Decimal(5000), Decimal("9999.99999"))
    kept = Wallet.objects.get()
    assert told(Sighting(kept)) == ("fresh", Decimal(5000), Decimal("9999.99999"))
    assert (kept.is_funded, kept.has_trustline) == (True, True)


def test_an_account_without_trustline_holds_no_usdc(issuer, sandbox):
    """The issuer has none."""
    seen = balance(issuer.address)

    assert (seen.wallet.is_funded, seen.wallet.has_trustline, seen.wallet.usdc) == (True, False, Decimal(0))


def test_an_address_that_nobody_registered_is_asked_for_and_not_kept(holder):
    assert told(balance(holder.address)) == ("live", Decimal(5000), Decimal("9999.99999"))
    assert not Wallet.objects.exists()


def test_the_largest_amount_of_the_ledger_is_kept_to_the_last_digit(wallet, monkeypatch):
    monkeypatch.setattr(horizon, "account", account_with("922337203685.4775807"))

    assert balance(TEAM_ADDRESS).wallet.xlm == Decimal("922337203685.4775807")


def test_an_account_that_the_ledger_lacks_is_not_found(sandbox, make_wallet):
    make_wallet("operations", TEAM_ADDRESS)

    with pytest.raises(NotFound) as refusal:
        balance(TEAM_ADDRESS)
    assert refusal.value.code == "ACCOUNT_NOT_FOUND"
    assert wallet_of("operations").wallet.is_funded is False


@pytest.mark.parametrize("address", ["", "operations", TEAM_ADDRESS.lower(), f"{TEAM_ADDRESS[:-1]}A"])
def test_what_is_no_address_is_refused_unasked(no_ledger_call, address):
    with pytest.raises(Invalid) as refusal:
        balance(address)
    assert refusal.value.details["field"] == "address"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("look", [lambda: balance(TEAM_ADDRESS), lambda: wallet_of("operations")])
def test_no_transaction_is_open_while_the_ledger_is_asked(wallet, monkeypatch, look):
    open_then = []

    def asked(address: str) -> Account:
        open_then.append(connection.in_atomic_block)
        return account_with("7")(address)

    monkeypatch.setattr(horizon, "account", asked)
    look()
    assert open_then == [False]


def test_looking_is_no_fact(holder, make_wallet):
    make_wallet("operations", holder.address)
    before = AuditEvent.objects.count()

    balance(holder.address)
    assert AuditEvent.objects.count() == before


# The cache


def test_within_its_time_the_cache_answers_alone(known, no_ledger_call):
    for seen in (balance(TEAM_ADDRESS), wallet_of("operations")):
        assert told(seen) == ("fresh", Decimal("1234.5"), Decimal(10))
        assert seen.wallet.seconds_left == 45


@pytest.mark.parametrize("look", [lambda: balance(TEAM_ADDRESS), lambda: wallet_of("operations")])
def test_after_its_time_the_ledger_is_asked_again(known, clock, monkeypatch, look):
    monkeypatch.setattr(horizon, "account", account_with("7.0000001"))
    clock.shift(45)

    assert told(look()) == ("live", Decimal(0), Decimal("7.0000001"))
    assert Wallet.objects.get().fetched_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    "look", [lambda: balance(TEAM_ADDRESS, refresh=True), lambda: wallet_of("operations", refresh=True)]
)
def test_a_refresh_asks_in_spite_of_the_cache(known, monkeypatch, look):
    monkeypatch.setattr(horizon, "account", account_with("7"))

    assert told(look()) == ("live", Decimal(0), Decimal(7))


def test_an_answer_never_replaces_a_later_one(known, monkeypatch):
    later = NOW + timedelta(seconds=16)

    def slow(address: str) -> Account:
        Wallet.objects.update(fetched_at=later)
        return account_with("7")(address)

    monkeypatch.setattr(horizon, "account", slow)

    assert refresh_balance(TEAM_ADDRESS).xlm == Decimal(10)
    assert Wallet.objects.get().fetched_at == later


# The ledger down


def test_while_the_ledger_is_down_the_last_answer_is_given(known, clock, ledger_down):
    clock.shift(45)

    for refresh in (False, True):
        for seen in (balance(TEAM_ADDRESS, refresh=refresh), wallet_of("operations", refresh=refresh)):
            assert told(seen) == ("stale", Decimal("1234.5"), Decimal(10))
            assert seen.wallet.seconds_left == 0
    assert Wallet.objects.get().fetched_at == NOW


def test_while_the_ledger_is_down_an_unknown_balance_is_unavailable(wallet, ledger_down):
    unregistered = keys.generate().address

    for address in (TEAM_ADDRESS, unregistered):
        with pytest.raises(Unavailable) as refusal:
            balance(address)
        assert refusal.value.code == "STELLAR_TIMEOUT"


def test_while_the_ledger_is_down_a_wallet_is_still_shown(wallet, ledger_down):
    seen = wallet_of("operations")
    assert (seen.cache_status, seen.wallet.fetched_at) == ("stale", None)

    with pytest.raises(Unavailable):
        wallet_of("operations", refresh=True)


def test_an_owner_without_wallet_is_not_found(no_ledger_call):
    with pytest.raises(NotFound):
        wallet_of("operations")
