"""What only PostgreSQL can do: several writers at once, and reading in pieces. All is synthetic."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from fieldsurvey.base.errors import StorageError
from sync.errors import CentralBusyError
from sync.postgres_store import PostgresStore
from sync.sets import BODIES, ENTRIES
from sync.store import StoredDevice
from tests.sync.stores.servers import only_value
from tests.sync.stores.test_contract import DEVICE, entry


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
    thread.join(120)
    assert list(postgres.rows(BODIES)) == []
    assert postgres.erased([entry(1).record_hash]) == {entry(1).record_hash}
    assert len(list(postgres.rows(ENTRIES))) == 1
    other.close()


def test_writers_that_stand_in_each_others_way_go_on(postgres: PostgresStore, dsn: str) -> None:
    """A circle of two that the database breaks: the step that it chose is taken back and done again."""
    other = PostgresStore(dsn, wait=20)
    failures: list[BaseException] = []
    ready = threading.Barrier(2, timeout=120)

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
        thread.join(120)
    assert all(isinstance(error, CentralBusyError) for error in failures)
    assert len(failures) < 2
    assert [item.seq for item in postgres.entries(DEVICE)] == [1, 2]
    other.close()


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
