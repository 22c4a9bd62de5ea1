"""Backups that are damaged, forged or could not be written whole: none counts, none does harm."""

from __future__ import annotations

import contextlib
import io
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base import files
from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.files import NoSpaceError, VerifyError
from sync import backups
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
from sync.errors import CentralGoneError
from sync.place import Place, open_central, write_place
from sync.sqlite_store import SqliteStore
from tests.sync.laptops import SyntheticLaptop, laptop
from tests.sync.projects import enrol
from tests.sync.stores.backups.kit import bodies, fill_up, no_room
from tests.sync.stores.filled import fill_central
from tests.sync.stores.kinds import SqliteKind
from tests.sync.stores.servers import Server


def test_a_damaged_backup_is_refused(backup: BackupReport, central: Central, tmp_path: Path) -> None:
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
            restore(path, other, project=central.project())
        assert {item.name for item in other.iterdir()} == {"backup.db", "restore.lock"}, name


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
            patch.setattr(backups, "copy_sets", lambda *_args: fill_up(home / "backup.part"))
        else:
            no_room(patch, disk, sums=where == "sum")
        with pytest.raises(NoSpaceError):
            back_up(central, home, disk, clock=clock)
    assert central.store.last_backup() == noted
    assert not list(home.glob("*.part*"))
    assert Path(first.path).exists()
    assert not list(disk.glob("*.part"))
    restore(Path(first.path), home)
    clock.move(hours=1)
    assert back_up(central, home, disk, clock=clock).counts.entries == first.counts.entries


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
