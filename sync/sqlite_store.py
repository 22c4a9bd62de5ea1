"""Central on SQLite: one file, never on a stick or a share. It holds what it is given; it verifies nothing."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database, Migrations

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.sqlite import DatabaseBusyError, DatabaseDamagedError, open_sqlite, sqlite_error, transaction
from sync.errors import CentralBusyError, NewerCentralError
from sync.merge import Version
from sync.store import Counts, SeenBatch, StoredDevice, StoredEntry, StoredProject

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


_ENTRY = "device, seq, head, previous, record_hash, case_id, revision, kind, parent, withdrawal"
# ON CONFLICT names the key: INSERT OR IGNORE would also swallow a broken NOT NULL, and with it a record.
_PUT_ENTRY = f"INSERT INTO entries ({_ENTRY}) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (device, seq, head) DO NOTHING"  # noqa: S608  constants only
_PUT_DEVICE = "INSERT INTO devices VALUES (?,?) ON CONFLICT (device, card) DO NOTHING"
_PUT_BODY = "INSERT INTO bodies (hash, body) VALUES (?,?) ON CONFLICT (hash) DO NOTHING"
_PUT_SIGNATURE = "INSERT INTO signatures VALUES (?,?,?,?) ON CONFLICT (device, seq, head) DO NOTHING"
_PUT_BATCH = "INSERT INTO batches VALUES (?,?,?,?,?) ON CONFLICT (manifest) DO NOTHING"
_PUT_TOMBSTONE = "INSERT INTO tombstones VALUES (?,?) ON CONFLICT (tag, data) DO NOTHING"
_PUT_PROJECT = "INSERT INTO projects VALUES (?,?,?) ON CONFLICT (version, digest) DO NOTHING"
_SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite%' ORDER BY name"


class SqliteWriter:
    """The sets, inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute

    def device(self, device: StoredDevice) -> None:
        """A device's card."""
        self._run(_PUT_DEVICE, (device.device, device.card))

    def entry(self, entry: StoredEntry, body: bytes) -> bool:
        """An entry and its record; True if the entry is new."""
        self._run(_PUT_BODY, (entry.record_hash, body))
        values = (
            entry.device,
            entry.seq,
            entry.head,
            entry.previous,
            entry.record_hash,
            entry.case,
            entry.revision,
            entry.kind,
            entry.parent,
            entry.withdrawal,
        )
        return self._run(_PUT_ENTRY, values).rowcount > 0

    def signature(self, device: str, seq: int, head: bytes, signature: bytes) -> None:
        """A verified signature."""
        self._run(_PUT_SIGNATURE, (device, seq, head, signature))

    def batch(self, batch: SeenBatch) -> None:
        """That a batch was merged."""
        self._run(_PUT_BATCH, (batch.manifest, batch.device, batch.first, batch.last, batch.seen))

    def tombstone(self, tag: bytes, data: bytes) -> None:
        """A verified withdrawal."""
        self._run(_PUT_TOMBSTONE, (tag, data))

    def project(self, project: StoredProject) -> None:
        """A verified version of the project."""
        self._run(_PUT_PROJECT, (project.version, project.digest, project.data))


