from typing import Any

import pytest
from django.test import Client

from apexchainx import context
from audit.models import AuditEvent
from conftest import OPERATOR_ADDRESS, TEAM_ADDRESS
from wallets.models import Owner, Wallet
from wallets.services import create_owner, register

SEED = "SCZANGBA5YHTNYVVV4C3U252E2B6P6F5T3U6MM63WBSBZATAQI3EBTQ4"
OWNERS, WALLETS = "/admin/wallets/owner/", "/admin/wallets/wallet/"


@pytest.fixture
def staff(make_user):
    return make_user("admin", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(staff):
    client = Client()
    client.force_login(staff)
    return client


def told(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def waiting(key: str, address: str, *, by: str) -> Wallet:
    """A wallet that waits for approval."""
    with context.acting_as(by, source="api"):
        create_owner(key=key, name=key.title(), kind="team")
        return register(key, address=address)


def approve(browser: Client, *wallets: Wallet) -> Any:
    return browser.post(
        WALLETS, {"action": "approve", "_selected_action": [wallet.pk for wallet in wallets]}, follow=True
    )


def test_an_owner_is_added_through_the_service(browser, staff):
    answer = browser.post(
        f"{OWNERS}add/", {"key": "operations", "name": "Operations", "kind": "team"}, follow=True
    )

    assert answer.status_code == 200
    assert Owner.objects.values_list("key", "name", "kind").get() == ("operations", "Operations", "team")
    fact = AuditEvent.objects.get(event="owner.created")
    assert (fact.actor, fact.source) == (str(staff.pk), "admin")


def test_an_owner_that_the_service_refuses_is_a_message(browser):
    answer = browser.post(f"{OWNERS}add/", {"key": SEED, "name": "Operations", "kind": "team"}, follow=True)

    assert told(answer) == ["This contains a secret key. Secret keys are never accepted here."]
    assert SEED not in answer.content.decode()
    assert not Owner.objects.exists()


@pytest.mark.parametrize("change", [{"key": "a b"}, {"key": ""}, {"name": ""}, {"kind": "bank"}])
def test_a_bad_owner_is_an_error_of_the_form(browser, change):
    body = {"key": "operations", "name": "Operations", "kind": "team", **change}
    answer = browser.post(f"{OWNERS}add/", body)

    assert list(answer.context["adminform"].form.errors) == list(change)
    assert not Owner.objects.exists()


def test_an_owner_is_changed_but_for_its_key(browser):
    owner = waiting("operations", TEAM_ADDRESS, by="7").owner

    browser.post(f"{OWNERS}{owner.pk}/change/", {"key": "another", "name": "Night shift", "kind": "partner"})
    assert Owner.objects.values_list("key", "name", "kind").get() == ("operations", "Night shift", "partner")
    assert AuditEvent.objects.get(event="owner.changed").subject == "owner:operations"


def test_a_wallet_is_approved(browser, staff):
    wallet = waiting("operations", TEAM_ADDRESS, by="another person")

    assert told(approve(browser, wallet)) == ["operations is approved."]
    assert Wallet.objects.approved().get().approved_by == str(staff.pk)
    assert AuditEvent.objects.get(event="wallet.approved").source == "admin"


def test_refusals_are_messages_and_stop_nobody_else(browser, staff):
    own = waiting("operations", TEAM_ADDRESS, by=str(staff.pk))
    other = waiting("operator", OPERATOR_ADDRESS, by="another person")

    answer = approve(browser, own, other)
    assert told(answer) == [
        "operations: Whoever registered a wallet cannot approve it.",
        "operator is approved.",
    ]
    assert told(approve(browser, other)) == ["operator: The wallet of operator is approved already."]
    assert Wallet.objects.approved().get() == other


def test_staff_without_the_scope_only_look(make_user):
    engineer = make_user("engineer", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(engineer)
    wallet = waiting("operations", TEAM_ADDRESS, by="another person")

    approve(client, wallet)
    added = client.post(f"{OWNERS}add/", {"key": "others", "name": "Others", "kind": "team"})
    changed = client.post(f"{OWNERS}{wallet.owner.pk}/change/", {"name": "Others", "kind": "team"})
    assert (added.status_code, changed.status_code) == (403, 403)
    assert (Wallet.objects.approved().count(), Owner.objects.count()) == (0, 1)


@pytest.mark.parametrize("path", [f"{WALLETS}add/", f"{WALLETS}{{}}/delete/", f"{OWNERS}{{}}/delete/"])
def test_wallets_are_not_added_and_nothing_is_deleted(browser, path):
    wallet = waiting("operations", TEAM_ADDRESS, by="7")

    assert browser.get(path.format(wallet.pk)).status_code == 403


def test_a_wallet_cannot_be_edited(browser):
    wallet = waiting("operations", TEAM_ADDRESS, by="7")
    path = f"{WALLETS}{wallet.pk}/change/"

    assert browser.get(path).status_code == 200
    assert browser.post(path, {"address": OPERATOR_ADDRESS, "status": "approved"}).status_code == 403
    assert Wallet.objects.values_list("address", "status").get() == (TEAM_ADDRESS, "registered")


@pytest.mark.parametrize("path", [OWNERS, f"{OWNERS}?q=oper", WALLETS, f"{WALLETS}?q=oper&status=registered"])
def test_lists_are_shown(browser, path):
    waiting("operations", TEAM_ADDRESS, by="7")

    assert "operations" in browser.get(path).content.decode()
