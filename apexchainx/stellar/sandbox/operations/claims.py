"""Claimable balances: set aside by one account, claimed by another."""

from typing import Any

from stellar_sdk import Asset, ClaimClaimableBalance, CreateClaimableBalance
from stellar_sdk.xdr import (
    ClaimableBalanceID,
    ClaimClaimableBalanceResultCode,
    CreateClaimableBalanceResultCode,
)

from apexchainx.stellar.sandbox import claimables, results
from apexchainx.stellar.sandbox.amounts import BASE_RESERVE, as_text
from apexchainx.stellar.sandbox.claimables import Claimable
from apexchainx.stellar.sandbox.documents import moment
from apexchainx.stellar.sandbox.operations import holdings
from apexchainx.stellar.sandbox.place import Place
from apexchainx.stellar.sandbox.predicates import described, is_met, is_sound
from apexchainx.stellar.sandbox.results import OperationOutcome


def check_creation(operation: CreateClaimableBalance, _source: str) -> CreateClaimableBalanceResultCode:
    destinations = {each.destination for each in operation.claimants}
    is_valid = (
        holdings.stroops_of(operation.amount) > 0
        and 0 < len(destinations) == len(operation.claimants)
        and all(is_sound(each.predicate) for each in operation.claimants)
    )
    codes = CreateClaimableBalanceResultCode
    return codes.CREATE_CLAIMABLE_BALANCE_SUCCESS if is_valid else codes.CREATE_CLAIMABLE_BALANCE_MALFORMED


def create(
    operation: CreateClaimableBalance, place: Place
) -> CreateClaimableBalanceResultCode | OperationOutcome:
    asset, stroops = operation.asset, holdings.stroops_of(operation.amount)
    refusal = _refuse_source(operation, place, stroops)
    if refusal is not None:
        return refusal
    holdings.move(place, place.source, asset, -stroops)
    id_ = place.envelope.transaction.get_claimable_balance_id(place.index)
    count, name = len(operation.claimants), "native" if asset.is_native() else f"{asset.code}:{asset.issuer}"
    document = _document(id_, name, operation, place)
    claimables.add(place.store, Claimable(place.id, id_, name, stroops, place.source, count, document))
    return results.operation(
        CreateClaimableBalanceResultCode.CREATE_CLAIMABLE_BALANCE_SUCCESS,
        balance_id=ClaimableBalanceID.from_xdr_bytes(bytes.fromhex(id_)),
    )


def check_claim(_operation: ClaimClaimableBalance, _source: str) -> ClaimClaimableBalanceResultCode:
    return ClaimClaimableBalanceResultCode.CLAIM_CLAIMABLE_BALANCE_SUCCESS


def claim(operation: ClaimClaimableBalance, place: Place) -> ClaimClaimableBalanceResultCode:
    codes = ClaimClaimableBalanceResultCode
    claimable = claimables.one(place.store, operation.balance_id)
    if claimable is None:
        return codes.CLAIM_CLAIMABLE_BALANCE_DOES_NOT_EXIST
    predicates = {each["destination"]: each["predicate"] for each in claimable.document["claimants"]}
    predicate = predicates.get(place.source)
    if predicate is None or not is_met(predicate, place.ledger.closed_at):
        return codes.CLAIM_CLAIMABLE_BALANCE_CANNOT_CLAIM
    asset = _asset(claimable.asset)
    holding = holdings.of(place, place.source, asset)
    if not holding.exists:
        return codes.CLAIM_CLAIMABLE_BALANCE_NO_TRUST
    if not holding.is_authorized:
        return codes.CLAIM_CLAIMABLE_BALANCE_NOT_AUTHORIZED
    if claimable.stroops > holding.room:
        return codes.CLAIM_CLAIMABLE_BALANCE_LINE_FULL
    holdings.move(place, place.source, asset, claimable.stroops)
    claimables.drop(place.store, claimable)
    return codes.CLAIM_CLAIMABLE_BALANCE_SUCCESS


def _refuse_source(
    operation: CreateClaimableBalance, place: Place, stroops: int
) -> CreateClaimableBalanceResultCode | None:
    """The source holds a reserve for each claimant; of its XLM the amount is gone by then."""
    holding, codes = holdings.of(place, place.source, operation.asset), CreateClaimableBalanceResultCode
    if not holding.exists:
        return codes.CREATE_CLAIMABLE_BALANCE_NO_TRUST
    if not holding.is_authorized:
        return codes.CREATE_CLAIMABLE_BALANCE_NOT_AUTHORIZED
    if stroops > holding.available:
        return codes.CREATE_CLAIMABLE_BALANCE_UNDERFUNDED
    spent = stroops if operation.asset.is_native() else 0
    needed = len(operation.claimants) * BASE_RESERVE
    is_poor = place.account().available - spent < needed
    return codes.CREATE_CLAIMABLE_BALANCE_LOW_RESERVE if is_poor else None


def _document(id_: str, asset: str, operation: CreateClaimableBalance, place: Place) -> dict[str, Any]:
    claimants = [
        {
            "destination": each.destination,
            "predicate": described(each.predicate, since=place.ledger.closed_at),
        }
        for each in operation.claimants
    ]
    return {
        "id": id_,
        "asset": asset,
        "amount": as_text(holdings.stroops_of(operation.amount)),
        "sponsor": place.source,
        "last_modified_ledger": place.ledger.sequence,
        "last_modified_time": moment(place.ledger.closed_at),
        "claimants": claimants,
        "flags": {"clawback_enabled": False},
        "paging_token": str(place.id),
    }


def _asset(name: str) -> Asset:
    code, _, issuer = name.partition(":")
    return Asset(code, issuer) if issuer else Asset.native()
