"""A root cause analysis as a Markdown document, with the evidence around it."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from audit.models import AuditEvent
from outages import clock
from outages.models import Outage, RootCauseAnalysis
from outages.serializers.timeline import sentence
from outages.services.resolving import evidence_of
from sla.models import SLAResult
from sla.policy import digits

# What begins markup, HTML or a link, anywhere or where a line starts.
ANYWHERE = re.compile(r"[\\`*_\[\]<>#|~&@!$^]|:(?=//)|(?<=www)\.", re.IGNORECASE)
AT_THE_START = re.compile(r"^(\d*)([-+=.)])")
BETWEEN_PARAGRAPHS = re.compile(r"\n\s*\n")
NOTHING = "None recorded."
SECOND = timedelta(seconds=1)


def document(analysis: RootCauseAnalysis) -> str:
    outage = analysis.outage
    result = outage.sla_results.select_related("policy__calendar", "payment").filter(is_latest=True).first()
    sections = (
        (f"# Root cause analysis of {plain(outage.reference)}", header(analysis)),
        ("## Impact", impact(outage)),
        ("## Clock", clock_of(outage, result)),
        ("## Timeline", timeline(outage)),
        ("## Root cause", paragraphs(analysis.root_cause)),
        ("## Contributing factors", items(analysis.contributing_factors)),
        ("## Remediation", paragraphs(analysis.remediation)),
        ("## Follow-ups", follow_ups(outage)),
        ("## SLA and payment", money(result)),
    )
    return "\n\n".join(f"{title}\n\n{body or NOTHING}" for title, body in sections) + "\n"


def header(analysis: RootCauseAnalysis) -> str:
    outage = analysis.outage
    facts = {
        "Site": f"{outage.site_name} ({outage.site_id})" if outage.site_id else outage.site_name,
        "Region": outage.region,
        "Severity": outage.severity,
        "Detected": when(outage.detected_at),
        "Resolved": when(outage.resolved_at),
        "MTTR": f"{outage.mttr_minutes} minutes",
        "Assigned to": outage.assigned_to,
        "Repeats": outage.recurrence_of.reference if outage.recurrence_of else "",
        "Analysis": f"version {analysis.version}, {analysis.status}, {when(analysis.created_at)}",
    }
    return table(("Fact", "Value"), ((name, value) for name, value in facts.items() if value))


def impact(outage: Outage) -> str:
    facts = {
        "Affected services": ", ".join(outage.affected_services),
        "Affected subscribers": ""
        if outage.affected_subscribers is None
        else str(outage.affected_subscribers),
    }
    stated = items(f"{name}: {value}" for name, value in facts.items() if value)
    return "\n\n".join(part for part in (paragraphs(outage.description), stated) if part)


def clock_of(outage: Outage, result: SLAResult | None) -> str:
    """Every piece of the wall time, in order, with why it does not count where it does not."""
    evidence = evidence_of(outage)
    calendar = result.policy.rule.calendar if result else None
    measured = clock.measure(evidence.facts, calendar=calendar, windows=evidence.windows)
    segments = sorted((*measured.counted, *measured.excluded), key=lambda segment: segment.start)
    return table(
        ("From", "To", "Length", "Counts"),
        (
            (when(one.start), when(one.end), said(one.length), f"no, {one.reason}" if one.reason else "yes")
            for one in segments
        ),
    )


def timeline(outage: Outage) -> str:
    entries = AuditEvent.objects.stream(outage.stream)
    return table(
        ("Time", "Event", "By"),
        ((when(entry.recorded_at), sentence(entry), entry.actor) for entry in entries),
    )


def follow_ups(outage: Outage) -> str:
    promised = outage.follow_ups.order_by("number")
    if not promised:
        return ""
    return table(
        ("No.", "Action", "Owner", "Due", "Done"),
        ((str(one.number), one.action, one.owner, str(one.due_on), when(one.done_at)) for one in promised),
    )


def money(result: SLAResult | None) -> str:
    if result is None:
        return ""
    facts = {
        "SLA": f"{result.status}, {result.rating}",
        "Counted": f"{result.mttr_minutes} of {result.threshold_minutes} minutes",
        "Policy": result.policy.label,
        "Evidence": result.clock_source,
        "Amount": digits(result.amount),
    }
    payment = getattr(result, "payment", None)
    if payment is not None:
        reason = f" ({payment.reason})" if payment.reason else ""
        facts |= {
            "Payment": f"{payment.reference}, {payment.type}, {digits(payment.amount)} {payment.asset_code}",
            "From and to": f"{payment.payer} to {payment.payee}",
            "State": f"{payment.status}{reason}",
            "Transaction": payment.transaction_hash or "none yet",
        }
    return table(("Fact", "Value"), facts.items())


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    return "\n".join(row(cells) for cells in (head, ("---",) * len(head))) + "".join(
        f"\n{row(plain(cell) for cell in cells)}" for cells in rows
    )


def row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def paragraphs(text: str) -> str:
    """Text of several lines, which it keeps."""
    blocks = BETWEEN_PARAGRAPHS.split("\n".join(text.splitlines()).strip())
    return "\n\n".join("\\\n".join(opening(line) for line in block.split("\n")) for block in blocks)


def items(texts: Iterable[str]) -> str:
    return "\n".join(f"- {opening(text)}" for text in texts)


def opening(text: str) -> str:
    """As `plain`, where a line starts with it."""
    return AT_THE_START.sub(r"\1\\\2", plain(text))


def plain(text: str) -> str:
    """Text as it is, on one line: nothing in it is read as markup."""
    return ANYWHERE.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))


def said(length: timedelta) -> str:
    """Hours, minutes and seconds, cut."""
    return str(length // SECOND * SECOND)


def when(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else ""
