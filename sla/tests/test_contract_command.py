"""`manage.py contract`: how the contract stands, and what sets it up."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apexchainx.stellar import horizon, keys, soroban
from apexchainx.stellar.keys import KeyPair
from apexchainx.stellar.soroban import Standing, Terms
from sla.models import PolicyVersion

pytestmark = pytest.mark.django_db
VECTORS = Path(__file__).parent / "data" / "sla_vectors.json"


@pytest.fixture
def pair(sandbox: str, settings: Any, tmp_path: Path) -> tuple[KeyPair, KeyPair]:
    """Admin and operator, without accounts, of a contract that nobody has initialised."""
    settings.STELLAR_SOROBAN_URL = sandbox
    found = keys.generate(), keys.generate()
    for role, key in zip(("ADMIN", "OPERATOR"), found, strict=True):
        file = tmp_path / role
        keys.write_secret(file, key)
        setattr(settings, f"STELLAR_CONTRACT_{role}_SECRET_FILE", str(file))
    return found


@pytest.fixture
def ours(pair: tuple[KeyPair, KeyPair]) -> tuple[KeyPair, KeyPair]:
    call_command("contract", "init", "--friendbot", verbosity=0)
    return pair


def publish(**severities: tuple[int, str, str]) -> None:
    for severity, (threshold, penalty, reward) in severities.items():
        PolicyVersion.objects.filter(severity=severity).update(
            threshold_minutes=threshold, penalty_per_minute=Decimal(penalty), reward_base=Decimal(reward)
        )


def test_init_makes_the_contract_ours(pair: tuple[KeyPair, KeyPair], capsys: Any) -> None:
    admin, operator = pair

    call_command("contract", "init", "--friendbot")
    call_command("contract", "init")

    roles = soroban.roles()
    assert (roles.admin, roles.operator) == (admin.address, operator.address)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Initialised in ledger ")
    assert second == "It is ours already; nothing to do."


def test_init_without_doing_it(pair: tuple[KeyPair, KeyPair], capsys: Any) -> None:
    call_command("contract", "init", "--friendbot", "--dry-run")

    admin, operator = pair
    assert capsys.readouterr().out == (
        f"Would initialise: admin {admin.address}, operator {operator.address}.\n"
    )
    assert soroban.health().standing == Standing.NOT_INITIALIZED
    assert horizon.account(admin.address) is None


def test_init_takes_two_accounts(pair: tuple[KeyPair, KeyPair], settings: Any) -> None:
    settings.STELLAR_CONTRACT_OPERATOR_SECRET_FILE = settings.STELLAR_CONTRACT_ADMIN_SECRET_FILE

    with pytest.raises(CommandError, match="must be two accounts"):
        call_command("contract", "init", "--friendbot")
    assert soroban.health().standing == Standing.NOT_INITIALIZED


def test_a_contract_of_somebody_else_is_left_alone(
    ours: tuple[KeyPair, KeyPair], settings: Any, tmp_path: Path
) -> None:
    keys.write_secret(tmp_path / "other", keys.generate())
    settings.STELLAR_CONTRACT_ADMIN_SECRET_FILE = str(tmp_path / "other")

    with pytest.raises(CommandError, match=f"somebody else's already: admin {ours[0].address}"):
        call_command("contract", "init")


@pytest.mark.parametrize(
    ("content", "said"), [(None, "Set STELLAR_CONTRACT_ADMIN_SECRET_FILE"), ("x", "STELLAR")]
)
def test_a_key_that_is_none(
    pair: tuple[KeyPair, KeyPair], settings: Any, tmp_path: Path, content: str | None, said: str
) -> None:
    (tmp_path / "bad").write_text(content or "")
    settings.STELLAR_CONTRACT_ADMIN_SECRET_FILE = str(tmp_path / "bad") if content else ""

    with pytest.raises(CommandError, match=said):
        call_command("contract", "init")


def test_configure_keeps_fewer_results_and_then_has_nothing_to_do(
    ours: tuple[KeyPair, KeyPair], capsys: Any
) -> None:
    call_command("contract", "configure", "--dry-run")
    assert soroban.retention_limit() == 1000
    call_command("contract", "configure")
    call_command("contract", "configure")

    would, did, nothing = capsys.readouterr().out.splitlines()
    assert would == "Would keep 150 results; it keeps 1000."
    assert did.startswith("It keeps 150 results. (")
    assert nothing == "It is configured as our policies are; nothing to do."
    assert soroban.retention_limit() == 150


@pytest.mark.parametrize(
    "penalties",
    [
        {"critical": 400, "high": 300, "medium": 200, "low": 100},
        {"critical": 60, "high": 26, "medium": 11, "low": 5},
        {"critical": 50, "high": 50, "medium": 50, "low": 50},
        {"critical": 100, "high": 40, "medium": 40, "low": 60},
        {"critical": 100, "high": 90, "medium": 10, "low": 10},
    ],
)
def test_terms_are_set_in_an_order_that_the_contract_accepts(
    ours: tuple[KeyPair, KeyPair], penalties: dict[str, int]
) -> None:
    publish(**{severity: (20, str(penalty), "900") for severity, penalty in penalties.items()})

    call_command("contract", "configure", verbosity=0)

    assert soroban.config().terms == {
        severity: Terms(20, penalty, 900) for severity, penalty in penalties.items()
    }


def test_terms_go_back_from_where_low_was_above_medium(ours: tuple[KeyPair, KeyPair]) -> None:
    publish(medium=(60, "30", "750"), low=(120, "60", "600"))
    call_command("contract", "configure")
    publish(medium=(60, "25", "750"), low=(120, "10", "600"))

    call_command("contract", "configure")

    assert soroban.config().terms["medium"] == Terms(60, 25, 750)
    assert soroban.config().terms["low"] == Terms(120, 10, 600)


def test_fractions_are_named_and_nothing_is_set(ours: tuple[KeyPair, KeyPair]) -> None:
    publish(high=(30, "50.5", "750"), low=(100, "10", "600"))

    with pytest.raises(CommandError, match="whole numbers only, or nothing of: high"):
        call_command("contract", "configure")
    assert soroban.config().terms["low"] == Terms(120, 10, 600)


def test_what_the_contract_refuses_is_said(ours: tuple[KeyPair, KeyPair]) -> None:
    publish(critical=(61, "100", "750"))

    with pytest.raises(CommandError, match="The SLA contract refuses: InvalidThreshold"):
        call_command("contract", "configure")


def test_status_of_a_contract_that_is_ready(ours: tuple[KeyPair, KeyPair], capsys: Any) -> None:
    call_command("contract", "status")
    table = capsys.readouterr().out
    call_command("contract", "status", "--json")
    document = json.loads(capsys.readouterr().out)

    assert "standing           ready" in table
    assert "critical           15 minutes, penalty 100, reward 750\n" in table
    assert (document["standing"], document["is_usable"]) == ("ready", True)
    assert document["config_version_hash"] == "1417728228875630226"
    assert document["roles"]["admin"] == ours[0].address


def test_status_of_one_that_differs(ours: tuple[KeyPair, KeyPair], capsys: Any) -> None:
    publish(low=(100, "10", "600"))

    with pytest.raises(CommandError, match="cannot be used as it stands"):
        call_command("contract", "status")
    assert "low                120 minutes, penalty 10, reward 600   differs from low-v1" in (
        capsys.readouterr().out
    )


def test_status_of_one_that_nobody_initialised(pair: tuple[KeyPair, KeyPair], capsys: Any) -> None:
    with pytest.raises(CommandError):
        call_command("contract", "status")
    assert "standing           not_initialized" in capsys.readouterr().out


def test_status_while_nobody_answers(settings: Any) -> None:
    settings.STELLAR_SOROBAN_URL = "http://127.0.0.1:9"

    with pytest.raises(CommandError, match="The Soroban RPC does not answer"):
        call_command("contract", "status")


def test_parity_under_the_terms_that_the_contract_has(ours: tuple[KeyPair, KeyPair], capsys: Any) -> None:
    call_command("contract", "parity", "--vectors", str(VECTORS))

    assert capsys.readouterr().out == "137 passed, 0 failed, 31 skipped\n"


def test_parity_under_every_vectors_own_terms(ours: tuple[KeyPair, KeyPair], capsys: Any) -> None:
    before = soroban.config()

    call_command("contract", "parity", "--vectors", str(VECTORS), "--apply-config")

    assert capsys.readouterr().out == "168 passed, 0 failed, 0 skipped\n"
    assert soroban.config() == before


def test_parity_says_what_differs(ours: tuple[KeyPair, KeyPair], tmp_path: Path, capsys: Any) -> None:
    case = json.loads(VECTORS.read_text())[0]
    case["expect"]["amount"] = 1
    (tmp_path / "wrong.json").write_text(json.dumps([case]))

    with pytest.raises(CommandError, match="do not agree"):
        call_command("contract", "parity", "--vectors", str(tmp_path / "wrong.json"))
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize("content", ["", "{}x", "[1]", '[{"case": "a"}]', '{"a": 1}'])
def test_a_file_without_vectors(sandbox: str, tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.json").write_text(content)

    with pytest.raises(CommandError, match="holds no vectors"):
        call_command("contract", "parity", "--vectors", str(tmp_path / "bad.json"))
