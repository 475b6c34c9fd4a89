from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apexchainx import context
from apexchainx.errors import Conflict, DomainError, Invalid, NotFound, NotReady, Refused
from audit.models import AuditEvent
from conftest import OPERATOR_ADDRESS, TEAM_ADDRESS
from wallets.models import Owner, Wallet
from wallets.services import approve, change_owner, create_owner, register

pytestmark = pytest.mark.django_db

SEED = "SCZANGBA5YHTNYVVV4C3U252E2B6P6F5T3U6MM63WBSBZATAQI3EBTQ4"


@pytest.fixture
def team(acting: context.Context) -> Owner:
    return create_owner(key="operations", name="Operations team", kind="team")


def test_a_created_owner_is_named_trimmed_and_logged(acting):
    create_owner(key="operations", name=" Operations team ", kind="team")

    owner, fact = Owner.objects.get(), AuditEvent.objects.get()
    assert (owner.key, owner.name, owner.kind) == ("operations", "Operations team", "team")
    assert (fact.event, fact.subject, fact.actor) == ("owner.created", "owner:operations", "7")
    assert fact.data == {"owner": "operations", "name": "Operations team", "kind": "team"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": ""}, "key"),
        ({"key": "a b"}, "key"),
        ({"key": "a\n"}, "key"),
        ({"key": "a" * 65}, "key"),
        ({"key": SEED}, "key"),
        ({"name": "  "}, "name"),
        ({"name": f"team {SEED}"}, "name"),
        ({"kind": "bank"}, "kind"),
    ],
)
def test_a_bad_owner_is_refused(facts, change, field):
    with pytest.raises(Invalid) as refusal:
        create_owner(**{"key": "operations", "name": "Operations team", "kind": "team", **change})

    assert refusal.value.details["field"] == field
    assert SEED not in refusal.value.message
    assert (Owner.objects.count(), facts()) == (0, [])


def test_a_taken_key_conflicts(team, facts):
    with pytest.raises(Conflict) as refusal:
        create_owner(key="operations", name="Another", kind="operator")

    assert refusal.value.code == "OWNER_EXISTS"
    assert Owner.objects.get().name == "Operations team"
    assert facts() == [("owner.created", "owner:operations")]


def test_a_changed_owner_keeps_its_key(team, facts):
    change_owner("operations", name="Night shift", kind="partner")

    assert Owner.objects.values_list("key", "name", "kind").get() == ("operations", "Night shift", "partner")
    assert facts() == [("owner.created", "owner:operations"), ("owner.changed", "owner:operations")]


def test_a_change_that_changes_nothing_is_no_fact(team, facts):
    change_owner("operations", name="Operations team", kind="team")

    assert facts() == [("owner.created", "owner:operations")]


@pytest.mark.parametrize("change", [{"name": " "}, {"name": f"team {SEED}"}, {"kind": "bank"}])
def test_a_bad_change_of_an_owner_is_refused(team, facts, change):
    with pytest.raises(Invalid):
        change_owner("operations", **{"name": "Night shift", "kind": "partner", **change})

    assert Owner.objects.values_list("name", "kind").get() == ("Operations team", "team")
    assert facts() == [("owner.created", "owner:operations")]


def test_an_unknown_owner_cannot_be_changed(team, facts):
    with pytest.raises(NotFound):
        change_owner("nobody", name="Night shift", kind="team")
    assert facts() == [("owner.created", "owner:operations")]


def test_a_registered_wallet_waits_for_approval(team):
    register("operations", address=TEAM_ADDRESS)

    wallet, fact = Wallet.objects.select_related("owner").get(), AuditEvent.objects.latest("id")
    assert (wallet.owner.key, wallet.address, wallet.status) == ("operations", TEAM_ADDRESS, "registered")
    assert (wallet.registered_by, wallet.approved_by, wallet.approved_at) == ("7", "", None)
    assert not Wallet.objects.approved().exists()
    assert (fact.event, fact.subject) == ("wallet.registered", "wallet:operations")
    assert fact.data == {"owner": "operations", "address": TEAM_ADDRESS}


@pytest.mark.parametrize(
    ("owner", "address"),
    [
        ("operations", f"{TEAM_ADDRESS[:-1]}A"),
        ("operations", TEAM_ADDRESS.lower()),
        ("operations", ""),
        ("operations", SEED),
        (SEED, TEAM_ADDRESS),
    ],
)
def test_what_is_no_address_is_refused(team, facts, owner, address):
    with pytest.raises(Invalid) as refusal:
        register(owner, address=address)

    assert refusal.value.details["field"] == ("entity_id" if owner == SEED else "address")
    assert SEED not in f"{refusal.value.message} {refusal.value.details}"
    assert (Wallet.objects.count(), facts()) == (0, [("owner.created", "owner:operations")])


