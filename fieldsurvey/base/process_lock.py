"""One process at a time: an advisory lock on a file, which the system releases when the process ends, in any way."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fieldsurvey.base.files import storage_error

# Windows locks keep others from reading the locked bytes: lock one far behind the note that says who holds it.
_OFFSET = 1 << 30


class ProcessLock:
    """Held between `acquire` and `release`, by one process (and one ProcessLock in it) at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Whether it is ours now; never waits. Raises StorageError when the file cannot be made."""
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise storage_error(error, self.path) from error
        if not _try_lock(handle):
            os.close(handle)
            return False
        self._handle = handle
        try:
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode("ascii"))
        except OSError:  # the note is a courtesy: on a full disk the lock holds without it
            return True
        return True

    def holder(self) -> str:
        """The process id in the file, or "?"."""
        try:
            return self.path.read_text(encoding="ascii").strip() or "?"
        except (OSError, UnicodeError):
            return "?"

    def release(self) -> None:
        """Let go. The file stays: removing it would let a third process lock another one of the same name."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, _OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
