"""A local backup: one file with a snapshot of the vault and the project's file. Ciphertext only; no passphrase needed.

    "FSVB" | version | manifest length (4) | manifest | database | project file | withdrawals | files | SHA-256 of all

The snapshot is SQLite's own, taken while others write. It is verified before it is written, and what was written is
read back before anybody is told. The hash finds damage, not deceit: what it holds is judged by what is inside it, the
signed log and the signed project.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, BinaryIO, ClassVar, Final, Literal, NamedTuple

from pydantic import Field

from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.files import storage_error, write_atomic
from fieldsurvey.base.sqlite import DatabaseBusyError, sqlite_error
from fieldsurvey.records.errors import FormatVersionError
from fieldsurvey.records.wire import Hash, Id, Instant, Label, Wire, check_magic
from fieldsurvey.vault.backup_files import KeptFile, length, listed, pieces, unpack
from fieldsurvey.vault.errors import BackupAheadError, BackupDamagedError
from fieldsurvey.vault.vault import LockedVault, open_locked
from fieldsurvey.vault.verify import VerifyReport, verify_log

MAGIC: Final = b"FSVB\x01"
SUFFIX: Final = ".fsv"
_LENGTH: Final = 4
_HASH: Final = 32
_PIECE: Final = 1 << 20
_ATTEMPTS: Final = 3
_MAX_MANIFEST: Final = 4 << 10
_HEAD: Final = len(MAGIC) + _LENGTH
MAX_PROJECT: Final = 64 << 20
MAX_WITHDRAWALS: Final = 16 << 20


class BackupManifest(Wire):
    """What a backup says of itself. `made`: the laptop's clock; `seq`, `head`: the end of its log."""

    what: ClassVar[str] = "backup"
    max_bytes: ClassVar[int] = _MAX_MANIFEST

    format: Literal["fieldsurvey backup"] = "fieldsurvey backup"
    format_version: Literal[1] = 1
    project: Id
    device: Id
    name: Label
    root: Hash
    seq: Annotated[int, Field(ge=0, le=2**53 - 1)]
    head: Hash
    made: Instant
    database: Annotated[int, Field(ge=512, le=1 << 40)]
    project_file: Annotated[int, Field(ge=1, le=MAX_PROJECT)]
    withdrawals: Annotated[int, Field(ge=0, le=MAX_WITHDRAWALS)]
    files: Annotated[int, Field(ge=0, le=1 << 44)]

    @property
    def body(self) -> int:
        """Bytes after the manifest, without the hash."""
        return self.database + self.project_file + self.withdrawals + self.files


class Beside(NamedTuple):
    """What lies beside the vault: the project's file, and the withdrawals (bytes that are not looked into here)."""

    project_file: bytes
    withdrawals: bytes = b""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was written, where, and what its verification found; a damaged vault's backup replaces no whole one."""

    path: Path
    manifest: BackupManifest
    verified: VerifyReport
    size: int


def write_backup(locked: LockedVault, beside: Beside, folder: Path, now: datetime) -> BackupReport:
    """Write this vault's backup into `folder`, in place of its earlier one there; works while locked and while in use.

    Raises BackupAheadError when the earlier one holds more than this vault, StorageError; then it is as it was.
    """
    for _attempt in range(_ATTEMPTS):
        try:
            return _write_once(locked, beside, folder, now)
        except _FilesMovedError:
            continue
    raise DatabaseBusyError(place=str(locked.path.parent))


class _FilesMovedError(Exception):
    """A draft came or went between the snapshot and the files beside it."""


def _write_once(locked: LockedVault, beside: Beside, folder: Path, now: datetime) -> BackupReport:
    home = locked.path.parent
    snapshot = locked.path.with_name(locked.path.name + ".snapshot")
    path = folder / "unnamed"
    try:
        files = listed(home)
        report, manifest = _snapshot(locked, snapshot, beside, files, now)
        if listed(home) != files:
            raise _FilesMovedError
        path = folder / f"fieldsurvey-{manifest.device[:12]}{'' if report.whole else '-damaged'}{SUFFIX}"
        if report.whole:
            _check_not_ahead(locked, path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, folder) from error
        write_atomic(path, _pieces(manifest, snapshot, beside, pieces(home, files)), private=True)
        return BackupReport(path, manifest, report, path.stat().st_size)
    except DatabaseBusyError:
        raise _FilesMovedError from None
    finally:
        discard(snapshot)
        with contextlib.suppress(OSError):
            path.with_name(path.name + ".part").unlink(missing_ok=True)


def read_manifest(path: Path) -> BackupManifest:
    """What a backup says of itself, its lengths checked against the file's. Raises BackupDamagedError, StorageError."""
    try:
        with path.open("rb") as stream:
            return _manifest(stream, path)
    except OSError as error:
        raise storage_error(error, path) from error


