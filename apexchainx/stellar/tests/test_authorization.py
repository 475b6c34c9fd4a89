"""An issuer that decides who may hold its asset; data that asks for a memo; accounts that end."""

from typing import Any

import pytest
from stellar_sdk import (
    AccountMerge,
    Asset,
    BumpSequence,
    ChangeTrust,
    Claimant,
    ClaimClaimableBalance,
    CreateClaimableBalance,
    Keypair,
    ManageData,
    Server,
    SetOptions,
    SetTrustLineFlags,
    TextMemo,
)
from stellar_sdk.operation import Operation
from stellar_sdk.operation.allow_trust import AllowTrust, TrustLineEntryFlag
from stellar_sdk.operation.set_options import AuthorizationFlag
from stellar_sdk.operation.set_trust_line_flags import TrustLineFlags
from stellar_sdk.sep.exceptions import AccountRequiresMemoError

from apexchainx.stellar.tests import bench
from apexchainx.stellar.tests.bench import burn, pay

XLM = Asset.native()
REQUIRED, REVOCABLE = AuthorizationFlag.AUTHORIZATION_REQUIRED, AuthorizationFlag.AUTHORIZATION_REVOCABLE
IMMUTABLE = AuthorizationFlag.AUTHORIZATION_IMMUTABLE
CLAWBACK = AuthorizationFlag.AUTHORIZATION_CLAWBACK_ENABLED
HOLD, KEEP = TrustLineFlags.AUTHORIZED_FLAG, TrustLineFlags.AUTHORIZED_TO_MAINTAIN_LIABILITIES_FLAG


@pytest.fixture
def strict(server: Server, mint: Keypair) -> Keypair:
    """The issuer asks to be asked, and may take back what it granted."""
    bench.send(server, mint, SetOptions(set_flags=REQUIRED | REVOCABLE))
    return mint


def line(server: Server, owner: Keypair) -> dict[str, Any]:
    return dict(server.accounts().account_id(owner.public_key).call()["balances"][0])


def refusal(server: Server, source: Keypair, *operations: Any) -> tuple[str, list[str]]:
    return bench.words(bench.refused(server, bench.signed(server, source, *operations)))


def granted(owner: Keypair, usdc: Asset) -> SetTrustLineFlags:
    return SetTrustLineFlags(owner.public_key, usdc, set_flags=HOLD)


def revoked(owner: Keypair, usdc: Asset) -> SetTrustLineFlags:
    return SetTrustLineFlags(owner.public_key, usdc, clear_flags=HOLD)


def test_flags_are_shown(server: Server, strict: Keypair) -> None:
    flags = server.accounts().account_id(strict.public_key).call()["flags"]

    assert flags == {
        "auth_required": True,
        "auth_revocable": True,
        "auth_immutable": False,
        "auth_clawback_enabled": False,
    }


def test_who_is_not_authorized_receives_nothing(server: Server, usdc: Asset, strict: Keypair) -> None:
    owner = bench.holder(server, usdc)

    assert line(server, owner)["is_authorized"] is False
    assert refusal(server, strict, pay(owner, usdc, "1")) == ("tx_failed", ["op_not_authorized"])

    bench.send(server, strict, granted(owner, usdc), pay(owner, usdc, "1"))

    assert (line(server, owner)["is_authorized"], line(server, owner)["balance"]) == (True, "1.0000000")


def test_who_is_no_longer_authorized_pays_nothing(server: Server, usdc: Asset, strict: Keypair) -> None:
    owner = bench.holder(server, usdc)
    bench.send(server, strict, granted(owner, usdc), pay(owner, usdc, "5"))

    bench.send(server, strict, revoked(owner, usdc))

    assert refusal(server, owner, burn(usdc, "1")) == ("tx_failed", ["op_src_not_authorized"])
    gift = CreateClaimableBalance(usdc, "1", [Claimant(strict.public_key)])
    assert refusal(server, owner, gift) == ("tx_failed", ["op_not_authorized"])
    assert line(server, owner)["balance"] == "5.0000000"


