"""Backups of central, and getting one back. A backup is one SQLite file, whichever kind of database central uses.

It is made at home, looked through from the bytes up, and only then copied to where it is kept, read back and compared:
no SQLite is ever opened on a stick or a share. What it holds is noted at central: laptops remove their own copies of
records only when a backup has them. Backups that are too old are removed, so that what was withdrawn is gone.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Final, NamedTuple

from fieldsurvey.base.clock import Clock, SystemClock
from fieldsurvey.base.errors import InputError, RefusedError, StorageError, UntrustedError
from fieldsurvey.base.files import file_sha256, storage_error, write_atomic
from fieldsurvey.base.i18n import gettext as _
from fieldsurvey.base.process_lock import ProcessLock
from fieldsurvey.base.sqlite import DatabaseDamagedError
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.model import Project
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.backup import BackupNote, write_note
from fieldsurvey.records.container import Signer
from sync.audit import audit
from sync.central import Central
from sync.copying import copy_sets, weight
from sync.covering import keep_days
from sync.errors import CentralBusyError, ForeignProjectError
from sync.expiring import SIGNED, expire, name_of
from sync.journal import Journal
from sync.moving import Meter
from sync.place import central_exists, read_place
from sync.sets import ERASED, PROJECTS, SETS
from sync.sqlite_store import SqliteStore
from sync.stick import Progress, opened
from sync.store import Counts, Covered, Store
from sync.vouching import Stretches, Vouching

_PIECE: Final = 1 << 20


class NoBackupFolderError(InputError):
    """The folder is not there: a stick that is not plugged in must not become a folder on the system's disk."""

    code = "input.backup_folder"
    template = "There is no folder {place} to put backups in."
    hint = "Nothing was changed. Plug the disk in, or make the folder, then try again."


class NotBackedUpError(StorageError):
    """What was copied does not hold: it does not count as a backup."""

    code = "storage.backup_unsound"
    template = "The copy does not hold together ({problem}): it was removed and does not count as a backup."
    hint = "Central itself is as it was. `fieldsurvey central verify` says what is damaged in it."


class BackupDamagedError(UntrustedError):
    """A file that is no backup any more."""

    code = "untrusted.backup"
    template = "The backup {place} is damaged or is none ({problem})."
    hint = "Nothing was changed. Use another backup; laptops still have what no backup was noted to hold."


class RestoreIntoDamagedError(StorageError):
    """Central is there, and damaged."""

    code = "storage.restore_damaged"
    template = "The central at {place} is damaged ({problem}): nothing is restored into it as it is."
    hint = "Nothing was changed. Move that file away and keep it, then restore again: a new central is made."


class _Held(NamedTuple):
    """An unbroken history of a device's log, and the stretches of it whose records are not there."""

    device: str
    seq: int
    head: bytes
    absent: Stretches


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A backup that was made. `covered`: how many logs it holds unbroken beginnings of.

    `removed`: names of older ones, each once; `problem`: why one could not be removed, or None. `signed`: whether
    central's key signed what it holds, so that receipts will say "backed up".
    """

    path: str
    size: int
    sha256: str
    at: str
    counts: Counts
    covered: int
    removed: tuple[str, ...]
    problem: str | None = None
    signed: bool = False


class NoProjectGivenError(RefusedError):
    """A restore that would have to believe what nobody signed."""

    code = "refused.restore_project"
    template = "There is no signed project to restore {place} with: the one inside a backup carries no signature."
    hint = (
        "Nothing was changed. Name the project's file, from any stick (fieldsurvey/project.fsp) or the steward:"
        " fieldsurvey central restore FILE --project project.fsp --words WORDS"
    )


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore did. `added`: rows central did not have; `withdrawals`: applied again; `erased`: records that went
    for them, each once, but for those that were gone already when the backup was made, or from here.

    `logs`: device -> position up to which its log is whole now.
    """

    place: str
    added: int
    withdrawals: int
    erased: int
    counts: Counts
    logs: dict[str, int]


