"""Central's tables on SQLite: whose they are, their migrations, and two that make them at once. All is synthetic."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database, Migrations

from fieldsurvey.base.sqlite import DatabaseDamagedError, open_sqlite
from sync import sqlite_schema
from sync.errors import NewerCentralError
from sync.sqlite_store import SqliteStore
from sync.store import Covered, StoredDevice
from tests.sync.dumps import dump, spoil
from tests.sync.test_sqlite_store import DEVICE, entry


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty one."""
    made = SqliteStore(tmp_path / "central.db", wait=0.2)
    yield made
    made.close()


def test_a_migration_and_its_record_commit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails in the middle leaves neither tables nor the claim that it ran; a later try succeeds."""
    broken = Migrations("central")

    @broken()
    def grow_only_sets(db: Database) -> None:
        db.conn.execute("CREATE TABLE entries (a)")
        raise RuntimeError

    path = tmp_path / "central.db"
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(sqlite_schema, "migrations", broken)
        SqliteStore(path)
    connection = open_sqlite(path)
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert "entries" not in names
    SqliteStore(path).close()


def test_a_database_from_a_newer_version_is_left_alone(store: SqliteStore, tmp_path: Path) -> None:
    """Refused by name rather than read wrongly."""
    store.close()
    newer = Migrations("central")

    @newer()
    def of_the_future(db: Database) -> None:
        db.conn.execute("CREATE TABLE future (a)")

    connection = open_sqlite(tmp_path / "central.db")
    newer.apply(Database(connection))
    connection.close()
    with pytest.raises(NewerCentralError):
        SqliteStore(tmp_path / "central.db")


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    """A file with other tables, and one whose tables were altered, is refused before anything is put into it."""
    path = tmp_path / "central.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE shopping (item TEXT)")
    connection.close()
    with pytest.raises(DatabaseDamagedError):
        SqliteStore(path)
    assert list(dump(path)) == ["shopping"]
    altered = tmp_path / "altered.db"
    SqliteStore(altered).close()
    connection = sqlite3.connect(altered)
    connection.execute("ALTER TABLE tombstones RENAME COLUMN tag TO tog")
    connection.close()
    with pytest.raises(DatabaseDamagedError):
        SqliteStore(altered)


def _open(path: Path, start: Any) -> None:
    start.wait(20)
    store = SqliteStore(path, wait=20)
    with store.write() as writer:
        writer.device(StoredDevice(DEVICE, b"card"))
    store.close()


def test_two_processes_may_create_it_at_once(tmp_path: Path) -> None:
    """One creates, the other waits and finds it made."""
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    workers = [context.Process(target=_open, args=(tmp_path / "central.db", start)) for _ in range(3)]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]


def test_a_central_made_before_erasure_opens_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by the first migration alone and full: every row is there after the tables were brought up to date."""
    first = Migrations("central")
    first()(sqlite_schema.grow_only_sets)
    path = tmp_path / "central.db"
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_schema, "migrations", first)
        SqliteStore(path).close()
    connection = sqlite3.connect(path)
    with connection:
        for seq in (1, 2):
            row = entry(seq)
            connection.execute("INSERT INTO bodies VALUES (?,?)", (row.record_hash, b"body %d" % seq))
            connection.execute("INSERT INTO entries VALUES (?,?,?,?,?,?,?,?,?,?)", row)
        connection.execute("INSERT INTO devices VALUES (?,?)", (DEVICE, b"card"))
        connection.execute("INSERT INTO tombstones VALUES (?,?)", (b"t" * 32, b"code"))
    connection.close()
    before = dump(path, "_sqlite_migrations")
    assert "erased" not in before
    store = SqliteStore(path)
    after = dump(path, "_sqlite_migrations")
    assert {name: after[name] for name in before} == before
    assert [item.seq for item in store.entries(DEVICE)] == [1, 2]
    with store.write() as writer:
        assert writer.erase([entry(1).record_hash]) == 1
    store.close()
    SqliteStore(path).close()


def test_what_was_noted_of_a_backup_before_notes_were_signed_stays_unsigned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row and the date are there after the tables were brought up to date; with nothing that could be believed."""
    before = Migrations("central")
    for one in ("grow_only_sets", "erased_and_passed_on", "moved_away"):
        before()(getattr(sqlite_schema, one))
    path = tmp_path / "central.db"
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_schema, "migrations", before)
        SqliteStore(path).close()
    spoil(path, "INSERT INTO covered VALUES (?,?,?)", DEVICE, 2, b"h" * 32)
    spoil(path, "INSERT INTO last_backup VALUES (?)", "2026-03-01T08:00:00Z")
    store = SqliteStore(path)
    assert store.covered(DEVICE) == [Covered(DEVICE, 2, b"h" * 32, None)]
    assert store.last_backup() == "2026-03-01T08:00:00Z"
    store.close()


def test_a_lost_record_of_a_migration_is_damage(store: SqliteStore, tmp_path: Path) -> None:
    """The tables are there, the note that they were made is not: named as damage, and nothing is made again."""
    store.close()
    for names in (("grow_only_sets",), ("grow_only_sets", "erased_and_passed_on")):
        copy = tmp_path / f"{len(names)}.db"
        copy.write_bytes((tmp_path / "central.db").read_bytes())
        for name in names:
            spoil(copy, "DELETE FROM _sqlite_migrations WHERE name = ?", name)
        with pytest.raises(DatabaseDamagedError):
            SqliteStore(copy)
