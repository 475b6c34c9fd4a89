"""Register who can be paid, let a second person approve it, and know what the ledger says."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from apexchainx import context
from apexchainx.errors import Conflict, Invalid, NotFound, NotReady, Refused, Unavailable
from apexchainx.stellar import horizon, keys
from audit.events import Event
from audit.log import record
from wallets.models import KEY, Kind, Owner, Status, Wallet


@dataclass(frozen=True, slots=True)
class Sighting:
    """A wallet with what is known of its balance; an address that nobody registered is an unsaved row."""

    wallet: Wallet
    is_live: bool = False

    @property
    def cache_status(self) -> str:
        return "live" if self.is_live else self.wallet.cache_status


@transaction.atomic
def create_owner(*, key: str, name: str, kind: str) -> Owner:
    """Raises Invalid for a bad key, name or kind, and Conflict for a taken key."""
    refuse_secrets("key", key)
    if not re.fullmatch(KEY, key):
        raise Invalid("key", "Up to 64 letters, digits, hyphens and underscores.")
    name = name.strip()
    _refuse_bad_party(name, kind)
    try:
        with transaction.atomic():
            owner = Owner.objects.create(key=key, name=name, kind=kind)
    except IntegrityError as error:
        raise Conflict(f"There is an owner {key} already.", code="OWNER_EXISTS") from error
    record(Event.OWNER_CREATED, f"owner:{key}", owner=key, name=name, kind=kind)
    return owner


@transaction.atomic
def change_owner(key: str, *, name: str, kind: str) -> Owner:
    """The key stays: payments name it. Raises NotFound, and Invalid for a bad name or kind."""
    owner = Owner.objects.select_for_update().filter(key=key).first()
    if owner is None:
        raise NotFound("There is no such owner.")
    name = name.strip()
    _refuse_bad_party(name, kind)
    if (owner.name, owner.kind) == (name, kind):
        return owner
    owner.name, owner.kind = name, kind
    owner.save(update_fields=["name", "kind"])
    record(Event.OWNER_CHANGED, f"owner:{key}", owner=key, name=name, kind=kind)
    return owner


@transaction.atomic
def register(owner_key: str, *, address: str) -> Wallet:
    """The owner's address, to be approved by somebody else before money goes there.

    Raises Invalid for what is no address, NotReady for an unknown owner, and Conflict where the owner has a
    wallet or the address belongs to another one.
    """
    refuse_secrets("entity_id", owner_key)
    refuse_non_address(address)
    owner = Owner.objects.select_for_update().filter(key=owner_key).first()
    if owner is None:
        raise NotReady(f"There is no owner {owner_key}; a manager creates it first.", code="OWNER_UNKNOWN")
    try:
        with transaction.atomic():
            wallet = Wallet.objects.create(
                owner=owner, address=address, registered_by=context.current().actor
            )
    except IntegrityError as error:
        raise _taken(owner_key, error) from error
    record(Event.WALLET_REGISTERED, f"wallet:{owner_key}", owner=owner_key, address=address)
    return wallet


@transaction.atomic
def approve(owner_key: str) -> Wallet:
    """From here on money may go to the wallet.

    Raises NotFound, Conflict where it does not wait for approval, and Refused for whoever registered it,
    unless they act by command on the machine itself.
    """
    wallet = Wallet.objects.select_for_update(of=("self",)).select_related("owner").of(owner_key).first()
    if wallet is None:
        raise NotFound("There is no such wallet.")
    if wallet.status != Status.REGISTERED:
        raise Conflict(f"The wallet of {owner_key} is {wallet.status} already.")
    here = context.current()
    if here.actor == wallet.registered_by and here.source != "command":
        raise Refused("Whoever registered a wallet cannot approve it.", code="SECOND_PERSON_NEEDED")
    wallet.status, wallet.approved_by, wallet.approved_at = Status.APPROVED, here.actor, timezone.now()
    wallet.save(update_fields=["status", "approved_by", "approved_at"])
    record(Event.WALLET_APPROVED, f"wallet:{owner_key}", owner=owner_key, address=wallet.address)
    return wallet


def balance(address: str, *, refresh: bool = False) -> Sighting:
    """Cached for registered addresses; while the ledger is down, the last that is known.

    Call it with no transaction open. Raises Invalid for what is no address, NotFound where the ledger has no
    such account, and Unavailable where nothing is known.
    """
    refuse_non_address(address)
    known = Wallet.objects.select_related("owner").filter(address=address).first()
    seen = _look(known or Wallet(address=address), refresh=refresh)
    if seen.wallet.fetched_at is None:
        raise _unknown()
    if not seen.wallet.is_funded:
        raise NotFound("The ledger has no such account.", code="ACCOUNT_NOT_FOUND")
    return seen


def wallet_of(owner_key: str, *, refresh: bool = False) -> Sighting:
    """The owner's wallet with what the ledger says, or said last.

    Call it with no transaction open. Raises NotFound, and Unavailable only where `refresh` asks for what
    nobody knows.
    """
    wallet = Wallet.objects.select_related("owner").of(owner_key).first()
    if wallet is None:
        raise NotFound("There is no such wallet.")
    seen = _look(wallet, refresh=refresh)
    if refresh and seen.wallet.fetched_at is None:
        raise _unknown()
    return seen


def refresh_balance(address: str) -> Wallet:
    """What the ledger says now, kept where the address is registered; call it with no transaction open.

    An address that nobody registered comes back as an unsaved row. Raises Unavailable.
    """
    asked_at = timezone.now()
    account = horizon.account(address)
    said = {
        "is_funded": account is not None,
        "has_trustline": account.has_trustline if account else False,
        "usdc": account.usdc if account else Decimal(0),
        "xlm": account.xlm if account else Decimal(0),
        "fetched_at": asked_at,
    }
    older = Q(fetched_at__isnull=True) | Q(fetched_at__lt=asked_at)
    Wallet.objects.filter(older, address=address).update(**said)
    return Wallet.objects.select_related("owner").filter(address=address).first() or Wallet(
        address=address, **said
    )


def refuse_secrets(field: str, given: object) -> None:
    """Raises Invalid, without repeating it, where anything in `given` has the form of a secret key."""
    if keys.looks_like_secret(str(given)):
        raise Invalid(field, "This contains a secret key. Secret keys are never accepted here.")


def refuse_non_address(text: str) -> None:
    if not keys.is_address(text):
        raise Invalid("address", "This is not a Stellar account address.")


def _refuse_bad_party(name: str, kind: str) -> None:
    refuse_secrets("name", name)
    if not name:
        raise Invalid("name", "Give a name.")
    if kind not in Kind.values:
        raise Invalid("kind", f"One of {', '.join(Kind.values)}.", allowed_values=Kind.values)


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


def _unknown() -> Unavailable:
    return Unavailable("The ledger does not answer, and nothing is known yet.", code="STELLAR_TIMEOUT")
