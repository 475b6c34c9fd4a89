"""Rows whose time is over go, some at a time, so that no statement is long."""

from datetime import datetime

from django.db.models import Model, QuerySet

from apexchainx.accounts.models import AttemptCounter, Counter, IdempotencyRecord, KnownClient

BATCH = 1_000


def forget(at: datetime) -> None:
    for kind in (Counter, IdempotencyRecord, AttemptCounter, KnownClient):
        rows = kind.objects.over(at)
        while forget_some(rows):
            pass


def forget_some(rows: QuerySet[Model]) -> int:
    """How many went; each batch is a transaction of its own."""
    return rows.filter(pk__in=rows.values("pk")[:BATCH]).delete()[0]
