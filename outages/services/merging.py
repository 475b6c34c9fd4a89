"""Two reports of one outage become one."""

from django.db import transaction
from django.utils import timezone

from apexchainx import context
from apexchainx.errors import Conflict, Invalid, NotReady
from audit.events import Event
from outages.models import Fact, Outage
from outages.services.locking import lock_all, locked_open
from outages.services.stating import state_fact, tell


@transaction.atomic
def merge(reference: str, *, into: str, version: int | None = None) -> Outage:
    """End a duplicate without result or payment; what it was about goes on as `into`.

    The duplicate is resolved but was not measured, so its clock gets no fact of it. Where it was detected
    first, the other one's detection is corrected. Raises as `locked_open` does for both, Invalid for an
    outage into itself, NotReady for one that does not exist, Conflict where others were merged into it.
    """
    known = lock_all((reference, into))
    duplicate = locked_open(reference, version=version)
    if into == reference:
        raise Invalid("into", "An outage is no duplicate of itself; name another one.")
    if into not in known:
        raise NotReady(f"There is no outage {into} to merge into.", details={"field": "into"})
    target = locked_open(into)
    refuse_chain(duplicate, into)

    duplicate.state, duplicate.resolved_at = Outage.State.RESOLVED, timezone.now()
    duplicate.resolved_by, duplicate.paused_at = context.current().actor, None
    duplicate.merged_into = target
    duplicate.store("state", "resolved_at", "resolved_by", "paused_at", "merged_into")
    tell(Event.OUTAGE_MERGED, duplicate, merged_into=into)
    tell(Event.OUTAGE_ABSORBED, target, duplicate=reference)
    correct_earlier(target, duplicate)
    return duplicate


def refuse_chain(duplicate: Outage, into: str) -> None:
    absorbed = list(duplicate.duplicates.order_by("pk").values_list("reference", flat=True))
    if absorbed:
        raise Conflict(
            f"Outage {duplicate.reference} has duplicates of its own: {', '.join(absorbed)}. "
            f"Merge {into} into {duplicate.reference} instead.",
            details={"duplicates": absorbed},
        )


def correct_earlier(target: Outage, duplicate: Outage) -> None:
    """What two reports are about began with the earlier one; the clock keeps when that became known."""
    before = target.detected_at
    if duplicate.detected_at >= before:
        target.store()
        return
    reason = f"merged {duplicate.reference}: detected earlier"
    state_fact(target, Fact.Kind.DETECTED, detail=reason, occurred_at=duplicate.detected_at)
    target.detected_at = duplicate.detected_at
    target.store("detected_at")
    correction = {"from": before, "to": target.detected_at}
    tell(Event.OUTAGE_DETECTION_CORRECTED, target, reason=reason, **correction)
