"""Writing into central on PostgreSQL: rows are copied into a temporary table, then added where they are not there yet.

Copying in takes no lock that anybody else could meet. Adding does, on the keys that are new, so it goes through them
in order: two writers of the same batch wait for each other and never in a circle. Should the database find one all
the same, the step is taken back to before it and done again; what was copied in is still there. Records, which are
long, are not copied in first: they would be written twice.
"""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self, TypeVar

from psycopg import errors, postgres, sql
from psycopg.adapt import Dumper
from psycopg.pq import Format

from sync.postgres_link import TRIES
from sync.postgres_schema import Connection
from sync.sets import ABSENT, BATCHES, BODIES, DEVICES, ENTRIES, ERASED, PROJECTS, SIGNATURES, TOMBSTONES, Row, SetSpec
from sync.store import AbsentEntry, Covered, Notice, SeenBatch, StoredDevice, StoredEntry, StoredProject, chunks

T = TypeVar("T")

_TYPES: Final = {"text": "text", "int": "int8", "bytes": "bytea"}
_BYTEA: Final = postgres.types["bytea"]
_STAGE: Final = """
    CREATE TEMPORARY TABLE IF NOT EXISTS stage_entries (
        device text COLLATE "C", seq bigint, head bytea, previous bytea, record_hash bytea, case_id text,
        revision bigint, kind text, parent bytea, withdrawal bytea) ON COMMIT DELETE ROWS"""
_COPY_ENTRIES: Final = "COPY stage_entries FROM STDIN (FORMAT BINARY)"
_ENTRY_TYPES: Final = [_TYPES[kind] for _name, kind in ENTRIES.columns]
_ADD_BODIES: Final = """
    INSERT INTO fieldsurvey.bodies (hash, body) SELECT * FROM unnest(%b, %b) ON CONFLICT (hash) DO NOTHING"""
_NOTE_ERASED: Final = """
    WITH wanted AS MATERIALIZED (SELECT DISTINCT hash FROM unnest(%s::bytea[]) AS hash ORDER BY hash),
    put AS (INSERT INTO fieldsurvey.bodies AS b (hash) SELECT hash FROM wanted ORDER BY hash
            ON CONFLICT (hash) DO UPDATE SET body = NULL WHERE b.body IS NOT NULL RETURNING 1)
    SELECT count(*) FROM put"""
_ADD_ENTRIES: Final = """
    INSERT INTO fieldsurvey.entries SELECT * FROM stage_entries
    ORDER BY device, seq, head ON CONFLICT (device, seq, head) DO NOTHING"""
_STAGE_OF: Final = """
    CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS SELECT {columns} FROM {table} LIMIT 0"""
_ADD_ROWS: Final = """
    INSERT INTO {table} ({columns}) SELECT {columns} FROM {stage} ORDER BY {keys} ON CONFLICT DO NOTHING"""


class Packed(bytes):
    """A bytea[] as the server reads it: made at once, for psycopg looks at every member by itself."""

    @classmethod
    def of(cls, values: Sequence[bytes]) -> Self:
        """Of these, none of them NULL."""
        head = struct.pack("!5i", 1, 0, _BYTEA.oid, len(values), 1)
        return cls(b"".join((head, *(part for value in values for part in (len(value).to_bytes(4, "big"), value)))))


class _PackedDumper(Dumper):
    oid = _BYTEA.array_oid
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        """As it is."""
        return obj


def _parts(spec: SetSpec) -> dict[str, sql.Composable]:
    """What the statements above are filled with."""
    return {
        "table": sql.Identifier("fieldsurvey", spec.name),
        "stage": sql.Identifier(f"stage_of_{spec.name}"),
        "columns": sql.SQL(", ").join(map(sql.Identifier, spec.names)),
        "keys": sql.SQL(", ").join(map(sql.Identifier, spec.key_names)),
    }


def prepare_stage(connection: Connection) -> None:
    """Make the temporary table of this connection. Once, outside a transaction."""
    connection.execute(_STAGE)
    connection.adapters.register_dumper(Packed, _PackedDumper)


