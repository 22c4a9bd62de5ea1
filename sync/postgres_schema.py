"""Central's tables on PostgreSQL, in a schema of their own, and how they get there.

Migrations run one after the other under a lock that lasts as long as they do; each commits together with the record
that it ran. Tables that this program did not make, or that a newer one made, are left alone.
"""

from __future__ import annotations

from typing import Any, Final, LiteralString

import psycopg

from fieldsurvey.base.sqlite import DatabaseDamagedError
from sync.errors import ForeignDatabaseError, NewerCentralError

Connection = psycopg.Connection[tuple[Any, ...]]

OLDEST: Final = 150_000  # PostgreSQL 15
_LOCK: Final = 0x66_73_63_65_6E_74_72_61  # "fscentra": an advisory lock of this database, for migrations only

_MIGRATIONS: Final[tuple[tuple[LiteralString, tuple[LiteralString, ...]], ...]] = (
    (
        "grow_only_sets",
        (
            # A card is longer than an index row may be: its hash is the key.
            """CREATE TABLE fieldsurvey.devices (
                device text COLLATE "C" NOT NULL, card bytea NOT NULL,
                digest bytea GENERATED ALWAYS AS (sha256(card)) STORED, PRIMARY KEY (device, digest))""",
            """CREATE TABLE fieldsurvey.entries (
                device text COLLATE "C" NOT NULL, seq bigint NOT NULL, head bytea NOT NULL, previous bytea NOT NULL,
                record_hash bytea NOT NULL, case_id text COLLATE "C" NOT NULL, revision bigint NOT NULL,
                kind text COLLATE "C" NOT NULL, parent bytea, withdrawal bytea, PRIMARY KEY (device, seq, head))""",
            "CREATE INDEX entries_by_case ON fieldsurvey.entries (case_id)",
            # A hash without a body is one that was erased: to store it and to erase it meet at one key, so that of two
            # writers that do both at once one waits for the other, and no body comes back between them.
            "CREATE TABLE fieldsurvey.bodies (hash bytea PRIMARY KEY, body bytea)",
            "ALTER TABLE fieldsurvey.bodies ALTER COLUMN body SET STORAGE EXTERNAL",  # ciphertext does not compress
            "CREATE INDEX bodies_erased ON fieldsurvey.bodies (hash) WHERE body IS NULL",
            """CREATE TABLE fieldsurvey.signatures (
                device text COLLATE "C" NOT NULL, seq bigint NOT NULL, head bytea NOT NULL, signature bytea NOT NULL,
                PRIMARY KEY (device, seq, head))""",
            """CREATE TABLE fieldsurvey.batches (
                manifest bytea PRIMARY KEY, device text COLLATE "C" NOT NULL, first bigint NOT NULL,
                last bigint NOT NULL, seen text COLLATE "C" NOT NULL)""",
            """CREATE TABLE fieldsurvey.tombstones (
                tag bytea NOT NULL, data bytea NOT NULL,
                digest bytea GENERATED ALWAYS AS (sha256(data)) STORED, PRIMARY KEY (tag, digest))""",
            """CREATE TABLE fieldsurvey.projects (
                version bigint NOT NULL, digest bytea NOT NULL, data bytea NOT NULL, PRIMARY KEY (version, digest))""",
            """CREATE TABLE fieldsurvey.absent (
                device text COLLATE "C" NOT NULL, seq bigint NOT NULL, head bytea NOT NULL, previous bytea NOT NULL,
                record_hash bytea NOT NULL, PRIMARY KEY (device, seq, head))""",
            """CREATE TABLE fieldsurvey.notices (
                kind text COLLATE "C" NOT NULL, digest bytea NOT NULL, device text COLLATE "C" NOT NULL,
                data bytea NOT NULL, PRIMARY KEY (kind, digest))""",
            """CREATE TABLE fieldsurvey.covered (
                device text COLLATE "C" NOT NULL, seq bigint NOT NULL, head bytea NOT NULL,
                PRIMARY KEY (device, seq, head))""",
            'CREATE TABLE fieldsurvey.last_backup (at text COLLATE "C" NOT NULL)',
            'CREATE TABLE fieldsurvey.moved (place text COLLATE "C" NOT NULL)',
        ),
    ),
    # What central signed of a backup. What was noted before has nothing, and is not believed any more.
    ("signed_backups", ("ALTER TABLE fieldsurvey.covered ADD COLUMN note bytea",)),
)

