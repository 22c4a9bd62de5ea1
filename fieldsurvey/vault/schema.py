"""The vault's tables. Only ciphertext, random ids, sizes and public values are in them.

Each migration commits together with its row in `migration`. A change's key is the draft's number times 2^32 plus its
save counter: one clustered insert, so that an autosave touches one page whatever the form's size.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from fieldsurvey import __version__
from fieldsurvey.base.sqlite import DatabaseDamagedError, sqlite_error, transaction
from fieldsurvey.vault.errors import NewerVaultError, NoVaultError, VaultExistsError

APPLICATION_ID: Final = 0x46535631  # "FSV1"

_FIRST = (
    f"PRAGMA application_id={APPLICATION_ID}",
    "CREATE TABLE migration (version INTEGER PRIMARY KEY, program TEXT NOT NULL) STRICT",
    # card and carrier are what a locked laptop needs to export; secrets open with the vault key only
    """CREATE TABLE device (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        card BLOB NOT NULL,
        carrier BLOB NOT NULL,
        secrets BLOB NOT NULL,
        root TEXT NOT NULL,
        project_version INTEGER NOT NULL,
        head_seq INTEGER NOT NULL,
        head BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE slot (
        number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 8),
        slot BLOB NOT NULL,
        owner BLOB NOT NULL UNIQUE,
        person BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE draft (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        owner BLOB NOT NULL,
        counter INTEGER NOT NULL,
        head BLOB NOT NULL,
        snapshot BLOB NOT NULL
    ) STRICT""",
    "CREATE TABLE change (place INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
    "CREATE TABLE log (seq INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT",
    "CREATE TABLE outbox (seq INTEGER PRIMARY KEY REFERENCES log (seq), record BLOB NOT NULL) STRICT",
    "CREATE TABLE receipt (level TEXT PRIMARY KEY, up_to INTEGER NOT NULL, receipt BLOB NOT NULL) STRICT",
    """CREATE TABLE copied (
        id INTEGER PRIMARY KEY,
        up_to INTEGER NOT NULL,
        place TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT""",
)
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_FIRST,)
"""Migration n is at n - 1. Never edited once released: the next one is appended."""


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The last migration; 0 for an empty file. Raises DatabaseDamagedError for somebody else's database."""
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        application = int(connection.execute("PRAGMA application_id").fetchone()[0])
        tables = int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    except sqlite3.Error as error:
        raise sqlite_error(error, path) from error
    if application != (APPLICATION_ID if tables else 0):
        raise DatabaseDamagedError(place=str(path))
    return version


def check_made(connection: sqlite3.Connection, path: Path) -> None:
    """Raises NoVaultError for an empty file: a join that was cut off before its one transaction ended."""
    if not version_of(connection, path):
        raise NoVaultError(place=str(path.parent))


def check_blank(connection: sqlite3.Connection, path: Path) -> None:
    """Raises VaultExistsError when there is a vault in the file already."""
    if version_of(connection, path):
        raise VaultExistsError(place=str(path.parent))


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to this program's version, inside or outside a transaction of the caller's.

    Raises NewerVaultError, and StorageError when the disk is full; then the tables are as they were.
    """
    found = version_of(connection, path)
    if found > len(MIGRATIONS):
        raise NewerVaultError(place=str(path), found=found, known=len(MIGRATIONS))
    for version in range(found + 1, len(MIGRATIONS) + 1):
        if connection.in_transaction:
            _apply(connection, version)
        else:
            with transaction(connection, path):
                if version_of(connection, path) < version:  # another process may have been first
                    _apply(connection, version)


def _apply(connection: sqlite3.Connection, version: int) -> None:
    for statement in MIGRATIONS[version - 1]:
        connection.execute(statement)
    connection.execute("INSERT INTO migration (version, program) VALUES (?, ?)", (version, __version__))
    connection.execute(f"PRAGMA user_version={version:d}")
