"""Central on SQLite: one file, never on a stick or a share. It holds what it is given; it verifies nothing."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.sqlite import DatabaseBusyError, DatabaseDamagedError, open_sqlite, sqlite_error, transaction
from sync.errors import CentralBusyError
from sync.merge import Link, Version
from sync.sqlite_current import is_current
from sync.sqlite_sets import SqliteSets, SqliteSetsWriter
from sync.store import (
    CHUNK_ROWS,
    AbsentEntry,
    Counts,
    Covered,
    Notice,
    SeenBatch,
    StoredDevice,
    StoredEntry,
    StoredProject,
    chunks,
)

AUTOCHECKPOINT = "PRAGMA wal_autocheckpoint=4000"
"""Pages, 16 MiB: a batch is some 4 MiB, and the pages of an index that several batches touch are carried over once."""
_ENTRY = "device, seq, head, previous, record_hash, case_id, revision, kind, parent, withdrawal"
# ON CONFLICT names the key: INSERT OR IGNORE would also swallow a broken NOT NULL, and with it a record.
_PUT_ENTRY = f"INSERT INTO entries ({_ENTRY}) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (device, seq, head) DO NOTHING"  # noqa: S608  constants only
_PUT_ABSENT = "INSERT INTO absent VALUES (?,?,?,?,?) ON CONFLICT (device, seq, head) DO NOTHING"
_PUT_ERASED = "INSERT INTO erased VALUES (?) ON CONFLICT (hash) DO NOTHING"
_PUT_NOTICE = "INSERT INTO notices VALUES (?,?,?,?) ON CONFLICT (kind, digest) DO NOTHING"
_PUT_COVERED = "INSERT INTO covered VALUES (?,?,?,?) ON CONFLICT (device, seq, head) DO NOTHING"
_PUT_DEVICE = "INSERT INTO devices VALUES (?,?) ON CONFLICT (device, card) DO NOTHING"
_PUT_BODY = "INSERT INTO bodies (hash, body) VALUES (?,?) ON CONFLICT (hash) DO NOTHING"
_PUT_SIGNATURE = "INSERT INTO signatures VALUES (?,?,?,?) ON CONFLICT (device, seq, head) DO NOTHING"
_PUT_BATCH = "INSERT INTO batches VALUES (?,?,?,?,?) ON CONFLICT (manifest) DO NOTHING"
_PUT_TOMBSTONE = "INSERT INTO tombstones VALUES (?,?) ON CONFLICT (tag, data) DO NOTHING"
_PUT_PROJECT = "INSERT INTO projects VALUES (?,?,?) ON CONFLICT (version, digest) DO NOTHING"
_MOMENT = 200
"""Milliseconds that emptying the write-ahead log waits for whoever reads."""


def _erased_among(count: int) -> str:
    return f"SELECT hash FROM erased WHERE hash IN ({','.join('?' * count)})"  # noqa: S608  question marks only


class SqliteWriter(SqliteSetsWriter):
    """The sets, inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._run = connection.execute
        self._many = connection.executemany
        self.removed = 0  # bodies: their bytes are to leave the file, not only the table

    def device(self, device: StoredDevice) -> None:
        """A device's card."""
        self._run(_PUT_DEVICE, (device.device, device.card))

    def entries(self, rows: Iterable[tuple[StoredEntry, bytes | None]]) -> int:
        """Entries with their records, in bulk; how many of the entries are new."""
        return sum(self._chunk(chunk) for chunk in chunks(rows))

    def _chunk(self, chunk: list[tuple[StoredEntry, bytes | None]]) -> int:
        gone = self._noted([entry.record_hash for entry, _body in chunk])
        bodies = [(entry.record_hash, body) for entry, body in chunk if entry.record_hash not in gone]
        self.erase(digest for digest, body in bodies if body is None)
        self._many(_PUT_BODY, [row for row in bodies if row[1] is not None])
        return self._many(_PUT_ENTRY, [entry for entry, _body in chunk]).rowcount

    def _noted(self, hashes: Sequence[bytes]) -> set[bytes]:
        if self._run("SELECT 1 FROM erased LIMIT 1").fetchone() is None:
            return set()
        return {row[0] for row in self._run(_erased_among(len(hashes)), hashes)}

    def absent(self, rows: Iterable[AbsentEntry]) -> int:
        """Entries that their device erased; how many are new."""
        values = ((row.device, row.seq, row.head, row.previous, row.record_hash) for row in rows)
        return self._many(_PUT_ABSENT, values).rowcount

    def erase(self, hashes: Iterable[bytes]) -> int:
        """Remove bodies and note their hashes; how many are newly noted."""
        new = 0
        for digest in hashes:
            new += self._run(_PUT_ERASED, (digest,)).rowcount
            self.removed += self._run("DELETE FROM bodies WHERE hash = ?", (digest,)).rowcount
        return new

    def discard(self, hashes: Iterable[bytes]) -> int:
        """Remove bodies without a note; how many."""
        gone = sum(self._run("DELETE FROM bodies WHERE hash = ?", (digest,)).rowcount for digest in hashes)
        self.removed += gone
        return gone

    def notice(self, notice: Notice) -> bool:
        """A verified file to pass on."""
        return self._run(_PUT_NOTICE, (notice.kind, notice.digest, notice.device, notice.data)).rowcount > 0

    def forget(self, kind: str, digests: Iterable[bytes]) -> int:
        """Files that are not passed on any more; their bytes leave the file too."""
        sql = "DELETE FROM notices WHERE kind = ? AND digest = ?"
        gone = sum(self._run(sql, (kind, digest)).rowcount for digest in digests)
        self.removed += gone
        return gone

    def covered(self, rows: Iterable[Covered], at: str) -> None:
        """What the newest backup holds."""
        self._run("DELETE FROM covered")
        self._run("DELETE FROM last_backup")
        self._many(_PUT_COVERED, rows)
        self._run("INSERT INTO last_backup VALUES (?)", (at,))

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


