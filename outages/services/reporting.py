"""New outages, and the first facts of their clocks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apexchainx import context
from apexchainx.bulk import insert
from apexchainx.errors import Conflict, NotReady
from audit.events import Event
from audit.log import record_all
from outages.models import Fact, Outage
from wallets.models import Owner


def told(outage: Outage) -> dict[str, Any]:
    """What every event about an outage says."""
    return {
        "outage_id": outage.reference,
        "site_name": outage.site_name,
        "severity": outage.severity,
        "status": outage.status,
        "detected_at": outage.detected_at,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody says of a new outage; `team` and `operator` are keys of owners.

    One that is over says both when it ended and the minutes that counted.
    """

    site_name: str
    severity: str
    reference: str = ""
    site_id: str = ""
    region: str = ""
    description: str = ""
    affected_services: Sequence[str] = ()
    affected_subscribers: int | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    assigned_to: str = ""
    team: str = ""
    operator: str = ""
    root_cause: str = ""
    resolution_notes: str = ""
    detected_at: datetime | None = None
    resolved_at: datetime | None = None
    mttr_minutes: int | None = None
    source: str = ""
    fingerprint: str = ""
    alarm_started_at: datetime | None = None


def create(report: Report) -> Outage:
    """A new outage, active from its detection: now, where the report does not say or is ahead of our clock.

    Raises Conflict for a reference that is taken, NotReady for an owner that does not exist.
    """
    return create_all([report])[0]


@transaction.atomic
def create_all(reports: Sequence[Report]) -> list[Outage]:
    """New outages, all or none, with one statement for each kind of row. Raises as `create` does."""
    owners, now = owners_of(reports), timezone.now()
    try:
        with transaction.atomic():
            outages = [reported(report, owners, now=now) for report in reports]
            # First those with an id of their own: what the database numbers skips what is taken.
            insert([outage for outage in outages if not is_numbered(outage)])
            insert([outage for outage in outages if is_numbered(outage)])
    except IntegrityError as error:
        raise taken(reports) from error
    insert([fact for outage in outages for fact in first_facts(outage)])
    record_all(
        (event, outage.stream, outage.stream, data) for outage in outages for event, data in begun(outage)
    )
    return outages


def is_numbered(outage: Outage) -> bool:
    """Whether the database gives the id."""
    value: object = outage.reference
    return not isinstance(value, str)


def begun(outage: Outage) -> list[tuple[Event, dict[str, Any]]]:
    """What there is to say of a new outage, with its end where that is known already."""
    facts = [(Event.OUTAGE_CREATED, told(outage))]
    if outage.is_resolved:
        end = {"resolved_at": outage.resolved_at, "mttr_minutes": outage.mttr_minutes}
        facts.append((Event.OUTAGE_RESOLVED, {**told(outage), **end}))
    return facts


def reported(report: Report, owners: Mapping[str, Owner], *, now: datetime) -> Outage:
    here = context.current()
    outage = Outage(
        site_name=report.site_name,
        severity=report.severity,
        site_id=report.site_id,
        region=report.region,
        description=report.description,
        affected_services=list(report.affected_services),
        affected_subscribers=report.affected_subscribers,
        latitude=report.latitude,
        longitude=report.longitude,
        assigned_to=report.assigned_to,
        team=owners.get(report.team),
        operator=owners.get(report.operator),
        root_cause=report.root_cause,
        detected_at=min(report.detected_at or now, now),
        recorded_at=now,
        created_by=here.actor,
        correlation_id=here.correlation_id,
        source=report.source or here.source,
        fingerprint=report.fingerprint,
        alarm_started_at=report.alarm_started_at,
    )
    if report.reference:
        outage.reference = report.reference
    if report.resolved_at is not None:
        outage.state, outage.resolved_by = Outage.State.RESOLVED, here.actor
        outage.resolved_at, outage.mttr_minutes = report.resolved_at, report.mttr_minutes
        outage.resolution_notes = report.resolution_notes
    return outage


def first_facts(outage: Outage) -> list[Fact]:
    since = outage.detected_at
    stated = [(Fact.Kind.DETECTED, "", since), (Fact.Kind.SEVERITY, outage.severity, since)]
    if outage.assigned_to:
        stated.append((Fact.Kind.ASSIGNED, outage.assigned_to, since))
    if outage.resolved_at is not None:
        stated.append((Fact.Kind.RESOLVED, "", outage.resolved_at))
    return [
        Fact(
            outage=outage,
            kind=kind,
            detail=detail,
            occurred_at=at,
            recorded_at=outage.recorded_at,
            actor=outage.created_by,
        )
        for kind, detail, at in stated
    ]


def owners_of(reports: Iterable[Report]) -> dict[str, Owner]:
    """By key, all that the reports name. Raises NotReady for one that does not exist."""
    keys = {key for report in reports for key in (report.team, report.operator) if key}
    found = {owner.key: owner for owner in Owner.objects.filter(key__in=keys)} if keys else {}
    for key in sorted(keys - found.keys()):
        raise NotReady(f"There is no owner {key}.", code="OWNER_UNKNOWN")
    return found


def taken(reports: Iterable[Report]) -> Conflict:
    stated = [report.reference for report in reports if report.reference]
    known = (
        Outage.objects.filter(reference__in=stated).order_by("reference").values_list("reference", flat=True)
    )
    clash = next(iter(known), None) or next(iter(stated), "")
    return Conflict(f"An outage with the id {clash} exists.", details={"field": "id"})
