"""The counters: exact over threads and processes, gone when their time is."""

from collections import Counter as Tally
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from apexchainx.accounts.models import Counter
from apexchainx.accounts.services import forgetting
from apexchainx.accounts.tasks import forget

pytestmark = pytest.mark.django_db


def test_whoever_is_first_begins_to_count() -> None:
    assert [cache.add("calls", 1, 60), cache.add("calls", 1, 60)] == [True, False]
    assert [cache.incr("calls"), cache.incr("calls"), cache.incr("calls", 5)] == [2, 3, 8]
    assert cache.incr("calls", 0) == 8


def test_nobody_counts_what_nobody_has_begun() -> None:
    with pytest.raises(ValueError, match="Nothing is counted under calls"):
        cache.incr("calls")
    assert not Counter.objects.exists()


def test_a_counter_ends_with_its_time() -> None:
    cache.add("calls", 7, -1)

    with pytest.raises(ValueError, match="Nothing is counted"):
        cache.incr("calls")
    assert cache.add("calls", 1, 60)
    assert cache.incr("calls") == 2


def test_each_call_is_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        cache.add("calls", 1, 60)
    with django_assert_num_queries(1):
        cache.add("calls", 1, 60)
    with django_assert_num_queries(1):
        cache.incr("calls")


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_each_gets_a_number_of_its_own() -> None:
    def call(_: int) -> int:
        try:
            return 1 if cache.add("calls", 1, 60) else cache.incr("calls")
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        numbers = Tally(pool.map(call, range(200)))

    assert numbers == Tally(range(1, 201))


def test_the_table_is_unlogged() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'accounts_counter'")
        assert cursor.fetchone() == ("u",)


def test_what_is_over_is_forgotten_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    now = timezone.now()
    for number in range(5):
        Counter.objects.create(key=f"old{number}", number=1, expires_at=now - timedelta(seconds=number + 1))
    Counter.objects.create(key="new", number=1, expires_at=now + timedelta(seconds=60))

    forget()

    assert [counter.key for counter in Counter.objects.all()] == ["new"]
