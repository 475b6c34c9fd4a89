import logging
from typing import Any

import pytest

from apexchainx import context
from apexchainx.accounts.models import Role
from audit.models import AuditEvent
from conftest import OPERATOR_ADDRESS, PREFIX, TEAM_ADDRESS
from wallets.models import Owner, Wallet
from wallets.services import create_owner

pytestmark = pytest.mark.django_db

SEED = "SCZANGBA5YHTNYVVV4C3U252E2B6P6F5T3U6MM63WBSBZATAQI3EBTQ4"
WALLETS, OWNERS = f"{PREFIX}/wallets", f"{PREFIX}/owners"


@pytest.fixture
def team(db):
    with context.acting_as("system", source="command"):
        return create_owner(key="operations", name="Operations team", kind="team")


def error(response: Any) -> dict[str, Any]:
    return dict(response.json()["error"])


# Owners


def test_a_manager_creates_an_owner(client_as):
    body = {"key": "ORG001", "name": "Towers Ltd", "kind": "operator"}
    created = client_as("manager").post(OWNERS, body)

    assert created.status_code == 201
    assert created.json() == {**body, "created_at": created.json()["created_at"]}
    assert AuditEvent.objects.get(event="owner.created").source == "api"
    assert client_as("viewer").get(OWNERS).json()["results"] == [created.json()]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "a b"}, "key"),
        ({"key": ""}, "key"),
        ({"key": None}, "key"),
        ({"key": 5}, "key"),
        ({"key": "a" * 65}, "key"),
        ({"name": "  "}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"name": ["a"]}, "name"),
        ({"kind": "bank"}, "kind"),
        ({"kind": {}}, "kind"),
    ],
)
def test_a_bad_owner_is_named_by_its_field(client_as, change, field):
    body = {"key": "ORG001", "name": "Towers Ltd", "kind": "operator", **change}
    answer = client_as("manager").post(OWNERS, body)

    assert (answer.status_code, error(answer)["code"]) == (400, "VALIDATION_ERROR")
    assert error(answer)["details"]["field"] == field
    assert not Owner.objects.exists()


def test_a_taken_key_is_409(client_as, team):
    answer = client_as("manager").post(OWNERS, {"key": "operations", "name": "Others", "kind": "team"})

    assert (answer.status_code, error(answer)["code"]) == (409, "OWNER_EXISTS")
    assert Owner.objects.get().name == "Operations team"


# Registering


@pytest.mark.parametrize(
    "names", [("entity_id", "address"), ("user_id", "public_key"), ("user_id", "address")]
)
def test_both_names_are_understood_and_answered(client_as, team, names):
    answer = client_as("engineer").post(WALLETS, dict(zip(names, ("operations", TEAM_ADDRESS), strict=True)))

    assert answer.status_code == 201
    body = answer.json()
    assert {key: body[key] for key in ("entity_id", "user_id")} == dict.fromkeys(
        ("entity_id", "user_id"), "operations"
    )
    assert {key: body[key] for key in ("address", "public_key")} == dict.fromkeys(
        ("address", "public_key"), TEAM_ADDRESS
    )
    assert (body["kind"], body["status"], body["approved_by"], body["approved_at"]) == (
        "team",
        "registered",
        None,
        None,
    )
    assert (body["funded"], body["cache_status"], body["cached_at"]) == (False, "stale", None)
    assert Wallet.objects.get().registered_by == body["registered_by"] != ""


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"entity_id": None}, "entity_id"),
        ({"entity_id": 7}, "entity_id"),
        ({"entity_id": "a" * 65}, "entity_id"),
        ({"user_id": "other"}, "entity_id"),
        ({"address": ""}, "address"),
        ({"address": f"{TEAM_ADDRESS[:-1]}A"}, "address"),
        ({"address": TEAM_ADDRESS.lower()}, "address"),
        ({"address": "G" * 200}, "address"),
        ({"address": [TEAM_ADDRESS]}, "address"),
        ({"public_key": OPERATOR_ADDRESS}, "address"),
    ],
)
def test_a_bad_registration_is_named_by_its_field(client_as, team, change, field):
    answer = client_as("engineer").post(
        WALLETS, {"entity_id": "operations", "address": TEAM_ADDRESS, **change}
    )

    assert (answer.status_code, error(answer)["code"]) == (400, "VALIDATION_ERROR")
    assert error(answer)["details"]["field"] == field
    assert not Wallet.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"entity_id": SEED},
        {"user_id": SEED},
        {"address": SEED},
        {"public_key": SEED},
        {"address": f" {SEED}\n"},
        {"note": f"the secret is {SEED}."},
        {"secret_key": SEED},
        {SEED: 1},
        {"nested": {"deep": [1, {"er": [f"x{SEED}"]}]}},
    ],
)
@pytest.mark.parametrize("path", [WALLETS, OWNERS])
@pytest.mark.usefixtures("team")
def test_a_secret_anywhere_is_refused_and_goes_nowhere(client_as, facts, caplog, path, change):
    body = {
        "entity_id": "operations",
        "address": TEAM_ADDRESS,
        "key": "k",
        "name": "n",
        "kind": "team",
        **change,
    }
    known = facts()

    with caplog.at_level(logging.DEBUG):
        answer = client_as("manager").post(path, body)
    assert answer.status_code == 400
    assert SEED not in answer.content.decode()
    assert SEED not in caplog.text
    assert (Wallet.objects.count(), Owner.objects.count(), facts()) == (0, 1, known)


