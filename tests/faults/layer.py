"""SQLite's own file calls, seen and tampered with: the program's real code on a connection whose files we hold.

The program opens SQLite through `sqlite3.connect`; here it gets a connection of apsw that answers to the same few
calls, on a file layer that writes down every call, or refuses one. What it left is opened again by the program's own
`sqlite3`.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import pytest

from fieldsurvey.base import files
from tests.faults.disk import DiskLog, Sync, SyncFolder, Truncate, Write

Refuse = Callable[[str, str], None]
"""Called with the call's name (write, truncate, sync, delete) and the file's before it is made; may raise."""
_NUMBER = count()
_CODES = {type(apsw.exceptionfor(code)): code for code in range(1, 27)}


class LoggingLayer(apsw.VFS):
    """Writes to the disk as always, and to the log."""

    def __init__(self, folder: Path, log: DiskLog | None, refuse: Refuse | None) -> None:
        self.called = f"faults{next(_NUMBER)}"
        self.folder = folder
        self.log = log
        self.refuse = refuse
        super().__init__(self.called, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  apsw's name
        """A file of ours."""
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """A journal or log that goes."""
        if self.refuse:
            self.refuse("delete", Path(filename).name)
        super().xDelete(filename, syncdir)
        if self.log:
            self.log.remove(Path(filename).name)
            if syncdir:
                self.log.events.append(SyncFolder())


class _File(apsw.VFSFile):
    def __init__(self, layer: LoggingLayer, name: Any, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._layer = layer
        self._name = Path(path).name
        # unix: the first sync of a journal or a write-ahead log syncs the folder too
        self._folder_too = bool(flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL))
        if layer.log:
            layer.log.file(self._name)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._ask("write")
        super().xWrite(data, offset)
        if self._layer.log:
            self._layer.log.events.append(Write(self._layer.log.file(self._name), offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._ask("truncate")
        super().xTruncate(newsize)
        if self._layer.log:
            self._layer.log.events.append(Truncate(self._layer.log.file(self._name), newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._ask("sync")
        super().xSync(flags)
        if self._layer.log:
            self._layer.log.events.append(Sync(self._layer.log.file(self._name)))
            if self._folder_too:
                self._layer.log.events.append(SyncFolder())
                self._folder_too = False

    def _ask(self, call: str) -> None:
        if self._layer.refuse:
            self._layer.refuse(call, self._name)


class Connection:
    """Of sqlite3's connection what the program uses."""

    def __init__(self, path: str, layer: LoggingLayer) -> None:
        self._apsw = apsw.Connection(path, vfs=layer.called)

    def execute(self, sql: str, values: Any = ()) -> Any:
        """As sqlite3: the statement has run when this returns; rows are fetched from what it gives."""
        with _as_sqlite3():
            cursor = self._apsw.execute(sql, tuple(values))
            return _Rows(list(cursor), self._apsw.changes())

    @property
    def in_transaction(self) -> bool:
        """As sqlite3."""
        return self._apsw.in_transaction

    def close(self) -> None:
        """As sqlite3: what cannot be moved out of the write-ahead log now is moved later, and no error."""
        with contextlib.suppress(apsw.IOError, apsw.FullError):
            self._apsw.close()


class _Rows:
    def __init__(self, rows: list[Any], changed: int) -> None:
        self._rows = rows
        self.rowcount = changed

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


@contextmanager
def _as_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        kind = sqlite3.IntegrityError if isinstance(error, apsw.ConstraintError) else sqlite3.OperationalError
        made = kind(str(error))
        made.sqlite_errorcode = getattr(error, "extendedresult", 0) or _CODES[type(error)]
        raise made from error


@contextmanager
def file_layer(folder: Path, log: DiskLog | None = None, refuse: Refuse | None = None) -> Iterator[LoggingLayer]:
    """Everything that the program keeps in `folder` goes through a layer of ours, SQLite's files and others."""
    layer = LoggingLayer(folder, log, refuse)
    real = sqlite3.connect

    def connect(database: Any, *args: Any, **keywords: Any) -> Any:
        if isinstance(database, Path) and database.parent == folder:
            with _as_sqlite3():
                return Connection(str(database), layer)
        return real(database, *args, **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect)
        if log is not None:
            patch.setattr(files, "os", _Os(folder, log))
            patch.setattr(pathlib.Path, "replace", _replace(folder, log))
        yield layer
    layer.unregister()


class _Os:
    """`os` as `write_atomic` uses it; writes, syncs and new names go to the log."""

    def __init__(self, folder: Path, log: DiskLog) -> None:
        self._folder = folder
        self._log = log
        self._open: dict[int, Path] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        handle = os.open(path, flags, mode)
        self._open[handle] = path
        if path.parent == self._folder and flags & os.O_CREAT:
            self._log.remove(path.name)
            self._log.file(path.name)
        return handle

    def fdopen(self, handle: int, mode: str) -> Any:
        return os.fdopen(handle, mode)

    def fsync(self, handle: int) -> None:
        os.fsync(handle)
        path = self._open[handle]
        if path == self._folder:
            self._log.events.append(SyncFolder())
        elif path.parent == self._folder:
            file = self._log.file(path.name)
            self._log.events.append(Write(file, 0, path.read_bytes()))
            self._log.events.append(Sync(file))

    def close(self, handle: int) -> None:
        os.close(handle)


def _replace(folder: Path, log: DiskLog) -> Callable[[Path, Path], Path]:
    real = pathlib.Path.replace

    def replace(self: Path, target: Path) -> Path:
        found = real(self, target)
        if self.parent == folder:
            log.rename(self.name, Path(target).name)
        return found

    return replace