class SqliteStore:
    """See sync.store.Store. `wait`: seconds to wait for another writer before saying who it is."""

    def __init__(self, path: Path, *, wait: float = 60.0) -> None:
        """Opens or creates it and brings its tables up to date. Raises StorageError."""
        self._path = path
        self._wait = wait
        self._holder = path.with_name(path.name + ".holder")
        self._connection = open_sqlite(path)
        try:
            self._migrate()
        except BaseException:
            self._connection.close()
            raise

    @property
    def place(self) -> str:
        """The path."""
        return str(self._path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _migrate(self) -> None:
        fresh = Database(memory=True)
        migrations.apply(fresh)
        known = {migration.name for migration in migrations.applied(fresh)}
        database = Database(self._connection, execute_plugins=False)
        if self._schema() and not database["_sqlite_migrations"].exists():
            raise DatabaseDamagedError(place=self.place)  # somebody else's: nothing of ours is put into it
        try:
            applied = {migration.name for migration in migrations.applied(database)}
        except (KeyError, UnicodeError, sqlite3.Error):  # a damaged name: SQLite itself still takes it for a database
            raise DatabaseDamagedError(place=self.place) from None
        if applied - known:
            raise NewerCentralError(place=self.place)
        if applied != known:
            with self._locked():  # savepoints inside it: two processes that both create it wait for each other
                migrations.apply(database)
        if self._schema() != [tuple(row) for row in fresh.conn.execute(_SCHEMA)]:
            raise DatabaseDamagedError(place=self.place)

    def _schema(self) -> list[tuple[Any, ...]]:
        return list(self._rows(_SCHEMA))

    @contextmanager
    def write(self) -> Iterator[SqliteWriter]:
        """One transaction, all or nothing."""
        with self._locked():
            self._say_who()
            try:
                yield SqliteWriter(self._connection)
            finally:
                with contextlib.suppress(OSError):  # a courtesy as well: a merge must not fail for it
                    self._holder.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._connection.execute(f"PRAGMA busy_timeout={max(1, int(self._wait * 1000))}")
            with transaction(self._connection, self._path):
                yield
        except DatabaseBusyError:
            raise CentralBusyError(place=self.place, holder=self._who()) from None

    def _say_who(self) -> None:
        """A note for the others; SQLite's own lock decides, this only says who holds it."""
        note = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat("T", "seconds"),
        }
        try:
            self._holder.write_text(json.dumps(note), encoding="utf-8")
        except OSError:  # the note is a courtesy: without it the message is only less exact
            return

    def _who(self) -> str:
        try:
            note = json.loads(self._holder.read_text(encoding="utf-8"))
            return _("process {process} on {host}, since {since}").format(**note)
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            return _("it does not say who it is")

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            cursor = self._connection.execute(sql, values)
            while rows := cursor.fetchmany(256):
                yield from rows
        except sqlite3.Error as error:
            if not getattr(error, "sqlite_errorcode", 0):  # Python's own: a text that is no text
                raise DatabaseDamagedError(place=self.place) from error
            raise sqlite_error(error, self._path) from error
        except UnicodeError:  # its message quotes what is damaged
            raise DatabaseDamagedError(place=self.place) from None

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        row = next(self._rows(sql, values), None)
        return row[0] if row else None

    def missing(self, device: str, wanted: Sequence[tuple[int, bytes]]) -> int:
        """How many are not held with their body."""
        if not wanted:
            return 0
        sql = """SELECT head FROM entries JOIN bodies ON bodies.hash = entries.record_hash
                 WHERE device = ? AND seq BETWEEN ? AND ?"""
        held = {head for (head,) in self._rows(sql, (device, wanted[0][0], wanted[-1][0]))}
        return sum(head not in held for _seq, head in wanted)

    def devices(self) -> list[StoredDevice]:
        """By id."""
        return [StoredDevice(*row) for row in self._rows("SELECT device, card FROM devices ORDER BY device")]

    def project(self) -> StoredProject | None:
        """The newest version seen."""
        sql = "SELECT version, digest, data FROM projects ORDER BY version DESC, digest DESC LIMIT 1"
        row = next(self._rows(sql), None)
        return StoredProject(*row) if row else None

    def entries(self, device: str) -> Iterator[StoredEntry]:
        """By (seq, head)."""
        sql = f"SELECT {_ENTRY} FROM entries WHERE device = ? ORDER BY seq, head"  # noqa: S608  constants only
        return (StoredEntry(*row) for row in self._rows(sql, (device,)))

    def signatures(self, device: str) -> Iterator[tuple[int, bytes, bytes]]:
        """By (seq, head)."""
        sql = "SELECT seq, head, signature FROM signatures WHERE device = ? ORDER BY seq, head"
        return ((seq, head, signature) for seq, head, signature in self._rows(sql, (device,)))

    def signature(self, device: str, seq: int, head: bytes) -> bytes | None:
        """If a batch ended there."""
        sql = "SELECT signature FROM signatures WHERE device = ? AND seq = ? AND head = ?"
        found: bytes | None = self._one(sql, (device, seq, head))
        return found

    def body(self, record_hash: bytes) -> bytes | None:
        """A sealed record."""
        found: bytes | None = self._one("SELECT body FROM bodies WHERE hash = ?", (record_hash,))
        return found

    def senders(self) -> list[str]:
        """The devices that signatures are kept of."""
        return [row[0] for row in self._rows("SELECT DISTINCT device FROM signatures ORDER BY device")]

    def first_without_body(self, device: str) -> int | None:
        """The first position of a log whose record is not held."""
        sql = """SELECT min(seq) FROM entries WHERE device = ?
                 AND NOT EXISTS (SELECT 1 FROM bodies WHERE bodies.hash = entries.record_hash)"""
        found: int | None = self._one(sql, (device,))
        return found

    def unclaimed_bodies(self) -> int:
        """How many bodies no entry speaks of. Holds the hashes of one side in memory: 32 bytes a record."""
        claimed = self._one("SELECT count(*) FROM (SELECT hash FROM bodies INTERSECT SELECT record_hash FROM entries)")
        return int(self._one("SELECT count(*) FROM bodies")) - int(claimed)

    def check(self) -> list[str]:
        """SQLite's own check."""
        return [row[0] for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]

    def versions(self) -> Iterator[Version]:
        """By case: the index gives the order, nothing is sorted in memory."""
        sql = """SELECT case_id, revision, device, record_hash, parent, withdrawal, seq, head
                 FROM entries INDEXED BY entries_by_case WHERE kind = 'record' ORDER BY case_id"""
        return (Version(*row) for row in self._rows(sql))

    def entries_from(self, device: str, seq: int) -> int:
        """How many from `seq` on."""
        return int(self._one("SELECT count(*) FROM entries WHERE device = ? AND seq >= ?", (device, seq)))

    def tombstones(self) -> Iterator[tuple[bytes, bytes]]:
        """Every withdrawal."""
        return ((tag, data) for tag, data in self._rows("SELECT tag, data FROM tombstones ORDER BY tag, data"))

    def batches(self) -> Iterator[SeenBatch]:
        """What was merged."""
        return (SeenBatch(*row) for row in self._rows("SELECT manifest, device, first, last, seen FROM batches"))

    def counts(self) -> Counts:
        """How much is there."""
        tables = ("devices", "entries", "bodies", "batches", "tombstones")
        found = {name: int(self._one(f"SELECT count(*) FROM {name}")) for name in tables}  # noqa: S608  constants only
        size = int(self._one("SELECT coalesce(sum(length(body)), 0) FROM bodies"))
        return Counts(body_bytes=size, **found)