@pytest.mark.parametrize("path", [f"{WALLETS}/{SEED}", f"{WALLETS}/{SEED}/balance"])
def test_a_secret_in_the_path_is_not_repeated(client_as, path):
    answer = client_as("viewer").get(path)

    assert answer.status_code in {400, 404}
    assert SEED not in answer.content.decode()


def test_an_unknown_owner_is_422(client_as):
    answer = client_as("manager").post(WALLETS, {"entity_id": "nobody", "address": TEAM_ADDRESS})

    assert (answer.status_code, error(answer)["code"]) == (422, "OWNER_UNKNOWN")
    assert not Owner.objects.exists()


def test_a_second_wallet_is_409(client_as, make_wallet):
    make_wallet("operations", TEAM_ADDRESS)
    answer = client_as("engineer").post(WALLETS, {"entity_id": "operations", "address": OPERATOR_ADDRESS})

    assert (answer.status_code, error(answer)["code"]) == (409, "WALLET_EXISTS")
    assert Wallet.objects.get().address == TEAM_ADDRESS


def test_the_address_of_another_owner_is_409(client_as, make_wallet, team):
    make_wallet("operator", TEAM_ADDRESS)
    answer = client_as("engineer").post(WALLETS, {"entity_id": "operations", "address": TEAM_ADDRESS})

    assert (answer.status_code, error(answer)["code"]) == (409, "ADDRESS_TAKEN")
    assert Wallet.objects.count() == 1


# Approving


def test_a_second_person_approves_once(client_as, team):
    manager, other = client_as("manager"), client_as("manager")
    manager.post(WALLETS, {"entity_id": "operations", "address": TEAM_ADDRESS})

    own = manager.post(f"{WALLETS}/operations/approve")
    assert (own.status_code, error(own)["code"]) == (403, "SECOND_PERSON_NEEDED")
    assert not Wallet.objects.approved().exists()
    approved = other.post(f"{WALLETS}/operations/approve")
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert approved.json()["approved_by"] == Wallet.objects.get().approved_by
    again = other.post(f"{WALLETS}/operations/approve")
    assert (again.status_code, error(again)["code"]) == (409, "CONFLICT")
    assert AuditEvent.objects.filter(event="wallet.approved").count() == 1


def test_approving_nothing_is_404(client_as, team):
    assert client_as("manager").post(f"{WALLETS}/operations/approve").status_code == 404


# Listing


def test_wallets_are_listed_and_filtered_without_asking_the_ledger(
    client_as, known, team_wallets, no_ledger_call
):
    viewer = client_as("viewer")

    def listed(**query: str) -> list[str]:
        return [wallet["entity_id"] for wallet in viewer.get(WALLETS, query).json()["results"]]

    assert listed() == ["org01", "org00", "operations"]
    assert listed(status="registered") == ["org01", "org00"]
    assert listed(status="approved") == ["operations"]
    assert listed(kind="partner") == ["org01", "org00"]
    assert listed(kind="team", status="registered") == []
    assert viewer.get(WALLETS, {"page": "1", "page_size": "2"}).json()["total"] == 3
    first = viewer.get(WALLETS, {"cursor": "", "limit": "2"}).json()
    assert listed(cursor=first["next_cursor"]) == ["operations"]


@pytest.fixture
def team_wallets(db):
    return partners(2)


def partners(number: int) -> list[Wallet]:
    owners = Owner.objects.bulk_create(
        Owner(key=f"org{index:02}", name="A partner", kind="partner") for index in range(number)
    )
    return Wallet.objects.bulk_create(
        Wallet(
            owner=owner,
            address=f"G{'A' * 53}{chr(65 + index // 26)}{chr(65 + index % 26)}",
            registered_by="7",
        )
        for index, owner in enumerate(owners)
    )


@pytest.mark.parametrize("number", [2, 50])
@pytest.mark.parametrize(("path", "queries"), [(WALLETS, 3), (OWNERS, 3)])
def test_a_list_costs_the_same_for_any_length(client_as, django_assert_num_queries, number, path, queries):
    partners(number)
    viewer = client_as("viewer")

    with django_assert_num_queries(queries):
        assert len(viewer.get(path).json()["results"]) == number


# Rights

EVERYBODY = set(Role.values)
CALLS = [
    ("get", OWNERS, 200, EVERYBODY),
    ("post", OWNERS, 400, {"manager", "admin"}),
    ("get", WALLETS, 200, EVERYBODY),
    ("post", WALLETS, 400, {"engineer", "manager", "admin"}),
    ("get", f"{WALLETS}/operations", 200, EVERYBODY),
    ("get", f"{WALLETS}/{TEAM_ADDRESS}/balance", 200, EVERYBODY),
    ("post", f"{WALLETS}/operations/approve", 409, {"manager", "admin"}),
]


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("call", CALLS)
def test_rights_follow_the_role(client_as, known, no_ledger_call, role, call):
    method, path, status, allowed = call

    answer = getattr(client_as(role), method)(path)

    assert answer.status_code == (status if role in allowed else 403)


@pytest.mark.parametrize(("method", "path"), [call[:2] for call in CALLS])
def test_nobody_enters_without_a_token(anonymous, method, path):
    assert getattr(anonymous, method)(path).status_code == 401


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("path", [OWNERS, WALLETS, f"{WALLETS}/operations"])
def test_nothing_else_is_routed(client_as, known, method, path):
    assert getattr(client_as("admin"), method)(path).status_code == 405
    assert Wallet.objects.get().address == TEAM_ADDRESS
