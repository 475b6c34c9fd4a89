"""What may happen to an outage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apexchainx import context
from apexchainx.errors import Conflict, NotFound, NotReady
from audit.events import Event
from audit.log import record
from outages.clock import ClockError, resolution
from outages.models import Outage
from wallets.models import Owner


def facts(outage: Outage) -> dict[str, Any]:
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
    """What somebody says of a new outage; `team` and `operator` are keys of owners."""

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
    detected_at: datetime | None = None


def create(report: Report) -> Outage:
    """A new outage, active from its detection: now, where the report does not say or is ahead of our clock.

    Raises Conflict for a reference that is taken, NotReady for an owner that does not exist.
    """
    outage = reported(report, now=timezone.now())
    try:
        with transaction.atomic():
            outage.save(force_insert=True)
            record(Event.OUTAGE_CREATED, outage.stream, stream=outage.stream, **facts(outage))
    except IntegrityError as error:
        raise Conflict(
            f"An outage with the id {report.reference} exists.", details={"field": "id"}
        ) from error
    return outage


def reported(report: Report, *, now: datetime) -> Outage:
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
        team=owner(report.team),
        operator=owner(report.operator),
        detected_at=min(report.detected_at or now, now),
        recorded_at=now,
        created_by=here.actor,
        correlation_id=here.correlation_id,
    )
    if report.reference:
        outage.reference = report.reference
    return outage


def owner(key: str) -> Owner | None:
    if not key:
        return None
    found = Owner.objects.filter(key=key).first()
    if found is None:
        raise NotReady(f"There is no owner {key}.", code="OWNER_UNKNOWN")
    return found


@transaction.atomic(savepoint=False)
def resolve(
    reference: str,
    *,
    at: datetime | None = None,
    minutes: int | None = None,
    notes: str = "",
    root_cause: str = "",
) -> Outage:
    """The outage is over, at `at` or after `minutes`; both are checked against the clock.

    Raises NotFound, Conflict when it is resolved already, NotReady when the times contradict each other.
    """
    outage = Outage.objects.select_for_update(of=("self",)).filter(reference=reference).first()
    if outage is None:
        raise NotFound(f"There is no outage {reference}.")
    if outage.is_resolved:
        raise Conflict(f"Outage {reference} is already resolved.")
    now = timezone.now()
    try:
        end = resolution(
            outage.detected_at, now=now, at=at, minutes=minutes, tolerance=settings.SLA_MTTR_TOLERANCE_MINUTES
        )
    except ClockError as error:
        raise NotReady(str(error)) from error
    outage.state, outage.resolved_at, outage.mttr_minutes = Outage.State.RESOLVED, end.at, end.minutes
    outage.resolution_recorded_at, outage.resolved_by = now, context.current().actor
    outage.resolution_notes, outage.root_cause = notes, root_cause or outage.root_cause
    outage.save(
        update_fields=(
            "state",
            "resolved_at",
            "mttr_minutes",
            "resolution_recorded_at",
            "resolved_by",
            "resolution_notes",
            "root_cause",
            "updated_at",
        )
    )
    record(
        Event.OUTAGE_RESOLVED,
        outage.stream,
        stream=outage.stream,
        **facts(outage),
        resolved_at=end.at,
        mttr_minutes=end.minutes,
    )
    return outage