class PostgresWriter:
    """The sets, inside one transaction. Small things are kept until its end, and added in one order by everybody."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._later: dict[SetSpec, list[Row]] = {}
        self._staged: list[sql.Composable] = []
        self.removed = 0  # bodies: their bytes are to leave the file, not only the table

    def device(self, device: StoredDevice) -> None:
        """A device's card."""
        self._keep(DEVICES, (device.device, device.card))

    def signature(self, device: str, seq: int, head: bytes, signature: bytes) -> None:
        """A verified signature."""
        self._keep(SIGNATURES, (device, seq, head, signature))

    def batch(self, batch: SeenBatch) -> None:
        """That a batch was merged."""
        self._keep(BATCHES, (batch.manifest, batch.device, batch.first, batch.last, batch.seen))

    def tombstone(self, tag: bytes, data: bytes) -> None:
        """A verified withdrawal."""
        self._keep(TOMBSTONES, (tag, data))

    def project(self, project: StoredProject) -> None:
        """A verified version of the project."""
        self._keep(PROJECTS, (project.version, project.digest, project.data))

    def _keep(self, spec: SetSpec, row: Row) -> None:
        self._later.setdefault(spec, []).append(row)

    def flush(self) -> None:
        """Add what was kept. At the end of the transaction, by whoever opened it."""
        self._step(self._add_kept)
        self._later.clear()

    def _add_kept(self) -> None:
        with self._connection.cursor() as cursor:
            for spec in (DEVICES, SIGNATURES, BATCHES, TOMBSTONES, PROJECTS):
                if rows := self._later.get(spec):
                    put = "INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"
                    values = sql.SQL(", ").join([sql.Placeholder()] * len(spec.columns))
                    cursor.executemany(sql.SQL(put).format(**_parts(spec), values=values), sorted(rows))

    def entries(self, rows: Iterable[tuple[StoredEntry, bytes | None]]) -> int:
        """Entries with their records, in chunks: while the server takes one in, the next is read and verified."""
        self._empty(sql.Identifier("stage_entries"))
        taken: Future[None] | None = None
        with ThreadPoolExecutor(1, "central") as beside:
            for chunk in chunks(rows):
                if taken is not None:
                    taken.result()
                taken = beside.submit(self._take, chunk)
            if taken is None:
                return 0
            taken.result()
        return self._step(self._add_entries)

    def _take(self, chunk: list[tuple[StoredEntry, bytes | None]]) -> None:
        """Bodies go straight to their table, in the order of the log: of two writers of one log the first goes on, and
        the other waits at the first record that both bring. What is said of them waits in the stage.
        """
        if gone := [entry.record_hash for entry, body in chunk if body is None]:
            self.erase(gone)
        brought = [(entry.record_hash, body) for entry, body in chunk if body is not None]
        self._step(lambda: self._add_bodies(brought))
        with self._connection.cursor() as cursor, cursor.copy(_COPY_ENTRIES) as copy:
            copy.set_types(_ENTRY_TYPES)
            for entry, _body in chunk:
                copy.write_row(entry)

    def _add_bodies(self, brought: list[tuple[bytes, bytes]]) -> None:
        values = Packed.of([digest for digest, _body in brought]), Packed.of([body for _digest, body in brought])
        self._connection.execute(_ADD_BODIES, values)

    def _add_entries(self) -> int:
        return self._connection.execute(_ADD_ENTRIES).rowcount

    def absent(self, rows: Iterable[AbsentEntry]) -> int:
        """Entries that their device erased; how many are new."""
        return self.rows(ABSENT, ((row.device, row.seq, row.head, row.previous, row.record_hash) for row in rows))

    def erase(self, hashes: Iterable[bytes]) -> int:
        """Remove bodies and note their hashes; how many are newly noted."""
        wanted = list(hashes)
        return self._step(lambda: self._note(wanted)) if wanted else 0

    def _note(self, wanted: list[bytes]) -> int:
        row = self._connection.execute(_NOTE_ERASED, (wanted,)).fetchone()
        changed = int(row[0]) if row else 0
        self.removed += changed
        return changed

    def discard(self, hashes: Iterable[bytes]) -> int:
        """Remove bodies without a note; how many."""
        sql, wanted = "DELETE FROM fieldsurvey.bodies WHERE hash = ANY(%s) AND body IS NOT NULL", list(hashes)
        return self._step(lambda: self._connection.execute(sql, (wanted,)).rowcount)

    def notice(self, notice: Notice) -> bool:
        """A verified file to pass on."""
        values = (notice.kind, notice.digest, notice.device, notice.data)
        put = "INSERT INTO fieldsurvey.notices VALUES (%s,%s,%s,%s) ON CONFLICT (kind, digest) DO NOTHING"
        return self._step(lambda: self._connection.execute(put, values).rowcount) > 0

    def forget(self, kind: str, digests: Iterable[bytes]) -> int:
        """Files that are not passed on any more."""
        sql = "DELETE FROM fieldsurvey.notices WHERE kind = %s AND digest = ANY(%s)"
        values = (kind, list(digests))
        return self._step(lambda: self._connection.execute(sql, values).rowcount)

    def covered(self, rows: Iterable[Covered], at: str) -> None:
        """What the newest backup holds. Of two backups at once the later one waits, and replaces the other."""
        run = self._connection.execute
        run("LOCK TABLE fieldsurvey.last_backup IN EXCLUSIVE MODE")
        run("DELETE FROM fieldsurvey.covered")
        run("DELETE FROM fieldsurvey.last_backup")
        with self._connection.cursor() as cursor:
            put = "INSERT INTO fieldsurvey.covered VALUES (%s,%s,%s,%s) ON CONFLICT (device, seq, head) DO NOTHING"
            cursor.executemany(put, list(rows))
        run("INSERT INTO fieldsurvey.last_backup VALUES (%s)", (at,))

    def rows(self, spec: SetSpec, rows: Iterable[Row]) -> int:
        """Rows of any set as they are in another store; how many are new. What is erased stays erased."""
        if spec is ERASED:
            return self.erase(row[0] for row in rows)
        parts = _parts(spec)
        self._connection.execute(sql.SQL(_STAGE_OF).format(**parts))
        if spec is BODIES:
            self._connection.execute(sql.SQL("ALTER TABLE {stage} ALTER body SET STORAGE EXTERNAL").format(**parts))
        self._empty(parts["stage"])
        copy_in = sql.SQL("COPY {stage} FROM STDIN (FORMAT BINARY)").format(**parts)
        with self._connection.cursor() as cursor, cursor.copy(copy_in) as copy:
            copy.set_types([_TYPES[kind] for _name, kind in spec.columns])
            for row in rows:
                copy.write_row(row)
        add = sql.SQL(_ADD_ROWS).format(**parts)
        return self._step(lambda: self._connection.execute(add).rowcount)

    def _empty(self, stage: sql.Composable) -> None:
        """What an earlier call in the same transaction copied in must not be added again; the first needs nothing."""
        if stage in self._staged:
            self._connection.execute(sql.SQL("DELETE FROM {}").format(stage))
        self._staged.append(stage)

    def _step(self, work: Callable[[], T]) -> T:
        """One step, taken back and tried again when it and another writer's stood in each other's way."""
        for left in reversed(range(TRIES)):
            self._connection.execute("SAVEPOINT step")
            try:
                done = work()
            except (errors.DeadlockDetected, errors.SerializationFailure):
                self._connection.execute("ROLLBACK TO SAVEPOINT step")
                if not left:
                    raise
                time.sleep(random.uniform(0.01, 0.2))  # noqa: S311  spreads tries, guards nothing
            else:
                self._connection.execute("RELEASE SAVEPOINT step")
                return done
        raise AssertionError  # the last try returned or raised