def back_up(
    central: Central,
    home: Path,
    folder: Path,
    *,
    key: Signer | None = None,
    project: SignedProject | None = None,
    clock: Clock | None = None,
    progress: Progress | None = None,
) -> BackupReport:
    """Make a backup of central in `folder`, and remove those there that are too old.

    `home`: where it is made and checked, with room for one more central. `key`: central's role key, which signs what
    the backup holds; without it no receipt will say "backed up". `project`: put beside it as it is signed, for a
    restore where no other is at hand. `progress` counts records and log entries. Others go on importing meanwhile; it
    is of one moment. Raises NoBackupFolderError, NotBackedUpError, StorageError: then there is no new backup, and what
    was noted of the last one stays.
    """
    if not folder.is_dir():
        raise NoBackupFolderError(place=str(folder))
    now = (clock or SystemClock()).now().astimezone(UTC)
    work = home / "backup.part"
    meter = Meter(2 * weight(central.store), progress)
    lock = ProcessLock(home / "backup.lock")
    if not lock.acquire():
        raise CentralBusyError(place=str(home), holder=_("process {process}").format(process=lock.holder()))
    try:
        held, counts = _make(central, work, meter)
        model = central.project()
        name = name_of(model.id if model else "", now)
        meter.text = _("writing")
        sha256 = write_atomic(folder / name, _pieces(work), private=True)
        size = (folder / name).stat().st_size
    except OSError as error:
        raise storage_error(error, folder) from error
    finally:
        _discard(work)
        lock.release()
    if project is not None:
        write_atomic(signed_beside(folder / name), project.data, private=True)
    write_atomic(folder / f"{name}.sha256", f"{sha256}  {name}\n".encode(), private=True)
    at = now.isoformat("T", "seconds").replace("+00:00", "Z")
    with central.store.write() as writer:
        writer.covered([_covered(one, model, at, sha256, key) for one in held], at)
    removed, problem = expire(folder, now, name, keep_days(central.trusted or model))
    Journal(home, clock).note("backup", "central", place=str(folder), records=counts.bodies)
    devices = len({one.device for one in held})
    return BackupReport(str(folder / name), size, sha256, at, counts, devices, removed, problem, signed=key is not None)


def signed_beside(file: Path) -> Path:
    """Where the signed project of a backup lies."""
    return file.with_name(file.name + SIGNED)


def _make(central: Central, work: Path, meter: Meter) -> tuple[list[_Held], Counts]:
    """Copy one moment of central to `work` and look through the copy; what it holds."""
    _discard(work)
    copy = SqliteStore(work)
    try:
        meter.text = _("copying")
        with central.store.snapshot():
            copy_sets(central.store, copy, meter.tick)
        meter.text = _("checking")
        report = audit(copy, meter.rest)
        if not report.sound:
            raise NotBackedUpError(problem=_(report.problems[0].what))
        return list(_held(copy)), copy.counts()
    finally:
        copy.close()
        if work.exists():
            _make_single(work)


def _held(store: Store) -> Iterator[_Held]:
    """How far each history of each log is unbroken from its beginning, with its records or its device's word."""
    central = Central(store)
    for device in sorted({item.device for item in store.devices()}):
        for (seq, head), absent in Vouching(central, device).held():
            yield _Held(device, seq, head, absent)


def _covered(one: _Held, project: Project | None, at: str, sha256: str, key: Signer | None) -> Covered:
    if key is None or project is None:
        return Covered(one.device, one.seq, one.head)
    note = BackupNote(
        project=project.id,
        device=one.device,
        up_to=one.seq,
        head=one.head.hex(),
        absent=one.absent,
        at=at,
        sha256=sha256,
    )
    return Covered(one.device, one.seq, one.head, write_note(note, key))


def _make_single(path: Path) -> None:
    """Everything into the one file, which can then be opened from a disk that is read-only."""
    connection = sqlite3.connect(path)
    try:
        with contextlib.suppress(sqlite3.Error):  # a copy that failed is removed anyway
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
    finally:
        connection.close()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def restore(
    file: Path, home: Path, *, project: Project | None = None, wait: float = 60.0, progress: Progress | None = None
) -> RestoreReport:
    """Bring back into central of this home (there, lost or never made) all that a backup holds.

    It is a union: nothing that is there goes away. Every withdrawal known here, in the backup or beside central is
    applied again, before any record is. `project`: the newest one, verified by the caller, else the one that central
    here has. Those in the backup carry no signature and are not taken. What is erased follows from the withdrawals,
    never from a note.

    Raises NoProjectGivenError (there is neither), CentralBusyError (another process restores here),
    BackupDamagedError, ForeignProjectError, RestoreIntoDamagedError, StorageError: central then is as it was, or has a
    part of what the backup holds; doing it again completes it.
    """
    if project is None and not central_exists(home):
        raise NoProjectGivenError(place=str(file))
    work = home / "restore.part"
    lock = ProcessLock(home / "restore.lock")
    if not lock.acquire():
        raise CentralBusyError(place=str(home), holder=_("process {process}").format(process=lock.holder()))
    try:
        _fetch(file, work)
        backup = _open_backup(file, work)
        try:
            checking = Meter(1000, progress)
            checking.text = _("checking")
            _check(file, backup, checking)
            with Central(read_place(home).store(wait=wait)) as central:
                _check_target(backup, central, project)
                meter = Meter(weight(backup), progress)
                meter.text = _("restoring")
                return _merge(backup, home, central, meter, project)
        finally:
            backup.close()
    finally:
        _discard(work)
        lock.release()


