"""Why an outage happened, version by version, and what is done so that it does not happen again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apexchainx import context
from apexchainx.errors import Conflict, NotFound
from audit.events import Event
from audit.log import record, record_all
from outages.models import FollowUp, Outage, RootCauseAnalysis
from outages.services.locking import locked
from outages.services.recurrence import mark_recurrence

Status = RootCauseAnalysis.Status


@dataclass(frozen=True, slots=True)
class Promise:
    """What somebody will do, and by when."""

    action: str
    owner: str
    due_on: date


@transaction.atomic
def analyse(
    reference: str,
    *,
    root_cause: str,
    contributing_factors: Sequence[str] = (),
    remediation: str = "",
    follow_ups: Sequence[Promise] = (),
    is_draft: bool = False,
) -> RootCauseAnalysis:
    """The next version of a resolved outage's analysis; a published one states the outage's root cause.

    A follow-up that the outage has already is not added again. Raises NotFound, and Conflict for an outage
    that is open or was merged into another one.
    """
    outage = locked_resolved(reference)
    analysis = write(
        outage,
        root_cause=root_cause,
        contributing_factors=contributing_factors,
        remediation=remediation,
        status=Status.DRAFT if is_draft else Status.PUBLISHED,
    )
    promise_all(outage, follow_ups)
    return analysis


@transaction.atomic
def publish(reference: str, *, version: int | None = None) -> RootCauseAnalysis:
    """A draft's content as the next, published version; the newest where no `version` is named.

    Raises as `analyse` does, and Conflict where that version is published already.
    """
    outage = locked_resolved(reference)
    draft = version_of(outage, version)
    if draft.status == Status.PUBLISHED:
        raise Conflict(f"Version {draft.version} of this analysis is published already.")
    return write(
        outage,
        root_cause=draft.root_cause,
        contributing_factors=draft.contributing_factors,
        remediation=draft.remediation,
        status=Status.PUBLISHED,
    )


@transaction.atomic
def mark_done(reference: str, number: int, *, is_done: bool) -> FollowUp:
    """A follow-up, done or open again; what is so already stays as it is. Raises NotFound."""
    outage = locked(reference)
    item = outage.follow_ups.filter(number=number).first()
    if item is None:
        raise NotFound(f"Outage {reference} has no follow-up {number}.")
    if item.is_done == is_done:
        return item
    item.done_at = timezone.now() if is_done else None
    item.done_by = context.current().actor if is_done else ""
    item.save(update_fields=("done_at", "done_by"))
    event = Event.FOLLOW_UP_DONE if is_done else Event.FOLLOW_UP_REOPENED
    record(event, outage.stream, stream=outage.stream, **said(item, outage))
    return item


def locked_resolved(reference: str) -> Outage:
    outage = locked(reference)
    if outage.merged_into is not None:
        raise Conflict(
            f"Outage {reference} was merged into {outage.merged_into.reference}; the analysis belongs there."
        )
    if not outage.is_resolved:
        raise Conflict(f"Outage {reference} is not resolved yet; its analysis comes after that.")
    return outage


def version_of(outage: Outage, version: int | None) -> RootCauseAnalysis:
    """The newest where none is named."""
    wanted = {} if version is None else {"version": version}
    found = outage.analyses.filter(**wanted).first()
    if found is None:
        raise unknown(outage.reference, version)
    return found


def published(reference: str, *, version: int | None = None) -> RootCauseAnalysis:
    """The newest one that is published, or any `version`. Raises NotFound."""
    versions = RootCauseAnalysis.objects.of(reference)
    found = (versions.published() if version is None else versions.filter(version=version)).first()
    if found is None:
        raise unknown(reference, version)
    return found


def unknown(reference: str, version: int | None) -> NotFound:
    which = "published root cause analysis" if version is None else f"version {version} of an analysis"
    return NotFound(f"Outage {reference} has no {which}.")


def write(
    outage: Outage, *, root_cause: str, contributing_factors: Sequence[str], remediation: str, status: Status
) -> RootCauseAnalysis:
    newest = outage.analyses.first()
    analysis = RootCauseAnalysis.objects.create(
        outage=outage,
        version=newest.version + 1 if newest else 1,
        status=status,
        root_cause=root_cause,
        contributing_factors=list(contributing_factors),
        remediation=remediation,
        created_by=context.current().actor,
    )
    event = Event.RCA_PUBLISHED if status == Status.PUBLISHED else Event.RCA_DRAFTED
    data = {"outage_id": outage.reference, "version": analysis.version, "root_cause": root_cause}
    record(event, outage.stream, stream=outage.stream, **data)
    if status == Status.PUBLISHED:
        outage.root_cause = root_cause
        outage.store("root_cause")
        mark_recurrence(outage)
    return analysis


def promise_all(outage: Outage, promises: Sequence[Promise]) -> None:
    kept = {Promise(*row) for row in outage.follow_ups.values_list("action", "owner", "due_on")}
    new = [promise for promise in dict.fromkeys(promises) if promise not in kept]
    last = outage.follow_ups.aggregate(last=Max("number"))["last"] or 0
    items = FollowUp.objects.bulk_create(
        FollowUp(
            outage=outage,
            number=number,
            action=promise.action,
            owner=promise.owner,
            due_on=promise.due_on,
            created_by=context.current().actor,
        )
        for number, promise in enumerate(new, last + 1)
    )
    record_all((Event.FOLLOW_UP_ADDED, outage.stream, outage.stream, said(item, outage)) for item in items)


def said(item: FollowUp, outage: Outage) -> dict[str, object]:
    """What every event about a follow-up says."""
    return {
        "outage_id": outage.reference,
        "number": item.number,
        "action": item.action,
        "owner": item.owner,
        "due_on": item.due_on.isoformat(),
    }
