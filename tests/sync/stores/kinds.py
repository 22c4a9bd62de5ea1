"""What the contract needs to know of a kind of store: how to open one, look into it and change it behind its back."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from sync.central import Central
from sync.postgres_store import PostgresStore
from sync.sqlite_store import SqliteStore
from sync.store import Store

Contents = dict[str, list[tuple[Any, ...]]]


class Kind(Protocol):
    """Picklable, so that other processes can open the same one."""

    def open(self, wait: float = 60.0) -> Store:
        """The store."""
        ...

    def contents(self) -> Contents:
        """Every row of every table but notes of its own making, read past our code; without columns that repeat."""
        ...

    def spoil(self, statement: str, *values: Any) -> None:
        """Change it behind its back. `%s` stands for a value."""
        ...


def central(kind: Kind, wait: float = 60.0) -> Central:
    """A central over such a store."""
    return Central(kind.open(wait))


@dataclass(frozen=True)
class SqliteKind:
    """One file."""

    path: Path

    def open(self, wait: float = 60.0) -> Store:
        """The store."""
        return SqliteStore(self.path, wait=wait)

    def contents(self) -> Contents:
        """Sorted rows by table."""
        connection = sqlite3.connect(self.path)
        tables = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            if row[0] not in {"_sqlite_migrations", "sqlite_sequence"}
        ]
        found = {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}
        connection.close()
        return found

    def spoil(self, statement: str, *values: Any) -> None:
        """By SQLite itself."""
        connection = sqlite3.connect(self.path)
        with connection:
            assert connection.execute(statement.replace("%s", "?"), values).rowcount != 0
        connection.close()


@dataclass(frozen=True)
class PostgresKind:
    """One database."""

    dsn: str

    def open(self, wait: float = 60.0) -> Store:
        """The store."""
        return PostgresStore(self.dsn, wait=wait)

    def contents(self) -> Contents:
        """Sorted rows by table, as SQLite names them: a hash without a body is what was erased."""
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'fieldsurvey' AND tablename <> 'migrations'"
        found: Contents = {}
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for (name,) in connection.execute(tables).fetchall():
                columns = [
                    row[0]
                    for row in connection.execute(
                        """SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0
                           AND attgenerated = '' ORDER BY attnum""",
                        (f"fieldsurvey.{name}",),
                    )
                ]
                rows = connection.execute(f"SELECT {','.join(columns)} FROM fieldsurvey.{name}".encode())
                found[name] = sorted(rows.fetchall(), key=repr)
        found["erased"] = [row[:1] for row in found["bodies"] if row[1] is None]
        found["bodies"] = [row for row in found["bodies"] if row[1] is not None]
        return found

    def spoil(self, statement: str, *values: Any) -> None:
        """By PostgreSQL itself."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute("SET search_path = fieldsurvey")
            assert connection.execute(statement.encode(), values).rowcount != 0
