"""The SQLite store: grow-only sets, one transaction a batch, several writers, migrations."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database, Migrations

from fieldsurvey.base.sqlite import DatabaseDamagedError, open_sqlite
from sync import sqlite_store
from sync.errors import CentralBusyError, NewerCentralError
from sync.sqlite_store import SqliteStore
from sync.store import SeenBatch, Store, StoredDevice, StoredEntry, StoredProject, Writer
from tests.sync.dumps import dump, spoil

DEVICE = "d0" * 16


def entry(seq: int, head: bytes = b"", case: str = "ca" * 16, kind: str = "record") -> StoredEntry:
    """A synthetic entry; the store verifies nothing."""
    mine = head or bytes([seq]) * 32
    return StoredEntry(DEVICE, seq, mine, bytes([seq - 1]) * 32, b"r" + mine[1:], case, 1, kind, None, None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """An empty one."""
    made = SqliteStore(tmp_path / "central.db", wait=0.2)
    yield made
    made.close()


def fill(writer: Writer) -> None:
    """A bit of everything."""
    writer.device(StoredDevice(DEVICE, b"card"))
    for seq in (1, 2):
        writer.entry(entry(seq), b"body %d" % seq)
    writer.signature(DEVICE, 2, bytes([2]) * 32, b"signature")
    writer.batch(SeenBatch(b"m" * 32, DEVICE, 1, 2, "2026-03-01T08:00:00Z"))
    writer.tombstone(b"t" * 32, b"code")
    writer.project(StoredProject(3, b"p" * 32, b"project"))


def test_it_keeps_the_protocol(store: SqliteStore) -> None:
    """SQLite stands behind the protocol that another database will stand behind too."""
    behind: Store = store
    assert behind.counts().entries == 0


def test_adding_twice_changes_nothing(store: SqliteStore, tmp_path: Path) -> None:
    """Every set only grows, and only by what is new."""
    with store.write() as writer:
        fill(writer)
    before = dump(tmp_path / "central.db")
    with store.write() as writer:
        fill(writer)
        assert not writer.entry(entry(1), b"body 1")
    assert dump(tmp_path / "central.db") == before
    counts = store.counts()
    assert (counts.devices, counts.entries, counts.bodies, counts.batches, counts.tombstones) == (1, 2, 2, 1, 1)


def test_a_failed_transaction_leaves_nothing(store: SqliteStore, tmp_path: Path) -> None:
    """All or nothing, also when it is not the database that fails."""
    before = dump(tmp_path / "central.db")
    with pytest.raises(RuntimeError), store.write() as writer:
        fill(writer)
        raise RuntimeError
    assert dump(tmp_path / "central.db") == before


def test_a_broken_row_is_not_swallowed(store: SqliteStore) -> None:
    """Ignoring duplicates must not ignore a missing value: that would lose a record in silence."""
    broken = StoredEntry(DEVICE, 1, b"h" * 32, b"p" * 32, None, "c", 1, "record", None, None)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError), store.write() as writer:
        writer.entry(broken, b"body")


def test_a_fork_is_two_entries_at_one_position(store: SqliteStore) -> None:
    """Both stay."""
    with store.write() as writer:
        writer.entry(entry(1), b"one")
        assert writer.entry(entry(1, b"\xff" * 32), b"two")
    assert [item.head for item in store.entries(DEVICE)] == [b"\x01" * 32, b"\xff" * 32]


def test_missing_counts_entries_without_their_body(store: SqliteStore, tmp_path: Path) -> None:
    """What is held with its body is not missing; a lost body is."""
    with store.write() as writer:
        fill(writer)
    wanted = [(seq, bytes([seq]) * 32) for seq in (1, 2, 3)]
    assert store.missing(DEVICE, wanted) == 1
    assert store.missing(DEVICE, []) == 0
    spoil(tmp_path / "central.db", "DELETE FROM bodies WHERE body = ?", b"body 1")
    assert store.first_without_body(DEVICE) == 1
    assert store.missing(DEVICE, wanted) == 2


def test_the_newest_project_decides(store: SqliteStore) -> None:
    """Whatever the order in which versions came; of two of one number, always the same."""
    assert store.project() is None
    found = [
        StoredProject(5, b"5" * 32, b"five"),
        StoredProject(4, b"4" * 32, b"four"),
        StoredProject(5, b"1" * 32, b"5"),
    ]
    with store.write() as writer:
        for project in found:
            writer.project(project)
    assert store.project() == found[0]


def test_versions_come_by_case_without_sorting_in_memory(store: SqliteStore, tmp_path: Path) -> None:
    """The index gives the order (a million records must not be sorted in memory); attachments are left out."""
    with store.write() as writer:
        for seq, case in enumerate(("cc", "aa", "bb", "aa"), 1):
            writer.entry(entry(seq, case=case * 16), b"body %d" % seq)
        writer.entry(entry(9, kind="attachment"), b"attachment")
    assert [version.case[:2] for version in store.versions()] == ["aa", "aa", "bb", "cc"]
    connection = sqlite3.connect(tmp_path / "central.db")
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    store._connection.set_trace_callback(seen.append)
    list(store.versions())
    plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + seen[-1])]
    connection.close()
    assert plan
    assert not any("TEMP B-TREE" in step for step in plan)


def test_reading_streams(store: SqliteStore) -> None:
    """Two iterators at once, one left halfway: neither holds the other up."""
    with store.write() as writer:
        for seq in range(1, 9):
            writer.entry(entry(seq), b"body %d" % seq)
    first = store.entries(DEVICE)
    assert next(first).seq == 1
    assert [item.seq for item in store.entries(DEVICE)] == list(range(1, 9))
    assert next(first).seq == 2


def _hold(path: Path, ready: Any, done: Any) -> None:
    store = SqliteStore(path)
    with store.write() as writer:
        writer.tombstone(b"h" * 32, b"held")
        ready.set()
        done.wait(20)


def test_a_second_writer_is_told_who_holds_it(store: SqliteStore, tmp_path: Path) -> None:
    """It waits, then names the process; when the other is done, it goes on."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "central.db", ready, done))
    other.start()
    try:
        assert ready.wait(20)
        with pytest.raises(CentralBusyError) as caught, store.write():
            pytest.fail("two writers at once")
        assert str(other.pid) in caught.value.message
    finally:
        done.set()
        other.join(20)
    with store.write() as writer:
        writer.tombstone(b"m" * 32, b"mine")
    assert list(store.tombstones()) == [(b"h" * 32, b"held"), (b"m" * 32, b"mine")]
    assert not (tmp_path / "central.db.holder").exists()


def test_a_migration_and_its_record_commit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails in the middle leaves neither tables nor the claim that it ran; a later try succeeds."""
    broken = Migrations("central")

    @broken()
    def grow_only_sets(db: Database) -> None:
        db.conn.execute("CREATE TABLE entries (a)")
        raise RuntimeError

    path = tmp_path / "central.db"
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(sqlite_store, "migrations", broken)
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