def test_who_is_not_authorized_claims_nothing(server: Server, usdc: Asset, strict: Keypair) -> None:
    owner = bench.holder(server, usdc)
    gift = bench.signed(server, strict, CreateClaimableBalance(usdc, "1", [Claimant(owner.public_key)]))
    bench.post(server, gift)
    claim = ClaimClaimableBalance(gift.transaction.get_claimable_balance_id(0))

    assert refusal(server, owner, claim) == ("tx_failed", ["op_not_authorized"])
    bench.send(server, strict, granted(owner, usdc))
    bench.send(server, owner, claim)
    assert line(server, owner)["balance"] == "1.0000000"


def test_maintaining_is_less_than_holding(server: Server, usdc: Asset, strict: Keypair) -> None:
    owner = bench.holder(server, usdc)

    bench.send(server, strict, SetTrustLineFlags(owner.public_key, usdc, set_flags=KEEP))

    shown = line(server, owner)
    assert (shown["is_authorized"], shown["is_authorized_to_maintain_liabilities"]) == (False, True)
    assert refusal(server, strict, pay(owner, usdc, "1")) == ("tx_failed", ["op_not_authorized"])
    assert refusal(server, strict, granted(owner, usdc)) == ("tx_failed", ["op_invalid_state"])


def test_what_was_granted_stays_where_the_issuer_may_not_revoke(
    server: Server, usdc: Asset, mint: Keypair
) -> None:
    owner = bench.holder(server, usdc)

    assert refusal(server, mint, revoked(owner, usdc)) == ("tx_failed", ["op_cant_revoke"])
    assert line(server, owner)["is_authorized"] is True


def test_nobody_is_authorized_without_a_trustline(server: Server, usdc: Asset, strict: Keypair) -> None:
    assert refusal(server, strict, granted(bench.funded(server), usdc)) == ("tx_failed", ["op_no_trust"])


def test_only_the_issuer_authorizes(server: Server, usdc: Asset, strict: Keypair) -> None:
    owner = bench.holder(server, usdc)

    assert refusal(server, owner, granted(owner, usdc)) == ("tx_failed", ["op_malformed"])
    assert refusal(server, strict, granted(strict, usdc)) == ("tx_failed", ["op_malformed"])
    assert refusal(server, strict, granted(owner, XLM)) == ("tx_failed", ["op_malformed"])


def test_the_older_operation_does_the_same(server: Server, usdc: Asset, strict: Keypair) -> None:
    owner, seen = bench.holder(server, usdc), []
    with pytest.warns(DeprecationWarning, match="SetTrustLineFlags"):
        nobody, *allowances = [
            AllowTrust(Keypair.random().public_key, "USDC", authorize=True),
            *(AllowTrust(owner.public_key, "USDC", flag) for flag in TrustLineEntryFlag),
        ]
    for each in allowances:
        bench.send(server, strict, each)
        seen.append((line(server, owner)["is_authorized"], each.authorize))

    assert seen == [(flag == 1, flag) for flag in TrustLineEntryFlag]
    assert refusal(server, strict, nobody) == ("tx_failed", ["op_no_trustline"])


def test_what_is_immutable_stays(server: Server, mint: Keypair) -> None:
    bench.send(server, mint, SetOptions(set_flags=IMMUTABLE))

    assert refusal(server, mint, SetOptions(set_flags=REQUIRED)) == ("tx_failed", ["op_cant_change"])
    assert refusal(server, mint, SetOptions(clear_flags=IMMUTABLE)) == ("tx_failed", ["op_cant_change"])
    assert bench.send(server, mint, SetOptions(home_domain="example.org"))["successful"] is True