def test_a_wallet_needs_an_owner_that_exists(team, facts):
    with pytest.raises(NotReady) as refusal:
        register("nobody", address=TEAM_ADDRESS)

    assert refusal.value.code == "OWNER_UNKNOWN"
    assert (Wallet.objects.count(), facts()) == (0, [("owner.created", "owner:operations")])


@pytest.mark.parametrize("address", [TEAM_ADDRESS, OPERATOR_ADDRESS])
def test_a_second_wallet_of_an_owner_conflicts(team, facts, address):
    register("operations", address=TEAM_ADDRESS)

    with pytest.raises(Conflict) as refusal:
        register("operations", address=address)
    assert refusal.value.code == "WALLET_EXISTS"
    assert Wallet.objects.get().address == TEAM_ADDRESS
    assert [event for event, _ in facts()].count("wallet.registered") == 1


def test_an_address_has_one_owner(team, facts):
    register("operations", address=TEAM_ADDRESS)
    create_owner(key="operator", name="Operator", kind="operator")

    with pytest.raises(Conflict) as refusal:
        register("operator", address=TEAM_ADDRESS)
    assert refusal.value.code == "ADDRESS_TAKEN"
    assert Wallet.objects.get().owner_id == team.pk
    assert ("wallet.registered", "wallet:operator") not in facts()


def test_a_second_person_approves(team):
    register("operations", address=TEAM_ADDRESS)

    with context.acting_as("8", source="api"):
        approve("operations")
    wallet, fact = Wallet.objects.approved().get(), AuditEvent.objects.latest("id")
    assert (wallet.approved_by, wallet.approved_at is None) == ("8", False)
    assert (fact.event, fact.subject, fact.actor) == ("wallet.approved", "wallet:operations", "8")
    assert fact.data == {"owner": "operations", "address": TEAM_ADDRESS}


@pytest.mark.parametrize("source", ["api", "admin", "task"])
def test_whoever_registered_a_wallet_cannot_approve_it(team, facts, source):
    register("operations", address=TEAM_ADDRESS)

    with context.acting_as("7", source=source), pytest.raises(Refused) as refusal:
        approve("operations")
    assert refusal.value.code == "SECOND_PERSON_NEEDED"
    assert Wallet.objects.get().status == "registered"
    assert ("wallet.approved", "wallet:operations") not in facts()


def test_on_the_machine_itself_one_person_is_enough(team):
    with context.acting_as("system", source="command"):
        register("operations", address=TEAM_ADDRESS)
        approve("operations")

    assert Wallet.objects.approved().get().approved_by == "system"


def test_a_second_approval_conflicts(team, facts):
    register("operations", address=TEAM_ADDRESS)
    with context.acting_as("8", source="api"):
        approve("operations")

    with context.acting_as("9", source="api"), pytest.raises(Conflict):
        approve("operations")
    assert Wallet.objects.get().approved_by == "8"
    assert [event for event, _ in facts()].count("wallet.approved") == 1


def test_approving_what_is_not_registered_finds_nothing(team, facts):
    with pytest.raises(NotFound):
        approve("operations")
    assert facts() == [("owner.created", "owner:operations")]


@pytest.mark.django_db(transaction=True)
def test_of_ten_approvals_at_once_one_counts(team, facts):
    register("operations", address=TEAM_ADDRESS)

    outcomes = at_once(10, lambda: approve("operations"))

    assert sorted(outcomes) == ["CONFLICT"] * 9 + ["done"]
    assert [event for event, _ in facts()].count("wallet.approved") == 1


@pytest.mark.django_db(transaction=True)
def test_of_ten_registrations_at_once_one_counts(team, facts):
    outcomes = at_once(10, lambda: register("operations", address=TEAM_ADDRESS))

    assert sorted(outcomes) == ["WALLET_EXISTS"] * 9 + ["done"]
    assert [event for event, _ in facts()].count("wallet.registered") == 1


def at_once(number: int, act: Callable[[], object]) -> list[str]:
    """What became of `act`, done by so many people at the same moment: `done`, or the refusal's code."""
    barrier = Barrier(number)

    def run(person: int) -> str:
        try:
            with context.acting_as(f"person-{person}", source="api"):
                barrier.wait()
                act()
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
