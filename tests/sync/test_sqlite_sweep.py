"""Removed bodies leave the write-ahead log too, and a reader who takes long holds nobody up meanwhile."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path

import pytest

from sync.sqlite_store import SqliteStore
from sync.store import StoredEntry

BODY = b"synthetic canary" * 64


def hold(store: SqliteStore, *digests: bytes) -> None:
    """Records in the store."""
    with store.write() as writer:
        writer.entries(
            (StoredEntry("d" * 32, seq, bytes([seq]) * 32, bytes(32), digest, "c" * 32, 1, "record", None, None), BODY)
            for seq, digest in enumerate(digests, 1)
        )


def wal(path: Path) -> bytes:
    """The write-ahead log."""
    return path.with_name(path.name + "-wal").read_bytes()


def test_erasing_during_a_backup_waits_for_a_moment_and_once(tmp_path: Path) -> None:
    """What is removed while somebody reads goes with the first change after that, whatever it is."""
    path = tmp_path / "central.db"
    store = SqliteStore(path)
    hold(store, b"1" * 32, b"2" * 32)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM bodies").fetchone() == (2,)
    said: list[str] = []
    store._connection.set_trace_callback(said.append)
    for digest in (b"1" * 32, b"2" * 32):
        with store.write() as writer:
            writer.erase([digest])
    store._connection.set_trace_callback(None)
    waits = [before for before, after in itertools.pairwise(said) if "wal_checkpoint" in after]
    assert waits == ["PRAGMA busy_timeout=200", "PRAGMA busy_timeout=0"]
    assert BODY in wal(path)  # the control: it does linger there
    reader.close()
    with store.write() as writer:
        writer.tombstone(b"t" * 32, b"synthetic")
    assert wal(path) == b""
    assert BODY not in path.read_bytes()
    store.close()


def test_a_moment_that_the_disk_has_ended_already_ends_in_its_own_error(tmp_path: Path) -> None:
    """SQLite rolls back by itself when a disk fails: what is told is that, not that there is nothing to roll back."""
    store = SqliteStore(tmp_path / "central.db")
    with pytest.raises(OSError, match="failed"), store.snapshot():
        store._connection.execute("ROLLBACK")
        raise OSError("failed")
    store.close()
