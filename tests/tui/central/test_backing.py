"""A backup from the screen: verified, noted, told; stopped without a trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldsurvey.tui.central.backing import BackupStoppedError, backup_said, make_backup
from fieldsurvey.tui.central.overview import look
from fieldsurvey.tui.central.purposes import PURPOSES
from sync.backups import BackupReport
from sync.errors import NothingHereError
from sync.store import Counts
from tests.tui.central.province import Province


def told(_done: int, _total: int, _text: str) -> None:
    """Nobody looks."""


def test_after_a_backup_nothing_is_loud(tmp_path: Path) -> None:
    """The file is there, the warning is gone, and the row says up to where the backup holds the laptop's log."""
    province = Province(tmp_path)
    province.bring(province.laptop("Laptop 1", 3).batch())
    disk = tmp_path / "disk"
    disk.mkdir()
    assert look(province.desk).backup_due
    done = make_backup(province.desk, disk, told, lambda: False)
    assert Path(done.path).exists()
    seen = look(province.desk)
    assert not seen.backup_due
    assert seen.devices[0].backed_up == 3
    said = backup_said(done)
    assert said[0].text.startswith("3 records copied, checked")
    assert all(sentence.good for sentence in said)


def test_without_centrals_key_it_says_that_nobody_is_freed(tmp_path: Path) -> None:
    """The backup is made; what to do next is said, and the warning stays."""
    province = Province(tmp_path)
    province.bring(province.laptop("Laptop 1", 3).batch())
    (province.home / "steward" / "central.key").unlink()
    disk = tmp_path / "disk"
    disk.mkdir()
    done = make_backup(province.desk, disk, told, lambda: False)
    assert any(not one.good and "NOT SIGNED" in one.text and "Back up again" in one.advice for one in backup_said(done))
    seen = look(province.desk)
    assert seen.backup_due
    assert seen.devices[0].backed_up == 0


def test_a_backup_can_be_stopped(tmp_path: Path) -> None:
    """No file, no half file, the warning stays; it is said that the next one starts again, while it stops and after."""
    province = Province(tmp_path)
    province.bring(province.laptop("Laptop 1", 3).batch())
    disk = tmp_path / "disk"
    disk.mkdir()
    with pytest.raises(BackupStoppedError, match="backup was stopped") as caught:
        make_backup(province.desk, disk, told, lambda: True)
    assert "from the beginning" in caught.value.hint
    assert "from the beginning" in PURPOSES["backup"].stopping
    assert list(disk.iterdir()) == []
    assert look(province.desk).backup_due
    assert not [path for path in province.home.iterdir() if path.name.startswith("backup.part")]


def test_before_any_import_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    """It is said, and no database is made for it."""
    province = Province(tmp_path)
    with pytest.raises(NothingHereError):
        make_backup(province.desk, tmp_path, told, lambda: False)
    assert not province.desk.begun


def test_an_old_backup_that_cannot_be_removed_is_told() -> None:
    """What was withdrawn must go: somebody has to remove it by hand."""
    done = BackupReport("x.db", 1, "", "", Counts(0, 0, 0, 0, 0, 0, 0, 0), 0, ("old.db",), "synthetic reason")
    texts = [(sentence.good, sentence.text) for sentence in backup_said(done)]
    assert (False, "An older backup could not be removed. synthetic reason") in texts
    assert any("1 backup older than 10 days was removed" in text for _good, text in texts)
