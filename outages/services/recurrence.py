"""An outage that repeats: the same site with the same cause, not long ago."""

from datetime import timedelta

from django.conf import settings

from audit.events import Event
from audit.log import record
from outages.models import Outage, OutageQuerySet
from outages.services.reporting import told


def mark_recurrence(outage: Outage) -> None:
    """Point a resolved outage, which the caller has locked, to the newest earlier one with its cause.

    A new mark is told once. A cause that does not repeat, or no longer, leaves no mark.
    """
    outage.refresh_from_db(fields=["cause_key"])
    earlier = earlier_alike(outage)
    found = earlier.order_by("-detected_at", "-id").first()
    if found == outage.recurrence_of:
        return
    outage.recurrence_of = found
    outage.store("recurrence_of")
    if found is None:
        return
    record(
        Event.OUTAGE_CHRONIC,
        outage.stream,
        stream=outage.stream,
        **told(outage),
        recurrence_of=found.reference,
        root_cause=outage.root_cause,
        occurrences=earlier.count() + 1,
    )


def earlier_alike(outage: Outage) -> OutageQuerySet:
    """Outages of the site with the same cause, detected in the days before; duplicates do not count."""
    if not outage.cause_key:
        return Outage.objects.none()
    since = outage.detected_at - timedelta(days=settings.CHRONIC_WINDOW_DAYS)
    return Outage.objects.filter(
        site_name=outage.site_name,
        cause_key=outage.cause_key,
        detected_at__gte=since,
        detected_at__lt=outage.detected_at,
        merged_into__isnull=True,
    )