class SqliteStore(SqliteSets):
    """See sync.store.Store. `wait`: seconds to wait for another writer before saying who it is."""

    def __init__(self, path: Path, *, wait: float = 60.0) -> None:
        """Opens or creates it and brings its tables up to date. Raises StorageError."""
        self._path = path
        self._wait = wait
        self._holder = path.with_name(path.name + ".holder")
        self._unswept = False
        self._removed = 0
        self._connection = open_sqlite(path)
        try:
            self._connection.execute(AUTOCHECKPOINT)
            if not is_current(self._rows):
                # start-up and memory: sqlite-utils costs 0.1 s and 15 MiB, see sync.sqlite_current
                from sync.sqlite_schema import migrate

                migrate(self._connection, self.place, self._rows, self._locked)
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

    @contextmanager
    def write(self) -> Iterator[SqliteWriter]:
        """One transaction, all or nothing."""
        with self._locked():
            self.refuse_if_moved()
            self._say_who()
            writer = SqliteWriter(self._connection)
            try:
                yield writer
            finally:
                with contextlib.suppress(OSError):  # a courtesy as well: a merge must not fail for it
                    self._holder.unlink(missing_ok=True)
        self._removed += writer.removed
        if writer.removed or self._unswept:
            self._sweep(0 if self._unswept else _MOMENT)

    def _sweep(self, wait: int) -> None:
        """Empty the write-ahead log, where removed bodies linger. While somebody reads for long, as a backup does, that
        is left to the next change, or to whoever closes last: waiting each time would hold up every case.
        """
        self._unswept = True
        with contextlib.suppress(sqlite3.OperationalError):  # the disk is full: the next one does it
            self._connection.execute(f"PRAGMA busy_timeout={wait}")
            busy, _all, _done = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._unswept = bool(busy)
        with contextlib.suppress(sqlite3.OperationalError):  # what is read next waits as it did before
            self._connection.execute("PRAGMA busy_timeout=10000")

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

    def missing(self, device: str, wanted: Sequence[tuple[int, bytes]], *, brought: bool = False) -> int:
        """How many are not held."""
        if not wanted:
            return 0
        sql = """SELECT head FROM entries WHERE device = ?1 AND seq BETWEEN ?2 AND ?3 AND
                 (EXISTS (SELECT 1 FROM bodies WHERE hash = record_hash) OR
                  EXISTS (SELECT 1 FROM erased WHERE hash = record_hash))"""
        if not brought:
            sql += " UNION ALL SELECT head FROM absent WHERE device = ?1 AND seq BETWEEN ?2 AND ?3"
        held = {head for (head,) in self._rows(sql, (device, wanted[0][0], wanted[-1][0]))}
        return sum(head not in held for _seq, head in wanted)

    def devices(self, device: str | None = None) -> list[StoredDevice]:
        """By id and card."""
        where, values = ("", ()) if device is None else ("WHERE device = ?", (device,))
        sql = f"SELECT device, card FROM devices {where} ORDER BY device, card"  # noqa: S608  constants only
        return [StoredDevice(*row) for row in self._rows(sql, values)]

    def project(self) -> StoredProject | None:
        """The newest version seen."""
        sql = "SELECT version, digest, data FROM projects ORDER BY version DESC, digest DESC LIMIT 1"
        row = next(self._rows(sql), None)
        return StoredProject(*row) if row else None

    def entries(self, device: str) -> Iterator[StoredEntry]:
        """By (seq, head)."""
        sql = f"SELECT {_ENTRY} FROM entries WHERE device = ? ORDER BY seq, head"  # noqa: S608  constants only
        return (StoredEntry(*row) for row in self._rows(sql, (device,)))

    def absent(self, device: str) -> Iterator[AbsentEntry]:
        """By (seq, head)."""
        sql = "SELECT device, seq, head, previous, record_hash FROM absent WHERE device = ? ORDER BY seq, head"
        return (AbsentEntry(*row) for row in self._rows(sql, (device,)))

    def links(self, device: str, after: int = 0) -> Iterator[Link]:
        """The union, by (seq, head): both keys have that order, so it is a merge and no sort."""
        sql = "SELECT seq, head, previous FROM entries WHERE device = ?1 AND seq > ?2 ORDER BY seq, head"
        if self._one("SELECT 1 FROM absent WHERE device = ?", (device,)) is not None:
            sql = """SELECT seq, head, previous FROM entries WHERE device = ?1 AND seq > ?2
                     UNION SELECT seq, head, previous FROM absent WHERE device = ?1 AND seq > ?2 ORDER BY seq, head"""
        return map(Link._make, self._rows(sql, (device, after)))

    def case(self, case: str) -> list[StoredEntry]:
        """By (device, seq, head)."""
        return self.cases([case])

    def cases(self, names: Sequence[str]) -> list[StoredEntry]:
        """By (case, device, seq, head)."""
        marks = ",".join("?" * len(names))
        sql = f"SELECT {_ENTRY} FROM entries WHERE case_id IN ({marks}) ORDER BY case_id, device, seq, head"  # noqa: S608  constants only
        return [StoredEntry(*row) for row in self._rows(sql, names)]

    def withdrawn_cases(self) -> Iterator[str]:
        """By id. One look at every entry, in the order in which they lie: an index over tags would cost every merge."""
        if self._one("SELECT 1 FROM tombstones LIMIT 1") is None:
            return
        sql = "SELECT case_id FROM entries NOT INDEXED WHERE withdrawal IN (SELECT tag FROM tombstones)"
        yield from sorted({case for (case,) in self._rows(sql)})

    def erased(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Which are noted."""
        found: set[bytes] = set()
        for start in range(0, len(hashes), CHUNK_ROWS):
            part = hashes[start : start + CHUNK_ROWS]
            found.update(row[0] for row in self._rows(_erased_among(len(part)), part))
        return found

    def notices(self, kind: str, device: str | None = None) -> Iterator[Notice]:
        """By digest."""
        sql = """SELECT kind, digest, device, data FROM notices
                 WHERE kind = ?1 AND (?2 IS NULL OR device = ?2) ORDER BY digest"""
        return (Notice(*row) for row in self._rows(sql, (kind, device)))

    def covered(self, device: str) -> list[Covered]:
        """By (seq, head)."""
        sql = "SELECT device, seq, head, note FROM covered WHERE device = ? ORDER BY seq, head"
        return [Covered(*row) for row in self._rows(sql, (device,))]

    def last_backup(self) -> str | None:
        """When it was made."""
        found: str | None = self._one("SELECT at FROM last_backup")
        return found

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

    def mark(self) -> tuple[int, int]:
        """SQLite's own count of what other connections changed, and what this one removed."""
        return int(self._one("PRAGMA data_version")), self._removed

    def first_without_body(self, device: str) -> int | None:
        """The first position whose record is lost."""
        sql = """SELECT min(seq) FROM entries WHERE device = ?
                 AND NOT EXISTS (SELECT 1 FROM bodies WHERE bodies.hash = entries.record_hash)
                 AND NOT EXISTS (SELECT 1 FROM erased WHERE erased.hash = entries.record_hash)
                 AND NOT EXISTS (SELECT 1 FROM absent WHERE absent.device = entries.device
                                 AND absent.seq = entries.seq AND absent.head = entries.head)"""
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
        tables = ("entries", "bodies", "batches", "tombstones", "absent", "erased")
        found = {name: int(self._one(f"SELECT count(*) FROM {name}")) for name in tables}  # noqa: S608  constants only
        found["devices"] = int(self._one("SELECT count(DISTINCT device) FROM devices"))
        size = int(self._one("SELECT coalesce(sum(length(body)), 0) FROM bodies"))
        return Counts(body_bytes=size, **found)
