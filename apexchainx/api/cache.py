"""The shared cache, which counts: no call between two processes is lost."""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connection

# A counter whose time is over is as good as none.
ADD = """
INSERT INTO accounts_counter AS counter (key, number, expires_at)
VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))
ON CONFLICT (key) DO UPDATE SET number = excluded.number, expires_at = excluded.expires_at
WHERE counter.expires_at < clock_timestamp()
"""
INCREASE = """
UPDATE accounts_counter SET number = number + %s WHERE key = %s AND expires_at >= clock_timestamp()
RETURNING number
"""


class CounterCache(BaseCache):
    """Whole numbers that are added and increased, each by one statement. It holds nothing else."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(
        self, key: str, value: int, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Begin to count, unless somebody has begun: then False."""
        name = self.make_and_validate_key(key, version=version)
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        with connection.cursor() as cursor:
            cursor.execute(ADD, [name, value, seconds])
            return bool(cursor.rowcount == 1)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """The number after this call. Raises ValueError where nobody has begun to count."""
        name = self.make_and_validate_key(key, version=version)
        with connection.cursor() as cursor:
            cursor.execute(INCREASE, [delta, name])
            row = cursor.fetchone()
        if row is None:
            raise ValueError(f"Nothing is counted under {key}.")
        return int(row[0])
