"""History that somebody brings in: outages, and for those that are over their results and payments."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apexchainx.errors import Conflict
from outages import clock
from outages.models import ImportRun, MaintenanceWindow, Outage
from outages.services.importing import (
    Line,
    Mistake,
    Origin,
    RowsRefused,
    finished,
    here_already,
    misplaced_ids,
    tell,
    unknown_owners,
)
from outages.services.reporting import Report, create_all, first_facts, reported
from outages.services.resolving import evidence_of_all
from payments.services.settling import pay_all
from sla.policy import Verdict, judge
from sla.services import Governing, evaluate_all


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows that can be imported: every end with its minutes, and what each end would earn or cost."""

    lines: tuple[Line, ...]
    verdicts: tuple[Verdict, ...]
    skipped: int = 0

    @property
    def rows(self) -> int:
        return len(self.lines) + self.skipped

    @property
    def net_amount(self) -> Decimal:
        return sum((verdict.amount for verdict in self.verdicts), Decimal(0))


def examine(lines: Sequence[Line], mistakes: Sequence[Mistake] = (), *, skips_known: bool = False) -> Plan:
    """What would happen to these rows, read with a fixed number of statements.

    `mistakes` are those already found, in rows that are not among the lines. With `skips_known` a row that is
    here already is left out instead of refused. Raises RowsRefused with every mistake in every row.
    """
    known = here_already(lines) if skips_known else set[int]()
    fresh = [line for line in lines if line.index not in known]
    found = [*mistakes, *misplaced_ids(fresh), *unknown_owners(fresh)]
    over = [line for line in fresh if is_over(line.report)]
    ends = dict(judged(over, found.append))
    if found:
        rows = len(lines) + len({mistake.index for mistake in mistakes})
        raise RowsRefused(found, rows=rows, skipped=len(known))
    whole = tuple(ends[line.index][0] if line.index in ends else line for line in fresh)
    return Plan(whole, tuple(verdict for _, verdict in ends.values()), len(known))


def is_over(report: Report) -> bool:
    return report.resolved_at is not None or report.mttr_minutes is not None


def judged(
    lines: Sequence[Line], refuse: Callable[[Mistake], None]
) -> Iterator[tuple[int, tuple[Line, Verdict]]]:
    """By index: the row with its end and its minutes, and the verdict on them."""
    if not lines:
        return
    now = timezone.now()
    outages = [reported(replace(line.report, resolved_at=None), {}, now=now) for line in lines]
    governing = Governing(outages)
    windows = list(MaintenanceWindow.objects.excluding_any(outages))
    for line, outage in zip(lines, outages, strict=True):
        policy = governing.find(outage.severity, outage.detected_at)
        if policy is None:
            message = f"No SLA policy for {outage.severity} outages was in force then."
            refuse(Mistake(line.index, line.row, "detected_at", message))
            continue
        here = [window.plain for window in windows if window.concerns(outage)]
        try:
            end = ended(line.report, outage, calendar=policy.rule.calendar, windows=here, now=now)
        except clock.ClockError as error:
            field = "mttr_minutes" if line.report.resolved_at is None else "resolved_at"
            refuse(Mistake(line.index, line.row, field, str(error)))
            continue
        report = replace(
            line.report, detected_at=outage.detected_at, resolved_at=end.at, mttr_minutes=end.minutes
        )
        yield line.index, (replace(line, report=report), judge(end.minutes, policy.terms))


def ended(
    report: Report,
    outage: Outage,
    *,
    calendar: clock.Calendar | None,
    windows: Sequence[clock.Window],
    now: datetime,
) -> clock.Resolution:
    return clock.resolution(
        [fact.plain for fact in first_facts(outage)],
        now=now,
        at=report.resolved_at,
        minutes=report.mttr_minutes,
        tolerance=settings.SLA_MTTR_TOLERANCE_MINUTES,
        calendar=calendar,
        windows=windows,
    )


@transaction.atomic(savepoint=False)
def bring_in(plan: Plan) -> list[Outage]:
    """The rows as outages, with results and payments for those that are over; each kind in one statement."""
    outages = create_all([line.report for line in plan.lines])
    over = [outage for outage in outages if outage.is_resolved]
    if over:
        pay_all(evaluate_all(over, evidence_of_all(over), Governing(over)))
    return outages


@transaction.atomic
def import_list(origin: Origin, plan: Plan) -> list[Outage]:
    """All rows or none, as one run."""
    outages = bring_in(plan)
    finished(origin, rows=plan.rows, imported=len(outages), skipped=plan.skipped)
    return outages


@transaction.atomic
def import_batch(run_id: int, plan: Plan, *, after: int) -> ImportRun:
    """The next rows of a file that is taken in batches; the run stands at `after` rows, and then behind them.

    Raises Conflict where it stands elsewhere: somebody else is taking the same file.
    """
    run = ImportRun.objects.select_for_update().get(pk=run_id)
    if run.imported != after or run.status != ImportRun.Status.RUNNING:
        raise Conflict(f"Somebody else imports the same file: it stands at row {run.imported}.")
    bring_in(plan)
    run.imported += len(plan.lines)
    if run.imported == run.rows:
        run.status, run.finished_at = ImportRun.Status.DONE, timezone.now()
        tell(run)
    run.save(update_fields=("imported", "status", "finished_at"))
    return run