def test_taking_back_needs_the_right_to_revoke(server: Server, mint: Keypair) -> None:
    assert refusal(server, mint, SetOptions(set_flags=CLAWBACK)) == (
        "tx_failed",
        ["op_auth_revocable_required"],
    )
    both = SetOptions(set_flags=REQUIRED, clear_flags=REQUIRED)
    assert refusal(server, mint, both) == ("tx_failed", ["op_bad_flags"])


def test_an_account_that_asks_for_a_memo_is_not_paid_without_one(
    server: Server, usdc: Asset, mint: Keypair
) -> None:
    owner = bench.holder(server, usdc)
    bench.send(server, owner, ManageData("config.memo_required", "1"))
    bare, noted = (bench.built(server, mint, pay(owner, usdc, "1")) for _ in range(2))
    noted.transaction.memo = TextMemo("SLP:OUT001")
    for envelope in (bare, noted):
        envelope.sign(mint)

    with pytest.raises(AccountRequiresMemoError):
        server.submit_transaction(bare)
    server.submit_transaction(noted)

    assert line(server, owner)["balance"] == "1.0000000"


def test_data_is_set_changed_and_taken_away(server: Server) -> None:
    owner, seen = bench.funded(server), []
    for value in (b"one", b"two", None):
        bench.send(server, owner, ManageData("name", value))
        shown = server.accounts().account_id(owner.public_key).call()
        seen.append((shown["data"], shown["subentry_count"]))

    assert seen == [({"name": "b25l"}, 1), ({"name": "dHdv"}, 1), ({}, 0)]
    assert refusal(server, owner, ManageData("name", None)) == ("tx_failed", ["op_data_name_not_found"])
    assert refusal(server, owner, ManageData("", "value")) == ("tx_failed", ["op_data_invalid_name"])


def test_an_account_ends_in_another(server: Server) -> None:
    owner, heir = bench.funded(server), bench.funded(server)

    answer = bench.send(server, owner, AccountMerge(heir.public_key))

    assert bench.balances(server, heir) == {"XLM": "19999.9999900"}
    assert not server.accounts().for_signer(owner.public_key).call()["_embedded"]["records"]
    page = server.operations().for_account(heir.public_key).order(desc=True).limit(1).call()
    record = page["_embedded"]["records"][0]
    assert (record["type"], record["account"], record["into"]) == (
        "account_merge",
        owner.public_key,
        heir.public_key,
    )
    assert record["transaction_hash"] == answer["hash"]


def test_an_account_with_a_trustline_does_not_end(server: Server, usdc: Asset) -> None:
    owner, heir = bench.holder(server, usdc), bench.funded(server)

    merge = AccountMerge(heir.public_key)

    assert refusal(server, owner, merge) == ("tx_failed", ["op_has_sub_entries"])
    assert bench.send(server, owner, ChangeTrust(usdc, "0"), merge)["successful"] is True


@pytest.mark.parametrize("word", ["op_malformed", "op_no_account", "op_immutable_set", "op_seq_num_too_far"])
def test_an_account_that_may_not_end_stays(server: Server, word: str) -> None:
    owner, heir = bench.funded(server), bench.funded(server)
    into = {"op_malformed": owner, "op_no_account": Keypair.random()}.get(word, heir)
    first: list[Operation] = []
    if word == "op_immutable_set":
        first = [SetOptions(set_flags=IMMUTABLE)]
    if word == "op_seq_num_too_far":
        first = [BumpSequence(2**62)]
    operations = [*first, AccountMerge(into.public_key)]

    assert refusal(server, owner, *operations)[1][-1] == word
    assert bench.balances(server, heir) == {"XLM": "10000.0000000"}


def test_an_account_that_keeps_a_reserve_for_others_does_not_end(server: Server) -> None:
    owner, heir = bench.funded(server), bench.funded(server)
    bench.send(server, owner, CreateClaimableBalance(XLM, "1", [Claimant(heir.public_key)]))

    assert refusal(server, owner, AccountMerge(heir.public_key)) == ("tx_failed", ["op_is_sponsor"])