def _fetch(file: Path, work: Path) -> None:
    """Copy it home, and compare it with the sum that was written beside it, where that is."""
    _discard(work)
    with opened(file) as stream:
        write_atomic(work, iter(lambda: stream.read(_PIECE), b""), private=True)
    beside = file.with_name(file.name + ".sha256")
    if beside.exists():
        with opened(beside) as stream:
            noted = stream.read(256)[:64]
        if noted != file_sha256(work).encode("ascii"):
            raise BackupDamagedError(place=str(file), problem="SHA-256")


def _open_backup(file: Path, work: Path) -> SqliteStore:
    if not _is_sqlite(work):
        raise BackupDamagedError(place=str(file), problem="SQLite")
    try:
        return SqliteStore(work)
    except DatabaseDamagedError:
        raise BackupDamagedError(place=str(file), problem="SQLite") from None


def _is_sqlite(path: Path) -> bool:
    """An empty file would be taken for a new database."""
    with path.open("rb") as stream:
        return stream.read(16) == b"SQLite format 3\x00"


def _check(file: Path, backup: SqliteStore, meter: Meter) -> None:
    """Look through it from the bytes up. Raises BackupDamagedError."""
    try:
        report = audit(backup, meter.rest)
        Central(backup).project()
    except (DatabaseDamagedError, UntrustedError) as error:
        raise BackupDamagedError(place=str(file), problem=error.message) from None
    if not report.sound:
        raise BackupDamagedError(place=str(file), problem=_(report.problems[0].what))


def _check_target(backup: SqliteStore, central: Central, project: Project | None) -> None:
    """Raises NoProjectGivenError, ForeignProjectError, RestoreIntoDamagedError."""
    if found := central.store.check():
        raise RestoreIntoDamagedError(place=central.store.place, problem=found[0])
    if project is None and central.project() is None:
        raise NoProjectGivenError(place=backup.place)
    theirs = Central(backup).project()
    for ours in (project, central.project()):
        if ours is not None and theirs is not None and ours.id != theirs.id:
            raise ForeignProjectError(found=theirs.id[:8], expected=ours.id[:8])


def _merge(backup: SqliteStore, home: Path, central: Central, meter: Meter, project: Project | None) -> RestoreReport:
    served = project or central.project()
    known = [item for item in Withdrawals(home) if served is not None and item.project == served.id]
    with central.store.write() as writer:  # before any record comes back
        for item in known:
            writer.tombstone(bytes.fromhex(item.tag), item.to_bytes())
    with backup.write() as writer:
        for tag, data in list(central.store.tombstones()):
            writer.tombstone(tag, data)
    before = _erased(backup) | _erased(central.store)
    Central(backup).erase()  # in the copy: what was withdrawn since is not even copied
    if project is not None:
        central.learn(project)
    added = copy_sets(backup, central.store, meter.tick, [spec for spec in SETS if spec not in {ERASED, PROJECTS}])
    central.erase()
    erased = len(_erased(central.store) - before)
    logs = {one.device: one.seq for one in sorted(_held(central.store))}
    withdrawals = central.store.counts().tombstones
    return RestoreReport(central.store.place, added, withdrawals, erased, central.store.counts(), logs)


def _erased(store: Store) -> set[bytes]:
    return {row[0] for row in store.rows(ERASED)}


def _discard(path: Path) -> None:
    """Remove a working copy and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal", ".holder", ".part"):
        with contextlib.suppress(OSError):  # what is left is removed the next time
            path.with_name(path.name + suffix).unlink(missing_ok=True)
