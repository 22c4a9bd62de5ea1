"""SQLite as we open it: durable pragmas, transactions that are all or nothing, typed errors."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fieldsurvey.base import files
from fieldsurvey.base.sqlite import DatabaseBusyError, DatabaseDamagedError, open_sqlite, transaction


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1), ("temp_store", 2)],
)
def test_the_pragmas_hold(tmp_path: Path, pragma: str, value: object) -> None:
    """The settings of the security design are in force on a fresh connection."""
    assert open_sqlite(tmp_path / "a.db").execute(f"PRAGMA {pragma}").fetchone()[0] == value


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    """An error in the middle leaves nothing of it."""
    db = open_sqlite(tmp_path / "a.db")
    db.execute("CREATE TABLE t (x)")
    with pytest.raises(ZeroDivisionError), transaction(db, "a"):
        db.execute("INSERT INTO t VALUES (1)")
        raise ZeroDivisionError
    assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)
    with transaction(db, "a"):
        db.execute("INSERT INTO t VALUES (1)")
    assert db.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_a_full_disk_is_typed_and_loses_nothing(tmp_path: Path) -> None:
    """SQLITE_FULL becomes NoSpaceError; what was committed stands; room again, and it works."""
    db = open_sqlite(tmp_path / "a.db")
    db.execute("CREATE TABLE t (x)")
    db.execute("INSERT INTO t VALUES ('kept')")
    db.execute("PRAGMA max_page_count = 4")
    with pytest.raises(files.NoSpaceError), transaction(db, "a"):
        db.execute("INSERT INTO t VALUES (randomblob(100000))")
    db.execute("PRAGMA max_page_count = 1000000")
    assert db.execute("SELECT x FROM t").fetchall() == [("kept",)]
    with transaction(db, "a"):
        db.execute("INSERT INTO t VALUES (randomblob(100000))")


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    """Garbage in place of the file: a typed error that names it, and the bytes are left alone."""
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database at all" * 500)
    with pytest.raises(DatabaseDamagedError):
        open_sqlite(path).execute("SELECT * FROM sqlite_master")
    assert path.read_bytes().startswith(b"not a database")


def test_a_second_writer_is_told(tmp_path: Path) -> None:
    """A database held by another connection is a typed refusal."""
    first, second = open_sqlite(tmp_path / "a.db"), open_sqlite(tmp_path / "a.db")
    second.execute("PRAGMA busy_timeout=0")
    with transaction(first, "a"), pytest.raises(DatabaseBusyError), transaction(second, "a"):
        pass
    assert not first.in_transaction


def test_a_programming_error_shows(tmp_path: Path) -> None:
    """A statement that is wrong is not dressed up as a storage error."""
    db = open_sqlite(tmp_path / "a.db")
    with pytest.raises(sqlite3.OperationalError), transaction(db, "a"):
        db.execute("SELECT nothing FROM nowhere")
