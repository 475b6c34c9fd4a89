"""What an account holds of an asset: all operations that move one share these steps.

The issuer holds its own asset without end: what comes from it is minted, what goes to it is burned.
"""

from dataclasses import dataclass

from stellar_sdk import Asset
from stellar_sdk.operation import Operation

from apexchainx.stellar.sandbox.amounts import MAXIMUM
from apexchainx.stellar.sandbox.place import Place
from apexchainx.stellar.sandbox.store import Account


@dataclass(frozen=True)
class Holding:
    """What an account may spend and take of an asset, in stroops."""

    exists: bool
    is_authorized: bool
    available: int
    room: int


ABSENT = Holding(exists=False, is_authorized=False, available=0, room=0)
ENDLESS = Holding(exists=True, is_authorized=True, available=MAXIMUM, room=MAXIMUM)


def of(place: Place, address: str, asset: Asset) -> Holding:
    """Of an account that exists."""
    if address == asset.issuer:
        return ENDLESS
    if asset.is_native():
        account = place.store.account(address)
        return _native(account) if account else ABSENT
    line = place.store.line(address, *name(asset))
    if line is None:
        return ABSENT
    return Holding(True, line.is_authorized, line.balance, line.ceiling - line.balance)


def move(place: Place, address: str, asset: Asset, stroops: int) -> None:
    """Add to what the account holds, or take from it; nothing happens to the issuer."""
    modified = place.ledger.sequence
    if asset.is_native():
        place.store.move(address, stroops, modified=modified)
    elif address != asset.issuer:
        place.store.move_line(address, *name(asset), stroops, modified=modified)


def stroops_of(amount: str) -> int:
    return Operation.to_xdr_amount(amount)


def name(asset: Asset) -> tuple[str, str]:
    return asset.code, asset.issuer or ""


def _native(account: Account) -> Holding:
    return Holding(True, True, account.available, MAXIMUM - account.balance)
