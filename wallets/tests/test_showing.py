from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apexchainx.stellar import keys
from conftest import OPERATOR_ADDRESS, PREFIX, TEAM_ADDRESS
from wallets.models import Wallet

pytestmark = pytest.mark.django_db

WALLETS = f"{PREFIX}/wallets"


def error(response: Any) -> dict[str, Any]:
    return dict(response.json()["error"])


def test_a_wallet_is_shown_as_documented(client_as, known, no_ledger_call):
    answer = client_as("viewer").get(f"{WALLETS}/operations")

    body = answer.json()
    assert answer.status_code == 200
    assert body == {
        "entity_id": "operations",
        "user_id": "operations",
        "kind": "team",
        "address": TEAM_ADDRESS,
        "public_key": TEAM_ADDRESS,
        "status": "approved",
        "registered_by": "system",
        "approved_by": "system",
        "approved_at": "2026-01-16T10:00:00Z",
        "created_at": body["created_at"],
        "funded": True,
        "active": True,
        "trustline_ready": True,
        "last_updated": "2026-01-16T10:00:00Z",
        "cached_at": "2026-01-16T10:00:00Z",
        "cache_status": "fresh",
    }


def test_a_balance_is_shown_in_both_documented_shapes(client_as, known, no_ledger_call, settings):
    settings.STELLAR_NETWORK = "sandbox"
    settings.STELLAR_ASSET_CODE, settings.STELLAR_ASSET_ISSUER = "USDC", OPERATOR_ADDRESS
    answer = client_as("viewer").get(f"{WALLETS}/{TEAM_ADDRESS}/balance")

    assert answer.status_code == 200
    assert answer.json() == {
        "address": TEAM_ADDRESS,
        "balances": {
            "XLM": {"balance": "10.0000000", "asset_type": "native"},
            "USDC": {
                "balance": "1234.5000000",
                "asset_type": "credit_alphanum4",
                "asset_code": "USDC",
                "asset_issuer": OPERATOR_ADDRESS,
            },
        },
        "usdc_balance": "1234.50",
        "xlm_balance": "10.00",
        "network": "sandbox",
        "last_updated": "2026-01-16T10:00:00Z",
        "cache_status": "fresh",
        "cache_ttl_seconds": 45,
        "cached_at": "2026-01-16T10:00:00Z",
    }


def test_a_longer_asset_code_has_its_own_type(client_as, known, no_ledger_call, settings):
    settings.STELLAR_ASSET_CODE = "USDCX"
    balances = client_as("viewer").get(f"{WALLETS}/{TEAM_ADDRESS}/balance").json()["balances"]

    assert balances["USDCX"]["asset_type"] == "credit_alphanum12"


def test_a_suspended_wallet_is_not_active(client_as, known, no_ledger_call):
    Wallet.objects.update(status="suspended")
    body = client_as("viewer").get(f"{WALLETS}/operations").json()

    assert (body["funded"], body["active"]) == (True, False)


def test_refresh_brings_the_live_balance(client_as, holder, make_wallet):
    make_wallet("operations", holder.address)
    Wallet.objects.update(
        fetched_at=datetime.now(UTC) - timedelta(seconds=1), is_funded=True, usdc=Decimal(1)
    )
    viewer = client_as("viewer")

    cached = viewer.get(f"{WALLETS}/{holder.address}/balance").json()
    live = viewer.get(f"{WALLETS}/{holder.address}/balance", {"refresh": "true"}).json()
    shown = viewer.get(f"{WALLETS}/operations", {"refresh": "true"}).json()
    assert (cached["cache_status"], cached["usdc_balance"]) == ("fresh", "1.00")
    assert (live["cache_status"], live["usdc_balance"], live["xlm_balance"]) == (
        "live",
        "5000.00",
        "9999.99999",
    )
    assert live["balances"]["XLM"]["balance"] == "9999.9999900"
    assert (shown["cache_status"], shown["funded"], shown["trustline_ready"]) == ("live", True, True)


def test_an_account_without_trustline_shows_no_usdc(client_as, sandbox, issuer):
    body = client_as("viewer").get(f"{WALLETS}/{issuer.address}/balance").json()

    assert (list(body["balances"]), body["usdc_balance"]) == (["XLM"], "0.00")


def test_an_account_that_the_ledger_lacks_is_404(client_as, sandbox):
    answer = client_as("viewer").get(f"{WALLETS}/{TEAM_ADDRESS}/balance")

    assert (answer.status_code, error(answer)["code"]) == (404, "ACCOUNT_NOT_FOUND")


def test_while_the_ledger_is_down_answers_are_stale_or_503(client_as, clock, known, ledger_down):
    clock.shift(60)
    viewer = client_as("viewer")

    for path in (f"{WALLETS}/operations", f"{WALLETS}/{TEAM_ADDRESS}/balance"):
        answer = viewer.get(path, {"refresh": "true"})
        assert (answer.status_code, answer.json()["cache_status"]) == (200, "stale")
        assert answer.json()["cached_at"] == "2026-01-16T10:00:00Z"
    unknown = viewer.get(f"{WALLETS}/{keys.generate().address}/balance")
    assert (unknown.status_code, error(unknown)["code"]) == (503, "STELLAR_TIMEOUT")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{WALLETS}/nobody", 404),
        (f"{WALLETS}/operations/balance", 400),
        (f"{WALLETS}/{TEAM_ADDRESS[:-1]}A/balance", 400),
        (f"{WALLETS}/operations?refresh=perhaps", 400),
        (f"{WALLETS}/{TEAM_ADDRESS}/balance?refresh=", 400),
        (f"{WALLETS}?status=sleeping", 400),
        (f"{WALLETS}?kind=bank", 400),
        (f"{WALLETS}?limit=0", 400),
        (f"{WALLETS}/create", 404),
    ],
)
def test_what_cannot_be_shown(client_as, known, no_ledger_call, path, status):
    answer = client_as("viewer").get(path)

    assert answer.status_code == status
    assert error(answer)["correlation_id"] == answer["X-Correlation-ID"]


@pytest.mark.parametrize(("path", "queries"), [("operations", 2), (f"{TEAM_ADDRESS}/balance", 2)])
def test_a_cached_wallet_costs_one_query(client_as, django_assert_num_queries, known, path, queries):
    viewer = client_as("viewer")

    with django_assert_num_queries(queries):
        viewer.get(f"{WALLETS}/{path}")
