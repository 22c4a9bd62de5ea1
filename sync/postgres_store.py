"""Central on PostgreSQL 15 or newer: for when many sites write at once. It holds what it is given; it verifies nothing.

Writers run beside each other: there is no sequence, no counter and no lock that all of them would meet at. See
postgres_writer.py for how rows come in, postgres_link.py for connections, postgres_schema.py for the tables.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from sync.errors import CentralGoneError, CentralMovedError
from sync.merge import Link as ChainLink
from sync.merge import Version
from sync.postgres_link import TRIES, Link, Query, Values
from sync.postgres_schema import Connection, broken_indexes, has_shape, is_there, prepare
from sync.postgres_writer import PostgresWriter, prepare_stage
from sync.sets import BODIES, ERASED, Row, SetSpec
from sync.store import AbsentEntry, Counts, Covered, Notice, SeenBatch, StoredDevice, StoredEntry, StoredProject

_ENTRY: Final = "device, seq, head, previous, record_hash, case_id, revision, kind, parent, withdrawal"
_SWEEP: Final = 60.0  # seconds: erasing is a transaction a case, and each sweep looks at the whole table
_FEW: Final = 16  # bodies: up to 16 MiB each


class PostgresStore:
    """See sync.store.Store. One per thread; several processes and machines may write at once."""

    def __init__(self, dsn: str, *, wait: float = 60.0, patience: float = 10.0, create: bool = True) -> None:
        """Opens the database and brings its tables up to date; `found`: they are there, or `create` let them be made.

        `dsn`: libpq's, without a password (libpq has means of its own for those). `wait`: seconds to wait for another
        writer of the same rows; `patience`: seconds to wait for a server that does not answer. Raises StorageError.
        """
        self._link = Link(dsn, wait=wait, patience=patience)
        self._writing: Connection | None = None
        self._unswept = 0
        self._swept = time.monotonic()
        with self._link.borrowed() as connection:
            self.found = create or is_there(connection)
            if self.found:
                prepare(connection, self.place)

    @property
    def place(self) -> str:
        """Host and database."""
        return self._link.place

    @property
    def identity(self) -> str:
        """The server's start and the database's number."""
        query = """SELECT extract(epoch FROM pg_postmaster_start_time())::text || ' ' || oid::text FROM pg_database
                   WHERE datname = current_database()"""
        return f"postgresql {self._one(query)}"

    def close(self) -> None:
        """Close every connection."""
        self._link.close()
        if self._writing is not None and not self._writing.closed:
            if self._unswept:
                self._vacuum()
            self._writing.close()

    @contextmanager
    def write(self) -> Iterator[PostgresWriter]:
        """One transaction, all or nothing. Beginning is tried again; what the block does is the caller's to repeat."""
        writer = PostgresWriter(self._begin())
        with self._finished():
            yield writer
            writer.flush()
        self._unswept += writer.removed
        if self._unswept and time.monotonic() - self._swept > _SWEEP:
            self._vacuum()

    def _begin(self) -> Connection:
        for left in reversed(range(TRIES)):
            try:
                if self._writing is None or self._writing.closed:
                    self._writing = self._link.connect()
                    prepare_stage(self._writing)
                self._writing.execute("BEGIN")
                moved = self._writing.execute("SELECT place FROM fieldsurvey.moved").fetchone()
            except psycopg.Error as error:
                self._roll_back()
                typed = self._link.error(error)
                if not isinstance(typed, CentralGoneError) or not left:
                    raise typed from error
                continue
            if moved is None:
                return self._writing
            self._roll_back()
            raise CentralMovedError(place=self.place, to=moved[0])
        raise AssertionError  # the last try returned or raised

    @contextmanager
    def _finished(self) -> Iterator[None]:
        try:
            yield
            self._commit()
        except psycopg.Error as error:
            self._roll_back()
            raise self._link.error(error) from error
        except BaseException:
            self._roll_back()
            raise

    def _commit(self) -> None:
        """COMMIT of a transaction that failed is a rollback without an error: that must not look like success."""
        connection = self._writing
        if connection is None or connection.info.transaction_status != TransactionStatus.INTRANS:
            raise CentralGoneError(place=self.place, reason="COMMIT")
        if connection.execute("COMMIT").statusmessage != "COMMIT":
            raise CentralGoneError(place=self.place, reason="COMMIT")

    def _roll_back(self) -> None:
        """Where that cannot be said to the server, closing the connection says it."""
        connection = self._writing
        if connection is None:
            return
        if connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
            with contextlib.suppress(psycopg.Error):
                connection.execute("ROLLBACK")
        if connection.closed or connection.info.transaction_status != TransactionStatus.IDLE:
            connection.close()
            self._writing = None

    def _vacuum(self) -> None:
        """Give the space of removed bodies back to be overwritten. The server does so by itself too, only later."""
        self._swept, self._unswept = time.monotonic(), 0
        if self._writing is not None:
            with contextlib.suppress(psycopg.Error):
                self._writing.execute("VACUUM (SKIP_LOCKED) fieldsurvey.bodies")

    @contextmanager
    def retire(self, to: str) -> Iterator[None]:
        """Keep every other writer out for the length of the block, and for good after it: see sync.store.Store."""
        connection = self._begin()
        with self._finished():
            connection.execute("LOCK TABLE fieldsurvey.moved IN ACCESS EXCLUSIVE MODE")  # waits for those under way
            yield
            connection.execute("INSERT INTO fieldsurvey.moved VALUES (%s)", (to,))

    def reopen(self) -> None:
        """Take writes again after `retire`."""
        with self._link.borrowed() as connection:
            connection.execute("DELETE FROM fieldsurvey.moved")

    def moved(self) -> str | None:
        """Where it was moved to."""
        found: str | None = self._one("SELECT place FROM fieldsurvey.moved")
        return found

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything that is read in the block is of one moment."""
        with self._link.snapshot():
            yield

    def rows(self, spec: SetSpec, *, keys: bool = False) -> Iterator[Row]:
        """A set's rows, or only their keys, in the order of the keys."""
        names = spec.key_names if keys else spec.names
        where = {BODIES: "WHERE body IS NOT NULL", ERASED: "WHERE body IS NULL"}.get(spec, "")
        query = sql.SQL("SELECT {names} FROM {table} {where} ORDER BY {keys}").format(
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            table=sql.Identifier("fieldsurvey", BODIES.name if spec is ERASED else spec.name),
            where=sql.SQL(where),
            keys=sql.SQL(", ").join(map(sql.Identifier, spec.key_names)),
        )
        return self._link.stream(query, page=_FEW if spec is BODIES and not keys else 1024)

    def _one(self, query: Query, values: Values = ()) -> Any:
        row = next(iter(self._link.all(query, values)), None)
        return row[0] if row else None

    def missing(self, device: str, wanted: Sequence[tuple[int, bytes]], *, brought: bool = False) -> int:
        """How many are not held."""
        if not wanted:
            return 0
        query = """SELECT head FROM fieldsurvey.entries WHERE device = %(device)s AND seq BETWEEN %(first)s AND %(last)s
                   AND EXISTS (SELECT 1 FROM fieldsurvey.bodies WHERE hash = record_hash)"""
        if not brought:
            query += """ UNION ALL SELECT head FROM fieldsurvey.absent
                         WHERE device = %(device)s AND seq BETWEEN %(first)s AND %(last)s"""
        values = {"device": device, "first": wanted[0][0], "last": wanted[-1][0]}
        held = {head for (head,) in self._link.all(query, values)}
        return sum(head not in held for _seq, head in wanted)

    def devices(self, device: str | None = None) -> list[StoredDevice]:
        """By id and card."""
        query = """SELECT device, card FROM fieldsurvey.devices
                   WHERE %(device)s::text IS NULL OR device = %(device)s ORDER BY device, card"""
        return [StoredDevice(*row) for row in self._link.all(query, {"device": device})]

    def project(self) -> StoredProject | None:
        """The newest version seen."""
        query = "SELECT version, digest, data FROM fieldsurvey.projects ORDER BY version DESC, digest DESC LIMIT 1"
        return next((StoredProject(*row) for row in self._link.all(query)), None)

    def entries(self, device: str) -> Iterator[StoredEntry]:
        """By (seq, head)."""
        query = f"SELECT {_ENTRY} FROM fieldsurvey.entries WHERE device = %s ORDER BY seq, head"  # noqa: S608  constants only
        return (StoredEntry(*row) for row in self._link.stream(query, (device,)))

    def absent(self, device: str) -> Iterator[AbsentEntry]:
        """By (seq, head)."""
        query = """SELECT device, seq, head, previous, record_hash FROM fieldsurvey.absent WHERE device = %s
                   ORDER BY seq, head"""
        return (AbsentEntry(*row) for row in self._link.stream(query, (device,)))

    def links(self, device: str, after: int = 0) -> Iterator[ChainLink]:
        """The union, by (seq, head)."""
        query = """SELECT seq, head, previous FROM fieldsurvey.entries WHERE device = %(device)s AND seq > %(after)s
                   UNION SELECT seq, head, previous FROM fieldsurvey.absent
                   WHERE device = %(device)s AND seq > %(after)s ORDER BY seq, head"""
        return map(ChainLink._make, self._link.stream(query, {"device": device, "after": after}))

    def case(self, case: str) -> list[StoredEntry]:
        """By (device, seq, head)."""
        return self.cases([case])

    def cases(self, names: Sequence[str]) -> list[StoredEntry]:
        """By (case, device, seq, head)."""
        query = f"""SELECT {_ENTRY} FROM fieldsurvey.entries WHERE case_id = ANY(%s)
                    ORDER BY case_id, device, seq, head"""  # noqa: S608  constants only
        return [StoredEntry(*row) for row in self._link.all(query, (list(names),))]

    def withdrawn_cases(self) -> Iterator[str]:
        """By id."""
        query = """SELECT DISTINCT case_id FROM fieldsurvey.entries
                   WHERE withdrawal IN (SELECT tag FROM fieldsurvey.tombstones) ORDER BY case_id"""
        return (case for (case,) in self._link.stream(query))

    def erased(self, hashes: Sequence[bytes]) -> set[bytes]:
        """Which are noted."""
        query = "SELECT hash FROM fieldsurvey.bodies WHERE body IS NULL AND hash = ANY(%s)"
        return {digest for (digest,) in self._link.all(query, (list(hashes),))} if hashes else set()

    def notices(self, kind: str, device: str | None = None) -> Iterator[Notice]:
        """By digest."""
        query = """SELECT kind, digest, device, data FROM fieldsurvey.notices
                   WHERE kind = %(kind)s AND (%(device)s::text IS NULL OR device = %(device)s) ORDER BY digest"""
        return (Notice(*row) for row in self._link.stream(query, {"kind": kind, "device": device}, _FEW))

    def covered(self, device: str) -> list[Covered]:
        """By (seq, head)."""
        query = "SELECT device, seq, head, note FROM fieldsurvey.covered WHERE device = %s ORDER BY seq, head"
        return [Covered(*row) for row in self._link.all(query, (device,))]

    def last_backup(self) -> str | None:
        """When it was made."""
        found: str | None = self._one("SELECT at FROM fieldsurvey.last_backup")
        return found

    def signatures(self, device: str) -> Iterator[tuple[int, bytes, bytes]]:
        """By (seq, head)."""
        query = "SELECT seq, head, signature FROM fieldsurvey.signatures WHERE device = %s ORDER BY seq, head"
        return ((seq, head, signature) for seq, head, signature in self._link.stream(query, (device,)))

    def signature(self, device: str, seq: int, head: bytes) -> bytes | None:
        """If a batch ended there."""
        query = "SELECT signature FROM fieldsurvey.signatures WHERE device = %s AND seq = %s AND head = %s"
        found: bytes | None = self._one(query, (device, seq, head))
        return found

    def body(self, record_hash: bytes) -> bytes | None:
        """A sealed record."""
        found: bytes | None = self._one("SELECT body FROM fieldsurvey.bodies WHERE hash = %s", (record_hash,))
        return found

    def senders(self) -> list[str]:
        """The devices that signatures are kept of."""
        query = "SELECT DISTINCT device FROM fieldsurvey.signatures ORDER BY device"
        return [device for (device,) in self._link.all(query)]

    def mark(self) -> None:
        """Nothing tells."""

    def first_without_body(self, device: str) -> int | None:
        """The first position whose record is lost: a body that is erased still has its row."""
        query = """SELECT min(seq) FROM fieldsurvey.entries e WHERE device = %s
                   AND NOT EXISTS (SELECT 1 FROM fieldsurvey.bodies b WHERE b.hash = e.record_hash)
                   AND NOT EXISTS (SELECT 1 FROM fieldsurvey.absent a
                                   WHERE a.device = e.device AND a.seq = e.seq AND a.head = e.head)"""
        found: int | None = self._one(query, (device,))
        return found

    def unclaimed_bodies(self) -> int:
        """How many bodies no entry speaks of."""
        query = """SELECT count(*) FROM fieldsurvey.bodies b WHERE body IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM fieldsurvey.entries e WHERE e.record_hash = b.hash)"""
        return int(self._one(query))

    def check(self) -> list[str]:
        """What the catalogue says of our tables and indexes; the server checks its pages when it reads them."""

        def look(connection: Connection) -> list[str]:
            shape = [] if has_shape(connection) else ["schema fieldsurvey"]
            return shape + [f"index {name}" for name in broken_indexes(connection)]

        return self._link.again(look)

    def versions(self) -> Iterator[Version]:
        """By case."""
        query = """SELECT case_id, revision, device, record_hash, parent, withdrawal, seq, head
                   FROM fieldsurvey.entries WHERE kind = 'record' ORDER BY case_id"""
        return (Version(*row) for row in self._link.stream(query))

    def held(self, device: str, seq: int) -> tuple[int, int]:
        """How many entries up to there, and how many absent ones."""
        query = """SELECT (SELECT count(*) FROM fieldsurvey.entries WHERE device = %(device)s AND seq <= %(seq)s),
                   (SELECT count(*) FROM fieldsurvey.absent WHERE device = %(device)s AND seq <= %(seq)s)"""
        ((entries, absent),) = self._link.all(query, {"device": device, "seq": seq})
        return entries, absent

    def case_count(self) -> int:
        """How many."""
        return int(self._one("SELECT count(DISTINCT case_id) FROM fieldsurvey.entries"))

    def unusual_cases(self, usual: Collection[str]) -> Iterator[str]:
        """In no particular order."""
        query = """SELECT case_id FROM fieldsurvey.entries GROUP BY case_id
                   HAVING count(*) > 1 OR bool_or(kind <> 'record' OR parent IS NOT NULL OR device <> ALL(%s)
                       OR coalesce(withdrawal IN (SELECT tag FROM fieldsurvey.tombstones), false))"""
        return (case for (case,) in self._link.stream(query, (list(usual),)))

    def entries_from(self, device: str, seq: int) -> int:
        """How many from `seq` on."""
        return int(self._one("SELECT count(*) FROM fieldsurvey.entries WHERE device = %s AND seq >= %s", (device, seq)))

    def tombstones(self) -> Iterator[tuple[bytes, bytes]]:
        """Every withdrawal."""
        query = "SELECT tag, data FROM fieldsurvey.tombstones ORDER BY tag, data"
        return ((tag, data) for tag, data in self._link.stream(query))

    def batches(self) -> Iterator[SeenBatch]:
        """What was merged."""
        query = "SELECT manifest, device, first, last, seen FROM fieldsurvey.batches"
        return (SeenBatch(*row) for row in self._link.stream(query))

    def counts(self) -> Counts:
        """How much is there."""
        query = """SELECT (SELECT count(DISTINCT device) FROM fieldsurvey.devices),
            (SELECT count(*) FROM fieldsurvey.entries), count(body), coalesce(sum(octet_length(body)), 0)::bigint,
            (SELECT count(*) FROM fieldsurvey.batches), (SELECT count(*) FROM fieldsurvey.tombstones),
            (SELECT count(*) FROM fieldsurvey.absent), count(*) FILTER (WHERE body IS NULL) FROM fieldsurvey.bodies"""
        (row,) = self._link.all(query)
        return Counts(*row)
