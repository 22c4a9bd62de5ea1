"""Files that are either whole or not there: `.part`, fsync, rename, fsync of the folder, read again and compare."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from fieldsurvey.base.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_GONE = {errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.ESTALE} if hasattr(errno, "ESTALE") else {errno.EIO}


class NoSpaceError(StorageError):
    """The disk or stick is full."""

    code = "storage.full"
    template = "There is no room left on {place}."
    hint = "Nothing was lost: what you have is as it was before. Free some space, or use another stick, and try again."


class MediumGoneError(StorageError):
    """A stick was pulled out, a share went away."""

    code = "storage.gone"
    template = "{place} can no longer be written or read: was the stick pulled out?"
    hint = "Nothing was lost. Put it back, or use another one, and try again."


class NotWritableError(StorageError):
    """Read-only medium or missing permission."""

    code = "storage.read_only"
    template = "{place} cannot be written: it is read-only or belongs to somebody else."
    hint = "Nothing was lost. Choose another folder or stick and try again."


class VerifyError(StorageError):
    """What was read back is not what was written."""

    code = "storage.verify"
    template = "What was written to {place} does not read back the same."
    hint = "Nothing was lost on this laptop. The stick may be failing: use another one."


def storage_error(error: OSError, place: Path | str) -> StorageError:
    """The typed error for an OSError at `place`."""
    name = str(place)
    if error.errno in _FULL:
        return NoSpaceError(place=name)
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return NotWritableError(place=name)
    return MediumGoneError(place=name)


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner looks into, and those above it. Raises StorageError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error


def fsync_folder(folder: Path) -> None:
    """Make a rename durable. Windows has no folder fsync; NTFS journals the rename itself."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, chunks: bytes | Iterable[bytes], *, private: bool = False) -> str:
    """Write `path` whole or not at all and return the SHA-256 (hex) of what was read back.

    `private` makes the file readable by its owner only. Raises StorageError; the old file, if any, then stands.
    """
    parts = (chunks,) if isinstance(chunks, bytes) else chunks
    temporary = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    try:
        if temporary.is_symlink() or (temporary.exists() and not temporary.is_file()):
            temporary.unlink()  # a stick can hold a link to anywhere, or a pipe that nobody reads
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(temporary, flags, 0o600 if private else 0o644), "wb") as handle:
            for part in parts:
                digest.update(part)
                handle.write(part)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
        fsync_folder(path.parent)
        found = file_sha256(path)
    except OSError as error:
        _discard(temporary)
        raise storage_error(error, path) from error
    except BaseException:  # what gives the parts was stopped: nothing half written stays
        _discard(temporary)
        raise
    if found != digest.hexdigest():
        raise VerifyError(place=str(path))
    return found


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while piece := handle.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _discard(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:  # the stick is gone: its half-written .part is ignored by every reader
        return
