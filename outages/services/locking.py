"""One outage at a time: whoever changes it holds its lock."""

from collections.abc import Iterable

from apexchainx.errors import Conflict, NotFound, Stale
from outages.models import Outage


def locked(reference: str, *, version: int | None = None) -> Outage:
    """The outage, locked until the transaction ends.

    Raises NotFound, and Stale where it is no longer at the `version` that the caller has seen.
    """
    outage = Outage.objects.select_for_update(of=("self",)).filter(reference=reference).first()
    if outage is None:
        raise NotFound(f"There is no outage {reference}.")
    if version is not None and version != outage.version:
        raise Stale(f"Outage {reference} has changed since you read it; read it again.")
    return outage


def locked_open(reference: str, *, version: int | None = None) -> Outage:
    """As `locked`. Raises Conflict too, where the outage is resolved."""
    outage = locked(reference, version=version)
    if outage.merged_into_id is not None:
        raise Conflict(f"Outage {reference} was merged into another one.")
    if outage.is_resolved:
        raise Conflict(f"Outage {reference} is already resolved.")
    return outage


def lock_all(references: Iterable[str]) -> set[str]:
    """Those of them that exist; locked in primary-key order, so that nobody waits in a circle."""
    rows = Outage.objects.select_for_update(of=("self",)).filter(reference__in=references).order_by("pk")
    return {outage.reference for outage in rows}
