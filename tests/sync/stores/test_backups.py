"""Backups of central, and getting one back. All records are synthetic."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base import files
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError
from fieldsurvey.base.files import NoSpaceError, VerifyError
from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.records.receipt import Level
from sync import backups, copying
from sync.audit import AuditReport, Problem
from sync.backups import (
    BackupDamagedError,
    BackupReport,
    NoBackupFolderError,
    NotBackedUpError,
    back_up,
    restore,
)
from sync.central import Central
from sync.errors import CentralBusyError, CentralGoneError, ForeignProjectError
from sync.place import DATABASE, Place, open_central, read_place, write_place
from sync.sets import BODIES, PROJECTS
from sync.sqlite_store import SqliteStore, SqliteWriter
from tests.sync.laptops import SyntheticLaptop, laptop
from tests.sync.projects import SyntheticProject, enrol
from tests.sync.stores.filled import Filled, fill_central
from tests.sync.stores.kinds import SqliteKind
from tests.sync.stores.servers import Server

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    """Moves when told."""
    return FixedClock(NOW)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Where backups are kept."""
    made = tmp_path / "disk"
    made.mkdir()
    return made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home."""
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, home: Path) -> Place:
    """Each kind of central in turn, named by the home."""
    if request.param == "sqlite":
        return Place(path=home / DATABASE)
    found = Place(dsn=request.getfixturevalue("dsn"))
    found.store().close()
    write_place(home, found)
    return found


@pytest.fixture
def central(home: Path, place: Place, clock: FixedClock) -> Iterator[Central]:
    """An empty one."""
    with open_central(home, clock=clock) as made:
        yield made


def bodies(central: Central) -> set[bytes]:
    """The hashes of the records that are held."""
    return {row[0] for row in central.store.rows(BODIES, keys=True)}


def test_what_is_backed_up_comes_back(
    central: Central, home: Path, place: Place, disk: Path, tmp_path: Path, clock: FixedClock
) -> None:
    """Into an empty home: everything, of both kinds; one private file, its sum beside it, nothing left at home."""
    fill_central(central.store)
    seen: list[tuple[int, int, str]] = []
    report = back_up(central, home, disk, clock=clock, progress=lambda *step: seen.append(step))
    path = Path(report.path)
    assert sorted(item.name for item in disk.iterdir()) == [path.name, path.name + ".sha256"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.with_name(path.name + ".sha256").read_text() == f"{report.sha256}  {path.name}\n"
    assert not list(home.glob("*.part*"))
    assert seen
    other = tmp_path / "other"
    other.mkdir()
    done = restore(path, other)
    with open_central(other) as back:
        assert back.digest() == central.digest()
        assert bodies(back) == bodies(central)
        assert back.verify().sound
        assert back.status().cases == central.status().cases
        assert back.store.last_backup() is None
    assert done.added > 30
    assert done.logs.keys() == {device.device for device in central.store.devices()}


def test_a_backup_makes_receipts_of_what_it_holds(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """BACKED_UP up to what is in it, no further; what comes later waits for the next one."""
    item = laptop(3)
    enrol(central, item)
    central.merge(io.BytesIO(item.batch()))
    assert {receipt.level for receipt in central.receipts(item.device)} == {Level.COMMITTED}
    report = back_up(central, home, disk, clock=clock)
    assert central.store.last_backup() == report.at == "2026-03-02T09:00:00Z"
    item.seal()
    central.merge(io.BytesIO(item.batch(4)))
    assert {(receipt.level, receipt.up_to) for receipt in central.receipts(item.device)} == {
        (Level.COMMITTED, 4),
        (Level.BACKED_UP, 3),
    }


def test_a_gap_is_not_covered(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """Only unbroken beginnings are: what follows a gap could belong to another history."""
    item = laptop(5)
    enrol(central, item)
    for first, last in ((1, 2), (4, 5)):
        central.merge(io.BytesIO(item.batch(first, last)))
    back_up(central, home, disk, clock=clock)
    assert central.store.covered(item.device) == [(2, item.log[1][0].head)]


def test_restoring_brings_nothing_withdrawn_back(
    central: Central, home: Path, disk: Path, tmp_path: Path, clock: FixedClock
) -> None:
    """What was withdrawn after the backup: known at home, or at the central that is restored into."""
    made: Filled = fill_central(central.store)
    held = bodies(central)
    report = back_up(central, home, disk, clock=clock)
    tag = made.codes[1].tag(central.project().id).encode()  # type: ignore[union-attr]
    central.withdraw(made.tombstone(made.codes[1]))
    assert central.erase() > 0
    after = bodies(central)
    assert after < held
    restore(Path(report.path), home)
    assert bodies(central) == after
    other = tmp_path / "other"
    other.mkdir()
    Withdrawals(other).enter(made.tombstone(made.codes[1]))
    done = restore(Path(report.path), other)
    assert done.erased > 0
    with open_central(other) as back:
        assert bodies(back) == after
        assert back.digest() == central.digest()
        assert back.verify().sound
    empty = tmp_path / "empty"
    empty.mkdir()
    restore(Path(report.path), empty)  # the control: without the withdrawal they do come back
    with open_central(empty) as back:
        assert bodies(back) == held
    assert tag


def test_a_restore_takes_nothing_away(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """A union: what came after the backup stays, a record that was lost comes back; twice changes nothing more."""
    fill_central(central.store)
    report = back_up(central, home, disk, clock=clock)
    lost = next(iter(bodies(central)))
    late = laptop(2)
    central.merge(io.BytesIO(late.batch()))
    before, held = central.digest(), bodies(central)
    place = read_place(home)
    if place.path:
        SqliteKind(place.path).spoil("DELETE FROM bodies WHERE hash = %s", lost)
    else:
        from tests.sync.stores.kinds import PostgresKind

        PostgresKind(place.dsn or "").spoil("DELETE FROM bodies WHERE hash = %s", lost)
    assert bodies(central) == held - {lost}
    assert restore(Path(report.path), home).added == 1
    assert bodies(central) == held
    assert central.digest() == before
    assert restore(Path(report.path), home).added == 0


def test_old_backups_go_and_nothing_else(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """After ten days, with their sums and what was left half written; never another file, never before a new one."""
    fill_central(central.store, laptops=1)
    first = Path(back_up(central, home, disk, clock=clock).path)
    (disk / "central-notes.db").write_text("somebody's")
    (disk / "central-0123abcd-20200101T000000Z.db.bak").write_text("somebody's")
    (disk / "central-0123abcd-20260301T000000Z.db.part").write_text("half")
    clock.move(days=10)
    report = back_up(central, home, disk, clock=clock)
    assert first.exists()
    assert report.removed == ("central-0123abcd-20260301T000000Z.db.part",)
    clock.move(seconds=1)
    report = back_up(central, home, disk, clock=clock)
    assert set(report.removed) == {first.name, first.name + ".sha256"}
    clock.move(days=-4000)  # a clock that is wrong removes no newer ones
    report = back_up(central, home, disk, clock=clock)
    assert report.removed == ()
    assert (disk / "central-notes.db").exists()
    assert (disk / "central-0123abcd-20200101T000000Z.db.bak").exists()


@pytest.fixture
def backup(central: Central, home: Path, disk: Path, clock: FixedClock) -> BackupReport:
    """One that holds something, without its sum beside it: then only what is inside can tell."""
    fill_central(central.store, laptops=1, records=3)
    made = back_up(central, home, disk, clock=clock)
    Path(made.path + ".sha256").unlink()
    return made


def test_a_damaged_backup_is_refused(backup: BackupReport, tmp_path: Path) -> None:
    """A byte altered anywhere in a record, a file cut short, an empty one, another file: typed, and no central made."""
    data = Path(backup.path).read_bytes()
    connection = sqlite3.connect(backup.path)
    (body,) = connection.execute("SELECT body FROM bodies WHERE length(body) < 3000").fetchone()
    connection.close()
    at = data.index(body[:200])
    damaged = {
        "altered": data[: at + 90] + bytes([data[at + 90] ^ 1]) + data[at + 91 :],
        "cut": data[: len(data) // 2],
        "empty": b"",
        "other": b"PK\x03\x04 not a database",
        "header": data[:20] + bytes([data[20] ^ 0xFF]) + data[21:],
    }
    for name, content in damaged.items():
        other = tmp_path / name
        other.mkdir()
        path = other / "backup.db"
        path.write_bytes(content)
        with pytest.raises(BackupDamagedError):
            restore(path, other)
        assert [item.name for item in other.iterdir()] == ["backup.db"], name


def test_every_damage_is_found_where_the_sum_is(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """Whatever byte it is, also one that says nothing."""
    fill_central(central.store, laptops=1, records=2)
    path = Path(back_up(central, home, disk, clock=clock).path)
    data = path.read_bytes()
    for at in range(0, len(data), len(data) // 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        with pytest.raises(BackupDamagedError):
            restore(path, home)
    path.write_bytes(data)
    assert restore(path, home).added == 0


def test_a_forged_backup_erases_nothing(backup: BackupReport, central: Central, home: Path) -> None:
    """Notes of erasure that no withdrawal bears out: somebody could have written them on the disk."""
    before = bodies(central)
    late = laptop(2)
    central.merge(io.BytesIO(late.batch()))
    connection = sqlite3.connect(backup.path)
    with connection:
        connection.executemany("INSERT INTO erased VALUES (?)", [(entry.record_hash,) for entry, _body in late.log])
    connection.close()
    with contextlib.suppress(BackupDamagedError):  # as good
        restore(Path(backup.path), home)
    assert bodies(central) == before | {entry.record_hash for entry, _body in late.log}


def test_the_project_of_a_backup_does_not_displace_the_verified_one(
    backup: BackupReport, central: Central, home: Path, tmp_path: Path
) -> None:
    """A backup carries no signature: what the caller verified counts; another project's backup is refused."""
    known = central.project()
    assert known is not None
    other = tmp_path / "other"
    other.mkdir()
    newer = SyntheticProject(known.id).model(version=7)
    restore(Path(backup.path), other, project=newer)
    with open_central(other) as back:
        assert back.project() == newer
        assert [row[0] for row in back.store.rows(PROJECTS)] == [7]
    with pytest.raises(ForeignProjectError):
        restore(Path(backup.path), other, project=SyntheticProject().model())