_COLUMNS: Final = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = 'fieldsurvey' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY c.relname, a.attnum"""
_INDEXES: Final = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'fieldsurvey' ORDER BY indexname"
_INVALID: Final = """
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'fieldsurvey' AND NOT i.indisvalid"""

# What the migrations above give, as the catalogue tells it: two letters a column (its type; whether it may be empty).
_TYPES: Final = {"text": "t", "bytea": "b", "bigint": "i", "timestamp with time zone": "z"}
_SHAPE: Final = {
    "absent": "device t! seq i! head b! previous b! record_hash b!",
    "batches": "manifest b! device t! first i! last i! seen t!",
    "bodies": "hash b! body b",
    "covered": "device t! seq i! head b! note b",
    "devices": "device t! card b! digest b!",
    "entries": "device t! seq i! head b! previous b! record_hash b! case_id t! revision i! kind t! parent b"
    " withdrawal b",
    "last_backup": "at t!",
    "migrations": "name t! applied z!",
    "moved": "place t!",
    "notices": "kind t! digest b! device t! data b!",
    "projects": "version i! digest b! data b!",
    "signatures": "device t! seq i! head b! signature b!",
    "tombstones": "tag b! data b! digest b!",
}
_KEYS: Final = {
    "absent_pkey": "(device, seq, head)",
    "batches_pkey": "(manifest)",
    "bodies_erased": "(hash) WHERE (body IS NULL)",
    "bodies_pkey": "(hash)",
    "covered_pkey": "(device, seq, head)",
    "devices_pkey": "(device, digest)",
    "entries_by_case": "(case_id)",
    "entries_pkey": "(device, seq, head)",
    "migrations_pkey": "(name)",
    "notices_pkey": "(kind, digest)",
    "projects_pkey": "(version, digest)",
    "signatures_pkey": "(device, seq, head)",
    "tombstones_pkey": "(tag, digest)",
}


def prepare(connection: Connection, place: str) -> None:
    """Bring the tables up to date, or leave them as they are. `connection` is in autocommit mode.

    Raises ForeignDatabaseError, NewerCentralError, DatabaseDamagedError; psycopg.Error is the caller's to put in words.
    """
    if connection.info.server_version < OLDEST:
        raise ForeignDatabaseError(place=place, reason="PostgreSQL < 15")
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise ForeignDatabaseError(place=place, reason="server_encoding")
    if _applied(connection, place) != [name for name, _statements in _MIGRATIONS]:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            _migrate(connection, _applied(connection, place))
    if not has_shape(connection):
        raise DatabaseDamagedError(place=place)


def is_there(connection: Connection) -> bool:
    """Whether there are any tables in our schema."""
    return connection.execute(_COLUMNS).fetchone() is not None


def has_shape(connection: Connection) -> bool:
    """Whether the tables and keys are exactly those that the migrations make."""
    found: dict[str, list[str]] = {}
    for table, column, kind, filled in connection.execute(_COLUMNS):
        found.setdefault(table, []).append(f"{column} {_TYPES.get(kind, kind)}{'!' if filled else ''}")
    keys = {name: definition.partition(" USING btree ")[2] for name, definition in connection.execute(_INDEXES)}
    return {table: " ".join(columns) for table, columns in found.items()} == _SHAPE and keys == _KEYS


def broken_indexes(connection: Connection) -> list[str]:
    """Those that the database itself does not trust."""
    return [name for (name,) in connection.execute(_INVALID)]


def _applied(connection: Connection, place: str) -> list[str]:
    tables = {row[0] for row in connection.execute(_COLUMNS)}
    if not tables:
        return []
    if "migrations" not in tables:  # somebody else's: nothing of ours is put into it
        raise ForeignDatabaseError(place=place, reason="fieldsurvey")
    found = {name for (name,) in connection.execute("SELECT name FROM fieldsurvey.migrations")}
    known = [name for name, _statements in _MIGRATIONS]
    if found - set(known):
        raise NewerCentralError(place=place)
    applied = known[: len(found)]
    if found != set(applied) or (not applied and len(tables) > 1):  # a record of a migration was lost
        raise DatabaseDamagedError(place=place)
    return applied


def _migrate(connection: Connection, applied: list[str]) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS fieldsurvey")
    if not applied:
        connection.execute(
            """CREATE TABLE IF NOT EXISTS fieldsurvey.migrations (
                name text COLLATE "C" PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())"""
        )
    for name, statements in _MIGRATIONS:
        if name not in applied:
            for statement in statements:
                connection.execute(statement)
            connection.execute("INSERT INTO fieldsurvey.migrations (name) VALUES (%s)", (name,))
