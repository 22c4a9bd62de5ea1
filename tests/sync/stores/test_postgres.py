"""What only PostgreSQL can do: go away, be somebody else's, and take several writers at once. All synthetic."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import NoSpaceError, NotWritableError
from fieldsurvey.base.sqlite import DatabaseDamagedError
from sync.again import again
from sync.central import Central
from sync.errors import CentralBusyError, CentralGoneError, ForeignDatabaseError, NewerCentralError
from sync.importing import import_batches
from sync.postgres_link import TRIES
from sync.postgres_store import PostgresStore
from sync.postgres_writer import PostgresWriter
from sync.sets import BODIES, ENTRIES
from sync.stick import Stick
from sync.store import StoredDevice, StoredEntry
from tests.sync.laptops import laptop
from tests.sync.projects import enrol
from tests.sync.stores.kinds import PostgresKind
from tests.sync.stores.servers import Server, change, only_value
from tests.sync.stores.test_contract import DEVICE, entry

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fieldsurvey %'"


def database_of(dsn: str) -> str:
    """Its name."""
    return str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"])


def test_writers_of_different_rows_do_not_wait_for_each_other(postgres: PostgresStore, dsn: str) -> None:
    """No sequence, counter or lock that all would meet at: the second begins and commits while the first is open."""
    other = PostgresStore(dsn, wait=0.3)
    with postgres.write() as first:
        first.device(StoredDevice(DEVICE, b"card"))
        first.entries([(entry(1), b"one")])
        with other.write() as second:
            second.device(StoredDevice(DEVICE, b"card"))
            second.entries([(entry(2), b"two")])
            second.signature(DEVICE, 2, b"2" * 32, b"s")
        assert [item.seq for item in other.entries(DEVICE)] == [2]
    assert [item.seq for item in other.entries(DEVICE)] == [1, 2]
    other.close()


def test_writers_of_one_row_wait_and_are_told_for_whom(postgres: PostgresStore, dsn: str) -> None:
    """The second cannot know whether the first will commit: it waits its time, then names the process."""
    import os

    other = PostgresStore(dsn, wait=0.2)
    with postgres.write() as first:
        first.entries([(entry(1), b"one")])
        with pytest.raises(CentralBusyError, match=str(os.getpid())), other.write() as second:
            second.entries([(entry(1), b"one")])
    with other.write() as second:
        assert second.entries([(entry(1), b"one")]) == 0
    other.close()


@pytest.mark.parametrize("first", ["erase", "store"])
def test_no_body_slips_in_while_it_is_being_erased(postgres: PostgresStore, dsn: str, first: str) -> None:
    """Two transactions that do not see each other, in either order: the body is gone when both have committed."""
    other = PostgresStore(dsn, wait=20)
    steps: dict[str, Callable[[Any], Any]] = {
        "erase": lambda writer: writer.erase([entry(1).record_hash]),
        "store": lambda writer: writer.entries([(entry(1), b"one")]),
    }
    second = next(name for name in steps if name != first)

    def run() -> None:
        with other.write() as writer:
            steps[second](writer)

    thread = threading.Thread(target=run)
    with postgres.write() as writer:
        steps[first](writer)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(20)
    assert list(postgres.rows(BODIES)) == []
    assert postgres.erased([entry(1).record_hash]) == {entry(1).record_hash}
    assert len(list(postgres.rows(ENTRIES))) == 1
    other.close()


def test_writers_that_stand_in_each_others_way_go_on(postgres: PostgresStore, dsn: str) -> None:
    """A circle of two that the database breaks: the step that it chose is taken back and done again."""
    other = PostgresStore(dsn, wait=20)
    failures: list[BaseException] = []
    ready = threading.Barrier(2, timeout=20)

    def run(store: PostgresStore, mine: int, theirs: int) -> None:
        try:
            with store.write() as writer:
                if mine == 1:
                    writer.tombstone(b"t" * 32, b"one")
                writer.entries([(entry(mine), b"body %d" % mine)])
                ready.wait()
                writer.entries([(entry(theirs), b"body %d" % theirs)])
        except StorageError as error:  # it held what the other needs, from before the step: all is rolled back
            failures.append(error)

    threads = [threading.Thread(target=run, args=args) for args in ((postgres, 1, 2), (other, 2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(isinstance(error, CentralBusyError) for error in failures)
    assert len(failures) < 2
    assert [item.seq for item in postgres.entries(DEVICE)] == [1, 2]
    other.close()


def test_a_lost_connection_rolls_back_and_the_next_write_goes_on(
    postgres: PostgresStore, server: Server, dsn: str
) -> None:
    """Typed; nothing of the transaction is kept; nobody has to open the store again."""

    def rows() -> Iterator[tuple[StoredEntry, bytes | None]]:
        yield entry(1), b"one"
        server.execute(KILL)
        for seq in range(2, 200):
            yield entry(seq), bytes(100_000)

    with pytest.raises(CentralGoneError), postgres.write() as writer:
        writer.device(StoredDevice(DEVICE, b"card"))
        writer.entries(rows())
    assert PostgresKind(dsn).contents()["entries"] == []
    with postgres.write() as writer:
        writer.entries([(entry(1), b"one")])
    server.execute(KILL)
    assert postgres.counts().entries == 1
    server.execute(KILL)
    assert [item.seq for item in postgres.entries(DEVICE)] == [1]
    with pytest.raises(CentralGoneError), postgres.write() as writer:
        writer.tombstone(b"t" * 32, b"code")
        server.execute(KILL)
    assert postgres.counts().tombstones == 0


def test_a_reading_that_is_cut_says_so(postgres: PostgresStore, server: Server) -> None:
    """Half a list must not look like a whole one."""
    with postgres.write() as writer:
        writer.entries([(entry(1, bytes([a, b]) * 16), b"%d %d" % (a, b)) for a in range(16) for b in range(64)])
    reading = postgres.entries(DEVICE)
    next(reading)
    server.execute(KILL)
    with pytest.raises(CentralGoneError):
        list(reading)
    assert len(list(postgres.entries(DEVICE))) == 1024


def test_a_transaction_that_failed_does_not_look_committed(postgres: PostgresStore) -> None:
    """COMMIT of one is a rollback without an error; a caller that swallowed the first error must still hear of it."""
    with pytest.raises(CentralGoneError), postgres.write() as writer:
        with pytest.raises(psycopg.errors.NotNullViolation):
            writer.entries([(entry(1, case=None), b"one")])  # type: ignore[arg-type]
        writer._connection.execute("ROLLBACK")
        writer._connection.execute("BEGIN")
        writer._connection.execute("SAVEPOINT s")
        with pytest.raises(psycopg.Error):
            writer._connection.execute("SELECT 1/0")
        writer.flush = lambda: None  # type: ignore[method-assign]
    with postgres.write() as writer:
        writer.tombstone(b"t" * 32, b"code")
    assert postgres.counts().tombstones == 1


class Stopping(io.BytesIO):
    """A file in the middle of which the server stops, and comes back a moment later."""

    def __init__(self, data: bytes, stop: Callable[[], None]) -> None:
        super().__init__(data)
        self._stop: Callable[[], None] | None = stop
        self._half = len(data) // 2

    def read(self, size: int | None = -1) -> bytes:
        """As far as it goes."""
        if self.tell() > self._half and self._stop:
            self._stop()
            self._stop = None
        return super().read(size)


@pytest.fixture
def central(postgres: PostgresStore) -> Central:
    """Over it, with a project."""
    made = Central(postgres)
    enrol(made)
    return made


def test_a_server_that_stops_during_a_merge(server: Server, dsn: str) -> None:
    """As in a power cut: rolled back, then, when it is back, merged as if nothing had been; committed ones are kept."""
    central = Central(PostgresStore(dsn, patience=20))
    enrol(central)
    item = laptop(60)
    for _ in range(20):
        item.seal(size=20_000)
    central.merge(io.BytesIO(item.batch(1, 20)))

    def stop_and_start() -> None:
        server.stop()
        threading.Timer(0.5, server.start).start()

    data = item.batch(21, 80)
    with pytest.raises(CentralGoneError):
        central.merge(Stopping(data, stop_and_start))
    assert central.store.counts().entries == 20
    streams = [Stopping(data, stop_and_start), io.BytesIO(data)]
    merged = again(lambda: central.merge(streams.pop(0)))
    assert (merged.new, streams) == (60, [])
    assert central.store.counts().entries == 80
    assert central.verify().sound
    central.close()


def test_an_import_goes_on_after_its_database_was_away(
    central: Central, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file of the stick is merged once, and the progress does not run over."""
    items = [laptop(4) for _ in range(3)]
    stick = Stick(tmp_path)
    stick.make(stick.batches)
    for item in items:
        (stick.batches / f"{item.device}.fsb").write_bytes(item.batch())
    real, calls = PostgresWriter.entries, 0

    def entries(self: PostgresWriter, rows: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            server.execute(KILL)
        return real(self, rows)

    monkeypatch.setattr(PostgresWriter, "entries", entries)
    seen: list[tuple[int, int, str]] = []
    reports = import_batches(central, stick, lambda *step: seen.append(step))
    assert [report.outcome for report in reports] == ["merged"] * 3
    assert calls == 4
    assert central.store.counts().entries == 12
    assert all(done <= total for done, total, _text in seen)


def test_again_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many tries; anything else is not tried again."""
    calls: list[int] = []

    def gone() -> None:
        calls.append(1)
        raise CentralGoneError(place="synthetic", reason="gone")

    with pytest.raises(CentralGoneError):
        again(gone, tries=3, pause=0.001)
    assert len(calls) == 3

    def broken() -> None:
        calls.append(1)
        raise LookupError

    with pytest.raises(LookupError):
        again(broken)
    assert len(calls) == 4


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("DiskFull", NoSpaceError),
        ("ReadOnlySqlTransaction", NotWritableError),
        ("InsufficientPrivilege", NotWritableError),
        ("DataCorrupted", DatabaseDamagedError),
        ("LockNotAvailable", CentralBusyError),
        ("QueryCanceled", CentralBusyError),
        ("TooManyConnections", CentralGoneError),
        ("AdminShutdown", CentralGoneError),
        ("IoError", CentralGoneError),
    ],
)
def test_every_failure_of_the_server_is_typed(
    postgres: PostgresStore, failure: str, expected: type[StorageError]
) -> None:
    """And the transaction is gone; a programming error shows as it is."""
    error: type[psycopg.Error] = getattr(psycopg.errors, failure)
    with pytest.raises(expected), postgres.write() as writer:
        writer.tombstone(b"t" * 32, b"code")
        writer.flush()
        raise error
    assert postgres.counts().tombstones == 0
    with pytest.raises(psycopg.errors.SyntaxError), postgres.write():
        raise psycopg.errors.SyntaxError


def test_a_step_is_tried_again_a_bounded_number_of_times(
    postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database takes back for another writer's sake."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    real = PostgresWriter._add_entries
    for failures, fails in ((TRIES - 1, False), (TRIES, True)):
        left = [failures]

        def add(self: PostgresWriter, *, erased: bool, left: list[int] = left) -> int:
            left[0] -= 1
            if left[0] >= 0:
                self._connection.execute("SELECT 1")
                raise psycopg.errors.DeadlockDetected
            return real(self, erased=erased)

        with monkeypatch.context() as patch:
            patch.setattr(PostgresWriter, "_add_entries", add)
            if fails:
                with pytest.raises(CentralBusyError), postgres.write() as writer:
                    writer.entries([(entry(2), b"two")])
            else:
                with postgres.write() as writer:
                    assert writer.entries([(entry(1), b"one")]) == 1
    assert [item.seq for item in postgres.entries(DEVICE)] == [1]


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


def test_what_was_erased_is_swept(postgres: PostgresStore, dsn: str) -> None:
    """The rows that held it are taken out of the table when the store is let go of; without an erasure nothing is."""
    swept = "SELECT vacuum_count FROM pg_stat_all_tables WHERE schemaname = 'fieldsurvey' AND relname = 'bodies'"
    with postgres.write() as writer:
        writer.entries([(entry(seq), bytes([seq]) * 300) for seq in range(1, 50)])
    postgres.close()
    assert only_value(dsn, swept) == 0
    with postgres.write() as writer:
        assert writer.erase([entry(seq).record_hash for seq in range(1, 40)]) == 39
    postgres.close()
    assert only_value(dsn, swept) == 1


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
    assert only_value(dsn, "SELECT count(*) FROM fieldsurvey.migrations") == 1


def test_who_may_only_read_is_told(postgres: PostgresStore, dsn: str) -> None:
    """A standby, or a database set to read only."""
    postgres.close()
    change(dsn, f'ALTER DATABASE "{database_of(dsn)}" SET default_transaction_read_only = on')
    store = PostgresStore(dsn)
    assert store.counts().entries == 0
    with pytest.raises(NotWritableError), store.write() as writer:
        writer.tombstone(b"t" * 32, b"code")
    store.close()


def test_reading_leaves_no_transaction_open(postgres: PostgresStore, dsn: str) -> None:
    """An iterator that nobody finishes holds nothing back for ever."""
    with postgres.write() as writer:
        writer.entries([(entry(seq), b"body %d" % seq) for seq in range(1, 200)])
    reading = postgres.entries(DEVICE)
    next(reading)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    assert only_value(dsn, waiting) == 1
    reading.close()  # type: ignore[attr-defined]
    assert only_value(dsn, waiting) == 0


def test_a_large_set_is_read_in_pieces(postgres: PostgresStore) -> None:
    """Memory does not grow with what is there: 40 MB of bodies through a few."""
    import tracemalloc

    for part in range(10):
        rows = [(entry(seq, bytes([part, seq]) * 16), bytes([part, seq]) * 200_000) for seq in range(1, 11)]
        with postgres.write() as writer:
            writer.entries(rows)
    tracemalloc.start()
    assert sum(len(row[1]) for row in postgres.rows(BODIES)) == 40_000_000
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
