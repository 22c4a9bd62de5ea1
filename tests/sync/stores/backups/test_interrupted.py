"""Imports, kills and a second run while central is backed up or restored."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldsurvey.base.clock import FixedClock
from sync import backups, copying
from sync.backups import (
    BackupReport,
    back_up,
    restore,
)
from sync.central import Central
from sync.errors import CentralBusyError
from sync.place import Place, open_central
from sync.sqlite_store import SqliteWriter
from tests.sync.laptops import laptop
from tests.sync.stores.backups.kit import bodies
from tests.sync.stores.filled import fill_central


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
    assert central.store.covered(late.device) == [(late.device, 4, late.log[-1][0].head, None)]


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
                restore(Path(backup.path), other, project=central.project())
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


def test_two_restores_at_once(
    central: Central, backup: BackupReport, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is told who is at it, and the copy that the first works on stays."""
    real = copying.copy_sets

    def copy(source: Any, target: Any, tick: Any, only: Any) -> int:
        with pytest.raises(CentralBusyError, match=str(os.getpid())):
            restore(Path(backup.path), home)
        assert (home / "restore.part").exists()
        return real(source, target, tick, only)

    monkeypatch.setattr(backups, "copy_sets", copy)
    restore(Path(backup.path), home)
    assert not (home / "restore.part").exists()


def test_a_disk_that_goes_away_after_the_backup_is_told(
    central: Central, home: Path, disk: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup was written, read back and noted before old ones are looked for: it counts, and the rest is said."""
    fill_central(central.store, laptops=1, records=2)

    def gone(path: Path) -> Iterator[Path]:
        raise OSError(errno.EIO, "gone", str(path))

    monkeypatch.setattr(Path, "iterdir", gone)
    report = back_up(central, home, disk, clock=clock)
    assert report.problem
    assert report.removed == ()
    assert central.store.last_backup() == report.at
