"""The vault's one connection: typed errors, one transaction at a time, tidying of what SQLite leaves behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any

from fieldsurvey.base.sqlite import open_sqlite, sqlite_error, transaction
from fieldsurvey.vault.errors import NoVaultError, VaultDamagedError
from fieldsurvey.vault.schema import check_made, migrate


class Store:
    """Threads of one process may share it."""

    def __init__(self, path: Path) -> None:
        """Opens the file, making it when it is not there; no tables yet: see `opened` and `migrate`."""
        self.path = path
        self.connection = open_sqlite(path)
        self._lock = RLock()

    @classmethod
    def opened(cls, path: Path) -> Store:
        """An existing vault, migrated. Raises NoVaultError, NewerVaultError, DatabaseDamagedError, StorageError."""
        if not path.exists():
            raise NoVaultError(place=str(path.parent))
        store = cls(path)
        try:
            check_made(store.connection, path)
            migrate(store.connection, path)
        except BaseException:
            store.close()
            raise
        return store

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows. Raises StorageError."""
        with self._lock:
            try:
                return self.connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise sqlite_error(error, self.path) from error

    def one(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The one row that must be there. Raises VaultDamagedError when it is not."""
        found = self.rows(sql, values)
        if len(found) != 1:
            raise VaultDamagedError(what="tables")
        return found[0]

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it durable at the end, or nothing. Raises StorageError."""
        with self._lock, transaction(self.connection, self.path) as connection:
            yield connection

    def vacuum_into(self, target: Path) -> None:
        """A consistent copy without free pages, while others read and write. Raises sqlite3.Error."""
        with self._lock:
            self.connection.execute("VACUUM INTO ?", (str(target),))

    def tidy(self) -> bool:
        """Empty the write-ahead log, where deleted ciphertext lingers. False when something still reads it.

        What is committed is safe either way, so neither a reader nor a full disk is an error here.
        """
        with self._lock:
            try:
                self.connection.execute("PRAGMA busy_timeout=200")
                busy, _, _ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError:  # somebody reads, or the disk is full: the next one does it
                return False
            finally:  # left at that, the next change would give up on another process after a fifth of a second
                with suppress(sqlite3.OperationalError):  # what was committed stays so, whatever fails after it
                    self.connection.execute("PRAGMA busy_timeout=10000")
        return not busy

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self.connection.close()
