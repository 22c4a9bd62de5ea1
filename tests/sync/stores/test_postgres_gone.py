"""A PostgreSQL that goes away and comes back: rolled back, tried again within bounds, typed. All is synthetic."""

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
from sync.errors import CentralBusyError, CentralGoneError
from sync.importing import import_batches
from sync.postgres_link import TRIES
from sync.postgres_store import PostgresStore
from sync.postgres_writer import PostgresWriter
from sync.stick import Stick
from sync.store import StoredDevice, StoredEntry
from tests.sync.laptops import laptop
from tests.sync.projects import enrol
from tests.sync.stores.kinds import PostgresKind
from tests.sync.stores.servers import Server
from tests.sync.stores.test_contract import DEVICE, entry

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fieldsurvey %'"


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


@pytest.mark.parametrize("step", ["_add_bodies", "_add_entries"])
def test_a_step_is_tried_again_a_bounded_number_of_times(
    postgres: PostgresStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What the database takes back for another writer's sake."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    real = getattr(PostgresWriter, step)
    for failures, fails in ((TRIES - 1, False), (TRIES, True)):
        left = [failures]

        def add(self: PostgresWriter, *given: Any, left: list[int] = left) -> Any:
            left[0] -= 1
            if left[0] >= 0:
                self._connection.execute("SELECT 1")
                raise psycopg.errors.DeadlockDetected
            return real(self, *given)

        with monkeypatch.context() as patch:
            patch.setattr(PostgresWriter, step, add)
            if fails:
                with pytest.raises(CentralBusyError), postgres.write() as writer:
                    writer.entries([(entry(2), b"two")])
            else:
                with postgres.write() as writer:
                    assert writer.entries([(entry(1), b"one")]) == 1
    assert [item.seq for item in postgres.entries(DEVICE)] == [1]
