"""What is counted over all processes."""

from datetime import datetime
from typing import Self

from django.db import models


class CounterQuerySet(models.QuerySet["Counter"]):
    def over(self, at: datetime) -> Self:
        return self.filter(expires_at__lt=at)


class Counter(models.Model):
    """A number that nobody needs after its time. The table is unlogged: the database's crash empties it."""

    key = models.CharField(max_length=255, primary_key=True)
    number = models.BigIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    objects = CounterQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key
