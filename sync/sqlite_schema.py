"""Central's tables on SQLite, and how a central of an earlier version is brought up to date without losing a row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from sqlite_utils import Database, Migrations

from fieldsurvey.base.sqlite import DatabaseDamagedError
from sync.errors import NewerCentralError
from sync.sqlite_current import SCHEMA

migrations = Migrations("central")


@migrations()
def grow_only_sets(db: Database) -> None:
    """The sets that batches merge into. An entry's key has its head: a fork is two entries at one position."""
    for statement in (
        """CREATE TABLE devices (device TEXT NOT NULL, card BLOB NOT NULL, PRIMARY KEY (device, card))
            STRICT, WITHOUT ROWID""",
        """CREATE TABLE entries (
            device TEXT NOT NULL, seq INTEGER NOT NULL, head BLOB NOT NULL,
            previous BLOB NOT NULL, record_hash BLOB NOT NULL, case_id TEXT NOT NULL, revision INTEGER NOT NULL,
            kind TEXT NOT NULL, parent BLOB, withdrawal BLOB, PRIMARY KEY (device, seq, head)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX entries_by_case ON entries (case_id)",
        "CREATE TABLE bodies (hash BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT",
        """CREATE TABLE signatures (device TEXT NOT NULL, seq INTEGER NOT NULL, head BLOB NOT NULL,
            signature BLOB NOT NULL, PRIMARY KEY (device, seq, head)) STRICT, WITHOUT ROWID""",
        """CREATE TABLE batches (manifest BLOB PRIMARY KEY, device TEXT NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, seen TEXT NOT NULL) STRICT, WITHOUT ROWID""",
        """CREATE TABLE tombstones (tag BLOB NOT NULL, data BLOB NOT NULL, PRIMARY KEY (tag, data))
            STRICT, WITHOUT ROWID""",
        """CREATE TABLE projects (version INTEGER NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL,
            PRIMARY KEY (version, digest)) STRICT""",
    ):
        db.conn.execute(statement)


@migrations()
def erased_and_passed_on(db: Database) -> None:
    """What is erased, what a device erased itself, what central passes on, what a backup holds."""
    for statement in (
        """CREATE TABLE absent (
            device TEXT NOT NULL, seq INTEGER NOT NULL, head BLOB NOT NULL, previous BLOB NOT NULL,
            record_hash BLOB NOT NULL, PRIMARY KEY (device, seq, head)) STRICT, WITHOUT ROWID""",
        "CREATE TABLE erased (hash BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
        """CREATE TABLE notices (kind TEXT NOT NULL, digest BLOB NOT NULL, device TEXT NOT NULL, data BLOB NOT NULL,
            PRIMARY KEY (kind, digest)) STRICT""",
        """CREATE TABLE covered (device TEXT NOT NULL, seq INTEGER NOT NULL, head BLOB NOT NULL,
            PRIMARY KEY (device, seq, head)) STRICT, WITHOUT ROWID""",
        "CREATE TABLE last_backup (at TEXT NOT NULL) STRICT",
    ):
        db.conn.execute(statement)


@migrations()
def moved_away(db: Database) -> None:
    """Where central was moved to: whoever still has this file open writes nothing into it any more."""
    db.conn.execute("CREATE TABLE moved (place TEXT NOT NULL) STRICT")


@migrations()
def signed_backups(db: Database) -> None:
    """What central signed of a backup. What was noted before has nothing, and is not believed any more."""
    db.conn.execute("ALTER TABLE covered ADD COLUMN note BLOB")


def migrate(
    connection: sqlite3.Connection,
    place: str,
    rows: Callable[[str], Iterator[tuple[Any, ...]]],
    locked: Callable[[], AbstractContextManager[None]],
) -> None:
    """Bring its tables up to date, in a transaction that `locked` gives. Raises StorageError; then nothing was changed.

    `rows` runs a query and tells its errors in our words.

    What is not ours, was made by a newer version, or has lost a table or the record of one is refused by name.
    """
    fresh = Database(memory=True)
    migrations.apply(fresh)
    known = [migration.name for migration in migrations.applied(fresh)]
    database = Database(connection, execute_plugins=False)
    if list(rows(SCHEMA)) and not database["_sqlite_migrations"].exists():
        raise DatabaseDamagedError(place=place)  # somebody else's: nothing of ours is put into it
    try:
        applied = [migration.name for migration in migrations.applied(database)]
    except (KeyError, UnicodeError, sqlite3.Error):  # a damaged name: SQLite itself still takes it for a database
        raise DatabaseDamagedError(place=place) from None
    if set(applied) - set(known):
        raise NewerCentralError(place=place)
    ours = [row for row in rows(SCHEMA) if row[1] != "_sqlite_migrations"]
    if applied != known[: len(applied)] or (ours and not applied):  # a record of a migration was lost
        raise DatabaseDamagedError(place=place)
    if applied != known:
        with locked():  # savepoints inside it: two processes that both create it wait for each other
            migrations.apply(database)
    if list(rows(SCHEMA)) != [tuple(row) for row in fresh.conn.execute(SCHEMA)]:
        raise DatabaseDamagedError(place=place)
