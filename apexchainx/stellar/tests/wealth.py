"""Random transactions of a few accounts, and how much there must be after each of them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from stellar_sdk import (
    Account,
    AccountMerge,
    Asset,
    BumpSequence,
    ChangeTrust,
    Claimant,
    ClaimClaimableBalance,
    ClaimPredicate,
    CreateAccount,
    CreateClaimableBalance,
    FeeBumpTransaction,
    FeeBumpTransactionEnvelope,
    Keypair,
    ManageData,
    Payment,
    SetOptions,
    SetTrustLineFlags,
    Signer,
    TransactionBuilder,
    TransactionEnvelope,
)
from stellar_sdk.operation import Operation
from stellar_sdk.operation.set_trust_line_flags import TrustLineFlags

from apexchainx.stellar.sandbox import PASSPHRASE
from apexchainx.stellar.sandbox.amounts import MAXIMUM, UNIT, as_text
from apexchainx.stellar.sandbox.place import source_of
from apexchainx.stellar.sandbox.store import Store
from apexchainx.stellar.sandbox.submission import Submission
from apexchainx.stellar.tests.bench import burn, pay

OWNERS = [Keypair.from_raw_ed25519_seed(bytes([each]) * 32) for each in range(1, 6)]
ISSUER, *HOLDERS = OWNERS
STRANGERS = [Keypair.from_raw_ed25519_seed(bytes([each]) * 32) for each in range(6, 8)]
EVERYBODY = OWNERS + STRANGERS
USDC, XLM = Asset("USDC", ISSUER.public_key), Asset.native()
AMOUNTS = (0, 1, UNIT, 30 * UNIT, 9_999 * UNIT, 20_000 * UNIT, MAXIMUM)


class Gift(NamedTuple):
    """A claimable balance, one of its claimants, and how much USDC it holds."""

    id: str
    taker: str
    stroops: int


class Wish(NamedTuple):
    """An operation in numbers: its kind, who acts, on whom, and with how much."""

    kind: str
    actor: int
    other: int
    amount: int

    @property
    def source(self) -> Keypair:
        return OWNERS[self.actor % len(OWNERS)]

    @property
    def name(self) -> str:
        return self.source.public_key

    @property
    def target(self) -> Keypair:
        return EVERYBODY[self.other % len(EVERYBODY)]

    @property
    def heir(self) -> str:
        return HOLDERS[self.other % len(HOLDERS)].public_key

    @property
    def text(self) -> str:
        return as_text(self.amount)


def operation(wish: Wish, gifts: Sequence[Gift]) -> Operation:
    if wish.kind == "claim":
        gift = gifts[-1 - wish.other % min(len(gifts), 6)] if gifts else Gift("0" * 72, wish.name, 0)
        return ClaimClaimableBalance(gift.id, wish.name if wish.amount % 4 == 0 else gift.taker)
    return MAKERS[wish.kind](wish)


def _gift(wish: Wish, asset: Asset) -> CreateClaimableBalance:
    when = ClaimPredicate.predicate_before_absolute_time(min(wish.other % 4, 1) * 4_000_000_000)
    takers = [Claimant(wish.target.public_key, when), Claimant(wish.heir)]
    return CreateClaimableBalance(asset, wish.text, takers[: 1 + wish.other % 3 // 2], wish.name)


def _signer(wish: Wish) -> SetOptions:
    key = Signer.ed25519_public_key(wish.target.public_key, wish.other % 2)
    return SetOptions(signer=key, source=wish.name)


def _grant(wish: Wish) -> SetTrustLineFlags:
    flag, issuer = TrustLineFlags.AUTHORIZED_FLAG, ISSUER.public_key
    return SetTrustLineFlags(wish.target.public_key, USDC, set_flags=flag, source=issuer)


MAKERS: dict[str, Callable[[Wish], Operation]] = {
    "pay": lambda wish: pay(wish.target, USDC, wish.text, wish.source),
    "pay native": lambda wish: pay(wish.target, XLM, wish.text, wish.source),
    "mint": lambda wish: pay(wish.target, USDC, wish.text, ISSUER),
    "burn": lambda wish: burn(USDC, wish.text, wish.source),
    "trust": lambda wish: ChangeTrust(USDC, [None, None, wish.text, "0"][wish.other % 4], wish.name),
    "give": lambda wish: _gift(wish, USDC),
    "give native": lambda wish: _gift(wish, XLM),
    "create": lambda wish: CreateAccount(wish.target.public_key, wish.text, wish.name),
    "merge": lambda wish: AccountMerge(wish.heir, STRANGERS[wish.other % 2].public_key),
    "bump": lambda wish: BumpSequence(wish.amount % 2**42, wish.name),
    "signer": _signer,
    "thresholds": lambda wish: SetOptions(
        med_threshold=wish.other % 3, low_threshold=wish.other % 2, source=wish.name
    ),
    "grant": _grant,
    "data": lambda wish: ManageData(f"name {wish.other % 3}", [None, b"value"][wish.amount % 2], wish.name),
}
KINDS = (*MAKERS, "claim", "claim", *["pay"] * 5, *["pay native"] * 3, *["mint"] * 4, *["burn"] * 3)


def envelope(
    wishes: Sequence[Wish], store: Store, gifts: Sequence[Gift], *, behind: int, helper: int
) -> TransactionEnvelope:
    """Signed by whom it acts for, and by one more where `helper` is one; its number may be `behind`."""
    source = wishes[0].source
    account = store.account(source.public_key)
    number = account.sequence - behind if account else 0
    builder = TransactionBuilder(Account(source.public_key, number), PASSPHRASE).add_time_bounds(0, 0)
    for wish in wishes:
        builder.append_operation(operation(wish, gifts))
    built = builder.build()
    needed = {source.public_key, *(source_of(each, built) for each in built.transaction.operations)}
    if helper < len(EVERYBODY):
        needed.add(EVERYBODY[helper].public_key)
    digest = built.hash()
    built.signatures = [each.sign_decorated(digest) for each in EVERYBODY if each.public_key in needed]
    return built


def bump(inner: TransactionEnvelope, payer: int, offer: int) -> FeeBumpTransactionEnvelope:
    fee = offer * (len(inner.transaction.operations) + 1)
    bumped = FeeBumpTransactionEnvelope(FeeBumpTransaction(OWNERS[payer], fee, inner), PASSPHRASE)
    bumped.sign(OWNERS[payer])
    return bumped


def issued(submission: Submission, claimed: dict[str, int]) -> int:
    """What a successful transaction adds to the USDC that there is; `claimed`: what each gift is worth."""
    change = 0
    for each in submission.inner.transaction.operations:
        is_issuers = source_of(each, submission.inner) == ISSUER.public_key
        if isinstance(each, Payment) and each.asset == USDC:
            amount = Operation.to_xdr_amount(each.amount)
            change += amount * is_issuers - amount * (each.destination.account_id == ISSUER.public_key)
        elif isinstance(each, CreateClaimableBalance) and each.asset == USDC:
            change += Operation.to_xdr_amount(each.amount) * is_issuers
        elif isinstance(each, ClaimClaimableBalance):
            change -= claimed.get(each.balance_id, 0) * is_issuers
    return change
