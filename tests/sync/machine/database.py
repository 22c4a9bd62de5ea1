"""A PostgreSQL for the machine's central: one database, emptied before each run. Everything in it is synthetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
from psycopg import sql

from sync.postgres_store import PostgresStore
from tests.sync.machine.centre import Database
from tests.sync.machine.fieldwork import Fieldwork
from tests.sync.stores.servers import Server, make_server


@contextmanager
def on_postgresql() -> Iterator[type[Fieldwork]]:
    """The machine whose central is a database. Skips the test where there is no PostgreSQL, as `make_server` does."""
    server = make_server()
    try:
        _hurry(server)
        with server.database() as dsn:
            PostgresStore(dsn).close()  # makes the tables
            with psycopg.connect(dsn, autocommit=True) as connection:
                yield type("OnPostgresql", (Fieldwork,), {"database": Database(dsn, partial(_empty, connection))})
    finally:
        server.close()


def _hurry(server: Server) -> None:
    """The machine is about order: what a power cut does to PostgreSQL is tried in tests/sync/stores."""
    for setting in ("fsync", "full_page_writes"):
        server.execute(f"ALTER SYSTEM SET {setting} = off")
    server.execute("SELECT pg_reload_conf()")


def _empty(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """As it was when its tables were made: a database that was lost, and set up again."""
    names = "SELECT tablename FROM pg_tables WHERE schemaname = 'fieldsurvey' AND tablename <> 'migrations'"
    for (name,) in connection.execute(names).fetchall():
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier("fieldsurvey", str(name))))
