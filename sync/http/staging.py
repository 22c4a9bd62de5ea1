"""Packs that arrived and wait for the rest of their batch: files named by caller and hash, under a quota and an age.

Nothing here is durable or trusted: a pack that is lost or damaged is asked for again, and what is merged is verified.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from fieldsurvey.base.errors import RefusedError
from fieldsurvey.base.files import storage_error

_SWEEP = 600.0


class NoRoomError(RefusedError):
    """More is staged than may be."""

    code = "refused.no_room"
    template = "There is no room for more packs."
    hint = "What is there already is kept; batches that are complete are merged and make room."


class Staging:
    """`quota`: bytes of one caller; `room`: of all; `age`: seconds that a pack waits. `wall`: seconds of the epoch."""

    def __init__(
        self, folder: Path, *, quota: int, room: int, age: float, wall: Callable[[], float] = time.time
    ) -> None:
        """Makes the folder and clears what is too old. Raises StorageError."""
        self.folder = folder
        self._quota, self._room, self._age, self._wall = quota, room, age, wall
        self._lock = threading.Lock()
        self._swept = 0.0
        self._all = 0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._clear_unfinished()
        except OSError as error:
            raise storage_error(error, folder) from error
        self.sweep()

    def path(self, caller: str, name: str) -> Path:
        """Where a pack lies. Both are hexadecimal digits: the caller of this has checked that."""
        return self.folder / caller / name

    def have(self, caller: str, names: Iterable[str]) -> list[str]:
        """Those of the packs that are there."""
        return [name for name in names if self.path(caller, name).is_file()]

    def paths(self, caller: str, names: Sequence[str]) -> list[Path]:
        """Where they lie, in order."""
        return [self.path(caller, name) for name in names]

    def check_room(self, caller: str, size: int) -> None:
        """Raises NoRoomError when `size` bytes more would be too much."""
        if self._wall() - self._swept > _SWEEP:
            self.sweep()
        if self._of(caller) + size > self._quota or self._all + size > self._room:
            raise NoRoomError

    def part(self) -> Path:
        """A new name to receive a body under."""
        return self.folder / f"{secrets.token_hex(16)}.part"

    def keep(self, caller: str, name: str, part: Path) -> None:
        """Give a received pack, verified by the caller of this, its name. Raises StorageError, NoRoomError."""
        size = part.stat().st_size
        path = self.path(caller, name)
        with self._lock:
            try:
                if path.exists():
                    part.unlink()
                    return
                self.check_room(caller, size)
                path.parent.mkdir(exist_ok=True, mode=0o700)
                part.replace(path)
                self._all += size
            except OSError as error:
                raise storage_error(error, self.folder) from error

    def drop(self, caller: str, names: Iterable[str]) -> None:
        """Their batch was merged, or refused."""
        for name in names:
            self._unlink(self.path(caller, name))

    def drop_damaged(self, caller: str, names: Iterable[str]) -> list[str]:
        """Drop the packs that are no longer what their name says; which they were."""
        found = []
        for name in names:
            path = self.path(caller, name)
            try:
                whole = hashlib.sha256(path.read_bytes()).hexdigest() == name
            except OSError:  # gone or unreadable: it is asked for again
                whole = False
            if not whole:
                self._unlink(path)
                found.append(name)
        return found

    def sweep(self) -> None:
        """Clear what nobody came back for, and count the rest anew."""
        self._swept = self._wall()
        self._all = 0
        for path, size, since in self._files(self.folder.glob("*/*")):
            if self._swept - since > self._age:
                self._unlink(path)
            else:
                self._all += size
        for path, _size, since in self._files(self.folder.glob("*.part")):
            if self._swept - since > 3600:
                self._unlink(path)

    def _of(self, caller: str) -> int:
        return sum(size for _path, size, _since in self._files((self.folder / caller).glob("*")))

    def _clear_unfinished(self) -> None:
        for path in self.folder.glob("*.part"):
            path.unlink(missing_ok=True)

    @staticmethod
    def _files(paths: Iterable[Path]) -> Iterator[tuple[Path, int, float]]:
        for path in paths:
            with contextlib.suppress(OSError):  # another thread merged it meanwhile
                found = os.stat(path)  # noqa: PTH116  one call on a hot path
                yield path, found.st_size, found.st_mtime

    def _unlink(self, path: Path) -> None:
        with contextlib.suppress(OSError):  # gone already; what cannot be removed now is swept later
            size = path.stat().st_size
            path.unlink()
            self._all = max(0, self._all - size)
