"""The vault's tables. Only ciphertext, random ids, sizes and public values are in them.

Each migration commits together with its row in `migration`. A change's key is the draft's number times 2^32 plus its
save counter: one clustered insert, so that an autosave touches one page whatever the form's size.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
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
_SECOND = (
    # more than one log: after a new vault or a restored backup the former one stays, without its signing key.
    # Rows of log and outbox have the log's number times 2^40 plus the entry's number as their seq.
    "ALTER TABLE device ADD COLUMN log INTEGER NOT NULL DEFAULT 0",
    # the latest time that the project's root or central signed, as far as this laptop has seen; '' before the first
    "ALTER TABLE device ADD COLUMN signed_time TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE former (
        log INTEGER PRIMARY KEY,
        card BLOB NOT NULL,
        carrier BLOB NOT NULL,
        head_seq INTEGER NOT NULL,
        head BLOB NOT NULL,
        reason TEXT NOT NULL,
        ended TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE receipt_of_log (
        log INTEGER NOT NULL,
        level TEXT NOT NULL,
        up_to INTEGER NOT NULL,
        receipt BLOB NOT NULL,
        PRIMARY KEY (log, level)
    ) STRICT""",
    "INSERT INTO receipt_of_log (log, level, up_to, receipt) SELECT 0, level, up_to, receipt FROM receipt",
    "DROP TABLE receipt",
    "ALTER TABLE receipt_of_log RENAME TO receipt",
    "ALTER TABLE copied ADD COLUMN log INTEGER NOT NULL DEFAULT 0",
    # every `backed_up` receipt until it has allowed its purge; issued: signed by central, taken: the laptop's clock
    """CREATE TABLE backed_up (
        log INTEGER NOT NULL,
        up_to INTEGER NOT NULL,
        issued TEXT NOT NULL,
        taken TEXT NOT NULL,
        PRIMARY KEY (log, up_to)
    ) STRICT""",
    # a draft's own key, encrypted to its owner: destroying these few bytes destroys the draft
    "CREATE TABLE draft_key (number INTEGER PRIMARY KEY, box BLOB NOT NULL) STRICT",
    # since: the first signed_time that came after the last work on the draft; until then ">" and the one known before
    "CREATE TABLE draft_age (number INTEGER PRIMARY KEY, since TEXT NOT NULL) STRICT",
    "INSERT INTO draft_age (number, since) SELECT number, '>' FROM draft",
    "ALTER TABLE slot ADD COLUMN recovery BLOB",
    # slots whose words were forgotten: found again, they give back the drafts that were left
    """CREATE TABLE former_slot (
        id INTEGER PRIMARY KEY,
        slot BLOB NOT NULL,
        owner BLOB NOT NULL UNIQUE,
        since TEXT NOT NULL
    ) STRICT""",
    # entries whose case was withdrawn: their body was erased, which is no damage
    "CREATE TABLE erased (seq INTEGER PRIMARY KEY REFERENCES log (seq)) STRICT",
)
_THIRD = (
    # work that the HMU returned. state: waiting (sealed holds the file), draft, sealed (answered), gone (erased).
    # draft: the id of the draft that it became; since: as in draft_age
    """CREATE TABLE returned (
        digest BLOB PRIMARY KEY,
        case_id BLOB NOT NULL,
        revision INTEGER NOT NULL,
        tag BLOB,
        state TEXT NOT NULL,
        draft BLOB UNIQUE,
        sealed BLOB,
        since TEXT NOT NULL
    ) STRICT""",
)
_FOURTH = (
    # the first entry sealed on each day, by the laptop's clock: since when records wait for central. Until it has them.
    "CREATE TABLE sealed_on (seq INTEGER PRIMARY KEY, day TEXT NOT NULL) STRICT",
)
_FIFTH = (
    # one row for each case sealed here; name and box are made with the vault key
    "CREATE TABLE tally (name BLOB PRIMARY KEY, box BLOB NOT NULL) STRICT, WITHOUT ROWID",
    # the day on or before which something was sealed that has no row; '' where there is nothing such
    "ALTER TABLE device ADD COLUMN tally_since TEXT NOT NULL DEFAULT ''",
    "UPDATE device SET tally_since = date('now') WHERE head_seq > 0 OR log > 0",
)
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH)
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


def check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Raises DatabaseDamagedError unless exactly the tables of its version are there, no trigger or view beside them.

    For a file that was out of the laptop's hands.
    """
    version = version_of(connection, path)
    if version > len(MIGRATIONS):
        raise NewerVaultError(place=str(path), found=version, known=len(MIGRATIONS))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        for number in range(1, version + 1):
            _apply(model, number)
        wanted = _described(model)
    try:
        found = _described(connection)
    except sqlite3.Error as error:
        raise sqlite_error(error, path) from error
    if not version or found != wanted:
        raise DatabaseDamagedError(place=str(path))


def _described(connection: sqlite3.Connection) -> set[tuple[str, str, str | None]]:
    return set(connection.execute("SELECT type, name, sql FROM sqlite_schema"))


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