@pytest.mark.parametrize("where", ["copying", "writing", "sum"])
def test_a_full_disk_leaves_no_backup_that_counts(
    central: Central, home: Path, disk: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """At home while copying, or on the disk while writing: typed, nothing is noted, the last backup stays."""
    fill_central(central.store, laptops=1)
    first = back_up(central, home, disk, clock=clock)
    noted = central.store.last_backup()
    clock.move(hours=1)
    with monkeypatch.context() as patch:
        if where == "copying":
            patch.setattr(backups, "copy_sets", lambda *_args: _fill_up(home / "backup.part"))
        else:
            _no_room(patch, disk, sums=where == "sum")
        with pytest.raises(NoSpaceError):
            back_up(central, home, disk, clock=clock)
    assert central.store.last_backup() == noted
    assert not list(home.glob("*.part*"))
    assert Path(first.path).exists()
    assert not list(disk.glob("*.part"))
    restore(Path(first.path), home)
    clock.move(hours=1)
    assert back_up(central, home, disk, clock=clock).counts.entries == first.counts.entries


def _fill_up(path: Path) -> None:
    """What SQLite does on a full disk."""
    store = SqliteStore(path)
    try:
        store._connection.execute("PRAGMA max_page_count=1")
        with store.write() as writer:
            writer.tombstone(b"t" * 32, bytes(1 << 20))
    finally:
        store.close()


def _no_room(patch: pytest.MonkeyPatch, disk: Path, *, sums: bool) -> None:
    real = os.fdopen

    def fdopen(handle: int, *args: Any, **kwargs: Any) -> Any:
        opened = real(handle, *args, **kwargs)
        name = str(Path(f"/proc/self/fd/{handle}").readlink())
        if name.startswith(str(disk)) and (".sha256" in name) == sums:
            opened.close()
            raise OSError(errno.ENOSPC, "full")
        return opened

    patch.setattr(os, "fdopen", fdopen)


def test_a_copy_that_reads_back_wrong_does_not_count(
    central: Central, home: Path, disk: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failing disk, and a central that is damaged itself: neither makes a backup."""
    fill_central(central.store, laptops=1)
    with monkeypatch.context() as patch, pytest.raises(VerifyError):
        patch.setattr(files, "file_sha256", lambda _path: "0" * 64)
        back_up(central, home, disk, clock=clock)
    with monkeypatch.context() as patch, pytest.raises(NotBackedUpError):
        patch.setattr(backups, "audit", lambda *_args: AuditReport(1, 1, (Problem("", 0, "the chain is broken"),)))
        back_up(central, home, disk, clock=clock)
    assert central.store.last_backup() is None
    with pytest.raises(NoBackupFolderError):
        back_up(central, home, disk / "not plugged in", clock=clock)


def test_a_damaged_central_makes_no_backup(central: Central, home: Path, place: Place, disk: Path) -> None:
    """The control of the check: one byte of one record, altered where it lies."""
    item: SyntheticLaptop = laptop(3)
    enrol(central, item)
    central.merge(io.BytesIO(item.batch()))
    entry, body = item.log[1]
    altered = body[:-1] + bytes([body[-1] ^ 1])
    kind: Any = SqliteKind(place.path) if place.path else None
    if kind is None:
        from tests.sync.stores.kinds import PostgresKind

        kind = PostgresKind(place.dsn or "")
    kind.spoil("UPDATE bodies SET body = %s WHERE hash = %s", altered, entry.record_hash)
    with pytest.raises(NotBackedUpError, match="altered"):
        back_up(central, home, disk)
    assert list(disk.iterdir()) == []


def test_imports_go_on_while_a_backup_is_made(
    central: Central, home: Path, place: Place, disk: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is of one moment: what comes in between is not in it, whole or in part, nor said to be."""
    fill_central(central.store, laptops=1)
    late = laptop(4)
    real = copying.copy_sets

    def copy(source: Any, target: Any, tick: Any) -> int:
        source.counts()
        with Central(place.store()) as other:
            other.merge(io.BytesIO(late.batch()))
        return real(source, target, tick)

    monkeypatch.setattr(backups, "copy_sets", copy)
    report = back_up(central, home, disk, clock=clock)
    assert central.store.covered(late.device) == []
    assert report.counts.entries == central.store.counts().entries - 4
    monkeypatch.setattr(backups, "copy_sets", real)
    clock.move(hours=1)
    back_up(central, home, disk, clock=clock)
    assert central.store.covered(late.device) == [(4, late.log[-1][0].head)]


def test_what_a_killed_backup_left_is_cleared_away(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """At home and on the disk: the next one is whole and leaves nothing of it."""
    fill_central(central.store, laptops=1)
    for name in ("backup.part", "backup.part-wal", "backup.part.holder"):
        (home / name).write_bytes(b"SQLite format 3\x00 half")
    (disk / "central-0f0f0f0f-20260301T080000Z.db.part").write_bytes(b"half")
    report = back_up(central, home, disk, clock=clock)
    assert restore(Path(report.path), home).added == 0
    assert not list(home.glob("*.part*"))
    assert not list(disk.glob("*.part"))


def test_a_restore_that_is_interrupted_goes_on(
    backup: BackupReport, central: Central, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each set that it writes: nothing that is there is damaged, and the same again completes it."""
    expected = central.digest(), bodies(central)
    other = tmp_path / "other"
    other.mkdir()
    real = SqliteWriter.rows
    cuts = 0
    while True:
        calls = 0

        def rows(self: SqliteWriter, spec: Any, given: Any, cut: int = cuts) -> int:
            nonlocal calls
            calls += 1
            if calls > 1:
                raise KeyboardInterrupt
            return real(self, spec, given)

        with monkeypatch.context() as patch:
            patch.setattr(SqliteWriter, "rows", rows)
            try:
                restore(Path(backup.path), other)
                break
            except KeyboardInterrupt:
                cuts += 1
        with open_central(other) as back:
            assert not back.store.unclaimed_bodies() or back.store.counts().entries == 0
        assert cuts < 30
    assert cuts > 3
    with open_central(other) as back:
        assert (back.digest(), bodies(back)) == expected
        assert back.verify().sound


def test_two_backups_at_once(central: Central, home: Path, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is told who is at it, and spoils nothing."""
    fill_central(central.store, laptops=1)
    real = copying.copy_sets

    def copy(source: Any, target: Any, tick: Any) -> int:
        with pytest.raises(CentralBusyError, match=str(os.getpid())):
            back_up(central, home, disk)
        return real(source, target, tick)

    monkeypatch.setattr(backups, "copy_sets", copy)
    assert back_up(central, home, disk).counts.entries


def test_a_server_that_is_gone_makes_no_backup(home: Path, disk: Path, server: Server, dsn: str) -> None:
    """In the middle of the copying: typed; what is at home is cleared away."""
    write_place(home, Place(dsn=dsn))
    Place(dsn=dsn).store().close()
    with open_central(home) as central:
        fill_central(central.store, laptops=1)
        real = SqliteStore.write
        calls = 0

        def write(self: SqliteStore) -> Any:
            nonlocal calls
            calls += 1
            if calls == 3:
                server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'synthetic%'")
            return real(self)

        with pytest.MonkeyPatch.context() as patch, pytest.raises(CentralGoneError):
            patch.setattr(SqliteStore, "write", write)
            back_up(central, home, disk)
        assert not list(home.glob("*.part*"))
        assert not list(disk.iterdir())
        assert back_up(central, home, disk).counts.entries


def test_names_are_not_trusted(central: Central, home: Path, disk: Path, clock: FixedClock) -> None:
    """A link with an old backup's name is not followed and not removed."""
    fill_central(central.store, laptops=1, records=1)
    precious = home / f"precious-{secrets.token_hex(2)}"
    precious.write_text("somebody's")
    (disk / "central-0123abcd-20200101T000000Z.db").symlink_to(precious)
    report = back_up(central, home, disk, clock=clock)
    assert report.removed == ()
    assert precious.read_text() == "somebody's"
    with pytest.raises(FieldsurveyError):
        restore(disk / "nothing.db", home)
