"""What the ledger says, typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.conf import settings


@dataclass(frozen=True)
class Balance:
    """One balance of an account; the native one has the code XLM and no issuer."""

    code: str
    issuer: str
    amount: Decimal
    asset_type: str

    @property
    def is_ours(self) -> bool:
        return (self.code, self.issuer) == (settings.STELLAR_ASSET_CODE, settings.STELLAR_ASSET_ISSUER)


@dataclass(frozen=True)
class Signer:
    """What signs for an account, with its weight; `kind` is ed25519_public_key where that is a key."""

    key: str
    weight: int
    kind: str


@dataclass(frozen=True)
class Account:
    """An account as it is on the ledger. The next transaction has the number sequence + 1."""

    address: str
    sequence: int
    balances: tuple[Balance, ...]
    signers: tuple[Signer, ...] = ()

    @property
    def xlm(self) -> Decimal:
        return sum((each.amount for each in self.balances if each.asset_type == "native"), Decimal(0))

    @property
    def usdc(self) -> Decimal:
        """What it holds of our asset."""
        return sum((each.amount for each in self.balances if each.is_ours), Decimal(0))

    @property
    def has_trustline(self) -> bool:
        """Whether it can receive our asset. The issuer has none and needs none."""
        return any(each.is_ours for each in self.balances)


@dataclass(frozen=True)
class LedgerTransaction:
    """A transaction in history. `operations` are the codes of one that failed and used its number up.

    `hash` is the one that was asked for; of a fee bump both `outer_hash` and `inner_hash` are known.
    """

    hash: str
    successful: bool
    ledger: int
    created_at: datetime
    envelope_xdr: str
    operations: tuple[str, ...] = ()
    outer_hash: str = ""
    inner_hash: str = ""


@dataclass(frozen=True)
class LedgerPayment:
    """Money that moved by one operation. `cursor` is where the next reading goes on.

    `amount` is None, and the rest of its kind empty, where the record is of a kind that we do not understand.
    """

    id: int
    cursor: str
    kind: str
    transaction_hash: str
    successful: bool
    source: str = ""
    destination: str = ""
    code: str = ""
    issuer: str = ""
    amount: Decimal | None = None
    memo: str = ""

    @property
    def operation_index(self) -> int:
        """Its position in the transaction, from 0."""
        return (self.id & 0xFFF) - 1

    @property
    def ledger(self) -> int:
        return self.id >> 32

    @property
    def is_ours(self) -> bool:
        return (self.code, self.issuer) == (settings.STELLAR_ASSET_CODE, settings.STELLAR_ASSET_ISSUER)


@dataclass(frozen=True)
class ClaimableBalance:
    """Money that waits until one of the claimants fetches it."""

    id: str
    cursor: str
    code: str
    issuer: str
    amount: Decimal
    sponsor: str
    claimants: tuple[str, ...]


@dataclass(frozen=True)
class FeeStats:
    """Fees per operation, in stroops; `charged` has what was paid, by percentile from 10 to 99."""

    base_fee: int
    p90: int
    charged: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerClose:
    """The newest ledger that Horizon shows."""

    sequence: int
    closed_at: datetime
