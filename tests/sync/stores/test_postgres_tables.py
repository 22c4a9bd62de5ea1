"""Central's tables on PostgreSQL: whose they are, their migrations, and who may write. All is synthetic."""

from __future__ import annotations

import psycopg
import pytest

from fieldsurvey.base.files import NotWritableError
from fieldsurvey.base.sqlite import DatabaseDamagedError
from sync.errors import ForeignDatabaseError, NewerCentralError
from sync.postgres_store import PostgresStore
from sync.store import Covered
from tests.sync.stores.servers import change, only_value


def database_of(dsn: str) -> str:
    """Its name."""
    return str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])


def test_a_schema_of_somebody_else_is_left_alone(dsn: str) -> None:
    """Nothing of ours is put into it."""
    change(dsn, "CREATE SCHEMA fieldsurvey")
    change(dsn, "CREATE TABLE fieldsurvey.shopping (item text)")
    with pytest.raises(ForeignDatabaseError):
        PostgresStore(dsn)
    assert only_value(dsn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'fieldsurvey'") == 1


def test_a_server_that_cannot_hold_it_is_refused(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too old, or not in UTF-8: before a table is made."""
    from sync import postgres_schema

    with monkeypatch.context() as patch, pytest.raises(ForeignDatabaseError, match="15"):
        patch.setattr(postgres_schema, "OLDEST", 990_000)
        PostgresStore(dsn)
    change(dsn, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    with pytest.raises(ForeignDatabaseError, match="server_encoding"):
        PostgresStore(dsn.replace(database_of(dsn), "latin"))
    change(dsn, "DROP DATABASE latin")
    assert only_value(dsn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'fieldsurvey'") == 0


def test_a_database_from_a_newer_version_is_left_alone(postgres: PostgresStore, dsn: str) -> None:
    """Refused by name rather than read wrongly."""
    change(dsn, "INSERT INTO fieldsurvey.migrations (name) VALUES ('of_the_future')")
    with pytest.raises(NewerCentralError):
        PostgresStore(dsn)


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE fieldsurvey.tombstones RENAME COLUMN tag TO tog",
        "ALTER TABLE fieldsurvey.entries ALTER COLUMN previous DROP NOT NULL",
        "DROP INDEX fieldsurvey.entries_by_case",
        "DROP TABLE fieldsurvey.covered",
        "ALTER TABLE fieldsurvey.entries DROP CONSTRAINT entries_pkey",
        "CREATE TABLE fieldsurvey.shopping (item text)",
        "DELETE FROM fieldsurvey.migrations",
    ],
)
def test_tables_that_were_altered_are_refused(postgres: PostgresStore, dsn: str, damage: str) -> None:
    """Without the key of a set, every batch would be stored twice; without a NOT NULL, a hole in a row is kept."""
    change(dsn, damage)
    with pytest.raises(DatabaseDamagedError):
        PostgresStore(dsn)
    if "migrations" not in damage:
        assert postgres.check() == ["schema fieldsurvey"]


def test_a_migration_and_its_record_commit_together(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails in the middle leaves neither tables nor the claim that it ran; a later try succeeds."""
    from sync import postgres_schema

    name, statements = postgres_schema._MIGRATIONS[0]
    with monkeypatch.context() as patch, pytest.raises(psycopg.errors.DivisionByZero):
        patch.setattr(postgres_schema, "_MIGRATIONS", ((name, (*statements, "SELECT 1/0")),))
        PostgresStore(dsn)
    assert only_value(dsn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'fieldsurvey'") == 0
    PostgresStore(dsn).close()
    assert only_value(dsn, "SELECT count(*) FROM fieldsurvey.migrations") == len(postgres_schema._MIGRATIONS)


def test_what_was_noted_of_a_backup_before_notes_were_signed_stays_unsigned(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row and the date are there after the tables were brought up to date; with nothing that could be believed."""
    from sync import postgres_schema

    with monkeypatch.context() as patch:
        patch.setattr(postgres_schema, "_MIGRATIONS", postgres_schema._MIGRATIONS[:1])
        shape = {**postgres_schema._SHAPE, "covered": "device t! seq i! head b!"}
        patch.setattr(postgres_schema, "_SHAPE", shape)
        PostgresStore(dsn).close()
    change(dsn, f"INSERT INTO fieldsurvey.covered VALUES ('{'d0' * 16}', 2, '\\x61')")
    change(dsn, "INSERT INTO fieldsurvey.last_backup VALUES ('2026-03-01T08:00:00Z')")
    store = PostgresStore(dsn)
    assert store.covered("d0" * 16) == [Covered("d0" * 16, 2, b"a", None)]
    assert store.last_backup() == "2026-03-01T08:00:00Z"
    store.close()


def test_who_may_only_read_is_told(postgres: PostgresStore, dsn: str) -> None:
    """A standby, or a database set to read only."""
    postgres.close()
    change(dsn, f'ALTER DATABASE "{database_of(dsn)}" SET default_transaction_read_only = on')
    store = PostgresStore(dsn)
    assert store.counts().entries == 0
    with pytest.raises(NotWritableError), store.write() as writer:
        writer.tombstone(b"t" * 32, b"code")
    store.close()