def extract(path: Path, database: Path) -> tuple[BackupManifest, Beside]:
    """Write the database of a backup to `database`, the files of its drafts to the folder `files_of(database)`, and
    return the manifest and what lay beside them.

    Raises BackupDamagedError, StorageError; then neither is there.
    """
    try:
        with path.open("rb") as stream:
            manifest = _manifest(stream, path)
            stream.seek(0)
            digest = hashlib.sha256()
            _read(stream, path.stat().st_size - manifest.body - _HASH, digest, path)
            write_atomic(database, _streamed(stream, manifest.database, digest, path), private=True)
            beside = Beside(
                _read(stream, manifest.project_file, digest, path), _read(stream, manifest.withdrawals, digest, path)
            )
            if not unpack(lambda n: _streamed(stream, n, digest, path), manifest.files, files_of(database)):
                raise BackupDamagedError(place=str(path), reason="files")
            if not hmac.compare_digest(stream.read(_HASH + 1), digest.digest()):
                raise BackupDamagedError(place=str(path), reason="hash")
    except OSError as error:
        discard(database)
        raise storage_error(error, path) from error
    except FieldsurveyError:
        discard(database)
        raise
    return manifest, beside


def discard(database: Path) -> None:
    """Remove a database that is not in use, with what SQLite and `extract` put beside it."""
    shutil.rmtree(files_of(database), ignore_errors=True)
    for suffix in ("", "-wal", "-shm", "-journal", ".lock", ".part"):
        with contextlib.suppress(OSError):  # ciphertext only: it costs space until the next attempt removes it
            database.with_name(database.name + suffix).unlink(missing_ok=True)


def files_of(database: Path) -> Path:
    """Where `extract` puts the files of drafts."""
    return database.with_name(database.name + ".files")


def _snapshot(
    locked: LockedVault, snapshot: Path, beside: Beside, files: list[KeptFile], now: datetime
) -> tuple[VerifyReport, BackupManifest]:
    discard(snapshot)
    try:
        snapshot.touch(mode=0o600)
        locked.store.vacuum_into(snapshot)
    except OSError as error:
        raise storage_error(error, snapshot.parent) from error
    except sqlite3.Error as error:
        raise sqlite_error(error, snapshot) from error
    copy = open_locked(snapshot)
    try:
        report = verify_log(copy)
        card, head = copy.device_card(), copy.head()
        root = copy.pin().root
        copy.store.tidy()
    finally:
        copy.close()
    manifest = BackupManifest(
        project=card.project,
        device=card.device,
        name=card.name,
        root=root,
        seq=head.seq,
        head=head.head.hex(),
        made=now.isoformat("T", "seconds"),
        database=snapshot.stat().st_size,
        project_file=len(beside.project_file),
        withdrawals=len(beside.withdrawals),
        files=length(files),
    )
    return report, manifest


def _check_not_ahead(locked: LockedVault, path: Path) -> None:
    """A vault that was rolled back must not overwrite what is the only copy of its later records."""
    if not path.exists():
        return
    try:
        held = read_manifest(path)
    except BackupDamagedError:  # it saves nobody: replacing it loses nothing
        return
    ahead = held.seq > locked.head().seq
    if held.device == locked.device_card().device and (ahead or locked.head_at(held.seq) != bytes.fromhex(held.head)):
        raise BackupAheadError(place=str(path), seq=held.seq)


def _pieces(manifest: BackupManifest, snapshot: Path, beside: Beside, files: Iterator[bytes]) -> Iterator[bytes]:
    digest = hashlib.sha256()
    text = manifest.to_bytes()
    head = MAGIC + len(text).to_bytes(_LENGTH, "big") + text
    digest.update(head)
    yield head
    with snapshot.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            yield piece
    for part in chain(beside, files):
        digest.update(part)
        yield part
    yield digest.digest()


def _manifest(stream: BinaryIO, path: Path) -> BackupManifest:
    head = stream.read(_HEAD)
    check_magic("backup", MAGIC, head)
    length = int.from_bytes(head[len(MAGIC) :], "big")
    if len(head) != _HEAD or not head.startswith(MAGIC) or not 2 <= length <= _MAX_MANIFEST:
        raise BackupDamagedError(place=str(path), reason="head")
    try:
        manifest = BackupManifest.from_bytes(stream.read(length))
    except FormatVersionError:
        raise
    except FieldsurveyError as error:
        raise BackupDamagedError(place=str(path), reason=error.code) from None
    if path.stat().st_size != _HEAD + length + manifest.body + _HASH:
        raise BackupDamagedError(place=str(path), reason="length")
    return manifest


def _streamed(stream: BinaryIO, length: int, digest: hashlib._Hash, path: Path) -> Iterator[bytes]:
    left = length
    while left:
        piece = stream.read(min(left, _PIECE))
        if not piece:
            raise BackupDamagedError(place=str(path), reason="cut off")
        digest.update(piece)
        left -= len(piece)
        yield piece


def _read(stream: BinaryIO, length: int, digest: hashlib._Hash, path: Path) -> bytes:
    return b"".join(_streamed(stream, length, digest, path))
