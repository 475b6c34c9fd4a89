"""Register who can be paid, let a second person approve it, and know what the ledger says."""

import re
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from apexchainx import context
from apexchainx.errors import Conflict, Invalid, NotFound, NotReady, Refused, Unavailable
from apexchainx.stellar import horizon, keys
from audit.events import Event
from audit.log import record
from wallets.models import KEY, Kind, Owner, Status, Wallet


@dataclass(frozen=True)
class Sighting:
    """A wallet with what is known of its balance; an address that nobody registered is an unsaved row."""

    wallet: Wallet
    is_live: bool = False


@transaction.atomic
def create_owner(*, key: str, name: str, kind: str) -> Owner:
    """Raises Invalid for a bad key, name or kind, and Conflict for a taken key."""
    if not re.fullmatch(KEY, key):
        raise Invalid("key", "Up to 64 letters, digits, hyphens and underscores.")
    if keys.looks_like_secret(f"{key} {name}"):
        raise Invalid("key", "A secret key must never be sent.")
    if not name.strip():
        raise Invalid("name", "Give a name.")
    if kind not in Kind.values:
        raise Invalid("kind", f"One of {', '.join(Kind.values)}.", allowed_values=Kind.values)
    try:
        with transaction.atomic():
            owner = Owner.objects.create(key=key, name=name.strip(), kind=kind)
    except IntegrityError as error:
        raise Conflict(f"There is an owner {key} already.", code="OWNER_EXISTS") from error
    record(Event.OWNER_CREATED, f"owner:{key}", owner=key, name=owner.name, kind=kind)
    return owner


@transaction.atomic
def register(owner_key: str, *, address: str) -> Wallet:
    """The owner's address, to be approved by somebody else before money goes there.

    Raises Invalid for what is no address, NotReady for an unknown owner, and Conflict where the owner has a
    wallet or the address belongs to another one.
    """
    refuse_secrets(owner_key, address)
    refuse_non_address(address)
    owner = Owner.objects.select_for_update().filter(key=owner_key).first()
    if owner is None:
        raise NotReady(f"There is no owner {owner_key}; a manager creates it first.", code="OWNER_UNKNOWN")
    try:
        with transaction.atomic():
            wallet = Wallet.objects.create(owner=owner, address=address, registered_by=context.current().actor)
    except IntegrityError as error:
        raise _taken(owner_key, error) from error
    record(Event.WALLET_REGISTERED, f"wallet:{owner_key}", owner=owner_key, address=address)
    return wallet


@transaction.atomic
def approve(owner_key: str) -> Wallet:
    """From here on money may go to the wallet.

    Raises NotFound, Conflict where it does not wait for approval, and Refused for whoever registered it, unless
    they act by command on the machine itself.
    """
    wallet = Wallet.objects.select_for_update(of=("self",)).select_related("owner").of(owner_key).first()
    if wallet is None:
        raise NotFound(f"{owner_key} has no wallet.")
    if wallet.status != Status.REGISTERED:
        raise Conflict(f"The wallet of {owner_key} is {wallet.status} already.")
    here = context.current()
    if here.actor == wallet.registered_by and here.source != "command":
        raise Refused("Whoever registered a wallet cannot approve it.", code="SECOND_PERSON_NEEDED")
    wallet.status, wallet.approved_by, wallet.approved_at = Status.APPROVED, here.actor, timezone.now()
    wallet.save(update_fields=["status", "approved_by", "approved_at"])
    record(Event.WALLET_APPROVED, f"wallet:{owner_key}", owner=owner_key, address=wallet.address)
    return wallet


def refresh_balance(address: str) -> Wallet:
    """What the ledger says now, kept where the address is registered; call it with no transaction open.

    An address that nobody registered comes back as an unsaved row. Raises Unavailable.
    """
    asked_at = timezone.now()
    account = horizon.account(address)
    said: dict[str, Any] = {"is_funded": False, "has_trustline": False, "usdc": 0, "xlm": 0, "fetched_at": asked_at}
    if account is not None:
        said |= {"is_funded": True, "has_trustline": account.has_trustline}
        said |= {"usdc": account.usdc, "xlm": account.xlm}
    Wallet.objects.filter(
        Q(fetched_at__isnull=True) | Q(fetched_at__lt=asked_at), address=address
    ).update(**said)
    return Wallet.objects.select_related("owner").filter(address=address).first() or Wallet(address=address, **said)


def balance(address: str, *, refresh: bool = False) -> Sighting:
    """Cached for registered addresses; while the ledger is down, the last that is known.

    Raises Invalid for what is no address, NotFound where the ledger has no such account, and Unavailable where
    nothing is known.
    """
    refuse_non_address(address)
    known = Wallet.objects.select_related("owner").filter(address=address).first()
    seen = _look(known or Wallet(address=address), refresh=refresh)
    if seen.wallet.fetched_at is None:
        raise Unavailable("The ledger does not answer, and nothing is known yet.", code="STELLAR_TIMEOUT")
    if not seen.wallet.is_funded:
        raise NotFound("The ledger has no such account.", code="ACCOUNT_NOT_FOUND")
    return seen


def wallet_of(owner_key: str, *, refresh: bool = False) -> Sighting:
    """Raises NotFound; and Unavailable only where `refresh` asks for what nobody knows."""
    wallet = Wallet.objects.select_related("owner").of(owner_key).first()
    if wallet is None:
        raise NotFound("There is no such wallet.")
    seen = _look(wallet, refresh=refresh)
    if refresh and seen.wallet.fetched_at is None:
        raise Unavailable("The ledger does not answer, and nothing is known yet.", code="STELLAR_TIMEOUT")
    return seen


def refuse_secrets(*texts: str) -> None:
    """The message does not repeat what it refuses."""
    if any(keys.looks_like_secret(text) for text in texts):
        raise Invalid("address", "This contains a secret key. Secret keys are never accepted here.")


def refuse_non_address(text: str) -> None:
    if not keys.is_address(text):
        raise Invalid("address", "This is not a Stellar account address.")


def _look(wallet: Wallet, *, refresh: bool) -> Sighting:
    if wallet.is_fresh and not refresh:
        return Sighting(wallet)
    try:
        return Sighting(refresh_balance(wallet.address), is_live=True)
    except Unavailable:
        return Sighting(wallet)


def _taken(owner_key: str, error: IntegrityError) -> Conflict:
    if "wallets_one_owner_per_address" in str(error):
        return Conflict("This address belongs to another owner.", code="ADDRESS_TAKEN")
    return Conflict(f"{owner_key} has a wallet already.", code="WALLET_EXISTS")
