"""Where central is: HOME/central.db, unless HOME/central.toml names another file or a PostgreSQL database.

    format = "fieldsurvey central 1"
    dsn = "host=db.example dbname=survey user=central"

A password is never in that file: libpq has places for it (a `.pgpass` file, a service file, a certificate).
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from fieldsurvey.base.clock import Clock
from fieldsurvey.base.errors import InputError, StorageError
from fieldsurvey.base.files import fsync_folder, storage_error, write_atomic
from sync.central import Central
from sync.sqlite_store import SqliteStore
from sync.store import Store

FILE: Final = "central.toml"
DATABASE: Final = "central.db"
_FORMAT: Final = "fieldsurvey central 1"
_URLS: Final = ("postgresql://", "postgres://")


class PlaceError(InputError):
    """What is named cannot be a place for central."""

    code = "input.central_place"
    template = "{place} cannot be where central is ({reason})."
    hint = (
        "Nothing was changed. Name a file for SQLite, or a PostgreSQL database without a password:"
        ' postgresql://USER@HOST/DATABASE or "host=HOST dbname=DATABASE". Passwords belong in the file .pgpass.'
    )


class NoDriverError(InputError):
    """PostgreSQL's client library is not installed."""

    code = "input.no_postgresql"
    template = "To use PostgreSQL, a part of fieldsurvey is needed that is not installed here: psycopg."
    hint = "Nothing was changed. Install fieldsurvey with its part [central] on this machine, then try again."


class CentralLostError(StorageError):
    """The file that says where central is names a place where none is."""

    code = "storage.central_lost"
    template = "There is no central at {place}, though {file} says so."
    hint = (
        "Nothing was changed. Is the disk there, and the name right? If the database was lost, restore a backup into"
        " it: fieldsurvey central restore FILE"
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A SQLite file or a database: one of the two."""

    path: Path | None = None
    dsn: str | None = None

    @classmethod
    def named(cls, text: str) -> Self:
        """What somebody typed: a URL or a DSN of PostgreSQL, else the path of a file. Raises PlaceError."""
        if not text.isprintable():  # it goes into a file of one line
            raise PlaceError(place=ascii(text), reason="?")
        if text.startswith(_URLS) or ("=" in text and not Path(text).exists()):
            return cls(dsn=_checked(text))
        if not text.strip() or "://" in text:
            raise PlaceError(place=text, reason="?")
        return cls(path=Path(text).absolute())

    def store(self, *, wait: float = 60.0, create: bool = True) -> Store:
        """Open it; `create`: it may be made. Raises StorageError, NoDriverError, PlaceError."""
        if self.path is not None:
            if not create and not self.path.exists():
                raise CentralLostError(place=str(self.path), file=FILE)
            return SqliteStore(self.path, wait=wait)
        try:
            # the driver: only a central that uses it has to have it
            from sync.postgres_store import PostgresStore
        except ImportError:
            raise NoDriverError from None
        store = PostgresStore(_checked(self.dsn or ""), wait=wait, create=create)
        if not store.found:
            store.close()
            raise CentralLostError(place=store.place, file=FILE)
        return store

    def __str__(self) -> str:
        return str(self.path) if self.path is not None else (self.dsn or "")


def read_place(home: Path) -> Place:
    """Where central of this home is, there or not. Raises PlaceError, StorageError."""
    path = home / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Place(path=home / DATABASE)
    except OSError as error:
        raise storage_error(error, path) from error
    except UnicodeError:
        raise PlaceError(place=str(path), reason="UTF-8") from None
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlaceError(place=str(path), reason=str(error)) from None
    dsn, file = found.get("dsn"), found.get("path")
    wanted = {"format", "path" if dsn is None else "dsn"}
    if found.get("format") != _FORMAT or set(found) != wanted or not isinstance(file if dsn is None else dsn, str):
        raise PlaceError(place=str(path), reason="format, dsn | path")
    return Place(path=home / str(file)) if dsn is None else Place(dsn=_checked(str(dsn)))


def write_place(home: Path, place: Place) -> None:
    """From now on central is there. Durable when it returns. Raises StorageError."""
    if place == Place(path=home / DATABASE):
        _forget(home / FILE)
        return
    name, value = ("path", str(place.path)) if place.path is not None else ("dsn", place.dsn or "")
    # A JSON string of printable characters is a TOML string too.
    lines = [f'format = "{_FORMAT}"', f"{name} = {json.dumps(value, ensure_ascii=False)}", ""]
    write_atomic(home / FILE, "\n".join(lines).encode("utf-8"), private=True)


def central_exists(home: Path) -> bool:
    """Whether anything was ever imported here: a central is named or its file is there."""
    return (home / FILE).exists() or (home / DATABASE).exists()


def open_central(home: Path, *, wait: float = 60.0, clock: Clock | None = None) -> Central:
    """Central of this home. The one way in which every command opens it; HOME/central.db is made when it is not there.

    Raises StorageError, PlaceError, NoDriverError.
    """
    place = read_place(home)
    return Central(place.store(wait=wait, create=not (home / FILE).exists()), clock)


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        fsync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, path) from error


def _checked(dsn: str) -> str:
    """Raises PlaceError for one that says nothing, cannot be read, or holds a password."""
    try:
        # the driver: only a central that uses it has to have it
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise NoDriverError from None
    try:
        found = conninfo_to_dict(dsn)
    except ProgrammingError:
        raise PlaceError(place="PostgreSQL", reason="DSN") from None  # what cannot be read may hold a password
    if found.get("password") is not None or found.get("sslpassword") is not None:
        raise PlaceError(place="PostgreSQL", reason="a password in it")
    if not found.get("dbname") and not found.get("service"):
        raise PlaceError(place=dsn, reason="dbname")
    return dsn
