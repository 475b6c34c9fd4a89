import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from apexchainx import embedded_postgres

pytestmark = pytest.mark.skipif(
    not any((path / "initdb").exists() for path in embedded_postgres._candidates()),
    reason="No PostgreSQL binaries here.",
)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "with space"
    embedded_postgres.remove(tmp_path / "with space")


def test_data_survives_a_restart_and_the_server_does_not_survive_the_context(directory: Path) -> None:
    with embedded_postgres.running(directory, durable=False) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('still here')")
        with pytest.raises(embedded_postgres.PostgresError, match="in use by another instance"):
            embedded_postgres.served(directory, durable=False).__enter__()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)

    with embedded_postgres.running(directory, durable=True) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT word FROM kept").fetchall() == [("still here",)]
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW max_connections").fetchone() == ("200",)


def test_data_is_not_found_again_by_a_directory_that_was_made_anew(directory: Path) -> None:
    with embedded_postgres.running(directory, durable=False) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE forgotten ()")
    old = embedded_postgres._home(directory)
    shutil.rmtree(directory)

    with embedded_postgres.running(directory, durable=False) as url, psycopg.connect(url) as connection:
        found = connection.execute("SELECT to_regclass('forgotten')").fetchone()
    shutil.rmtree(old, ignore_errors=True)
    assert found == (None,)


def test_missing_binaries_are_told(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    monkeypatch.setattr(embedded_postgres, "_candidates", lambda: iter([Path("/nonexistent")]))
    with (
        pytest.raises(embedded_postgres.PostgresError, match="set DATABASE_URL, or PG_BIN"),
        embedded_postgres.running(directory, durable=False),
    ):
        pass
