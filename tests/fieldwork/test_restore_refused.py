"""Backups that lie, are damaged or are none: nothing is restored, and it is said why."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.errors import FieldsurveyError, StorageError, UnlockError
from fieldsurvey.fieldwork import Laptop
from fieldsurvey.fieldwork.custody import (
    backup,
    find_backup,
)
from fieldsurvey.fieldwork.errors import (
    ProjectGoneError,
)
from fieldsurvey.fieldwork.laptop import PROJECT, VAULT
from fieldsurvey.project.errors import ForeignRootError
from fieldsurvey.records.signing import RootKey
from fieldsurvey.vault.backup import read_manifest
from fieldsurvey.vault.errors import (
    BackupDamagedError,
    NoBackupError,
    VaultExistsError,
)
from tests.fieldwork.conftest import OTHER_WORDS, SyntheticProject
from tests.fieldwork.keeping import restore


def test_wrong_words_restore_nothing(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """Refused with the one sentence; the folder is as it was, and the right words work afterwards."""
    backup(worked, tmp_path / "stick")
    with pytest.raises(UnlockError):
        restore(tmp_path / "again", tmp_path / "stick", clock, OTHER_WORDS)
    assert list((tmp_path / "again").iterdir()) == []
    restore(tmp_path / "again", tmp_path / "stick", clock)


def test_a_restore_never_overwrites(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """Where there is a vault it is refused, and that vault is untouched."""
    backup(worked, tmp_path / "stick")
    before = (worked.home / VAULT).read_bytes()
    with pytest.raises(VaultExistsError):
        restore(worked.home, tmp_path / "stick", clock)
    assert (worked.home / VAULT).read_bytes() == before
    assert not list(worked.home.glob("vault.restoring*"))


def _remade(path: Path, changed: dict[str, object], withdrawals: bytes = b"") -> None:
    """Other values in its manifest, other withdrawals at its end, lengths and hash made to fit."""
    data = path.read_bytes()[:-32]
    manifest = read_manifest(path).model_copy(update={**changed, "withdrawals": len(withdrawals)})
    text = manifest.to_bytes()
    whole = data[:5] + len(text).to_bytes(4, "big") + text + data[9 + int.from_bytes(data[5:9], "big") :] + withdrawals
    path.write_bytes(whole + hashlib.sha256(whole).digest())


@pytest.mark.parametrize(
    "changed", [{"device": "ab" * 16}, {"project": "ab" * 16}, {"seq": 2}, {"head": "00" * 32}, {"root": "00" * 32}]
)
def test_a_manifest_that_lies_is_refused(
    worked: Laptop, tmp_path: Path, clock: FixedClock, changed: dict[str, object]
) -> None:
    """What it says of itself must be what is inside; nothing is restored. Control: remade with the same it restores."""
    path = backup(worked, tmp_path / "stick").path
    whole = path.read_bytes()
    _remade(path, changed)
    with pytest.raises(BackupDamagedError):
        restore(tmp_path / "again", path, clock)
    assert list((tmp_path / "again").iterdir()) == []
    path.write_bytes(whole)
    _remade(path, {})
    restore(tmp_path / "again", path, clock)


@pytest.mark.parametrize("withdrawals", [b"\0", b"\0\5short", b"\xff\xff" + bytes(40), b"\0\0"])
def test_withdrawals_that_are_none_are_refused(
    worked: Laptop, tmp_path: Path, clock: FixedClock, withdrawals: bytes
) -> None:
    """Rubbish in place of tombstones restores nothing."""
    path = backup(worked, tmp_path / "stick").path
    _remade(path, {}, withdrawals)
    with pytest.raises(BackupDamagedError):
        restore(tmp_path / "again", path, clock)
    assert list((tmp_path / "again").iterdir()) == []


def test_a_place_that_cannot_be_made_is_said(worked: Laptop, tmp_path: Path, clock: FixedClock) -> None:
    """A file where the folder should be: typed, and the file is untouched."""
    path = backup(worked, tmp_path / "stick").path
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        restore(tmp_path / "file" / "home", path, clock)
    assert (tmp_path / "file").read_text() == "in the way"


def test_several_backups_are_described(worked: Laptop, tmp_path: Path) -> None:
    """Which is which: the laptop's name and how far each goes; one that is damaged by its name alone."""
    path = backup(worked, tmp_path / "stick").path
    (tmp_path / "stick" / "damaged.fsv").write_bytes(b"x")
    with pytest.raises(NoBackupError) as caught:
        find_backup(tmp_path / "stick")
    assert path.name in caught.value.message
    assert "Synthetic laptop, 3" in caught.value.message
    assert "damaged.fsv" in caught.value.message


def _swapped(path: Path, project: SyntheticProject) -> None:
    """Its project file replaced by another root's, lengths and hash made to fit."""
    manifest = read_manifest(path)
    data = path.read_bytes()
    body = data[9 + int.from_bytes(data[5:9], "big") :][: manifest.database]
    foreign = project.publish(RootKey.generate())
    text = manifest.model_copy(update={"project_file": len(foreign)}).to_bytes()
    whole = data[:5] + len(text).to_bytes(4, "big") + text + body + foreign
    path.write_bytes(whole + hashlib.sha256(whole).digest())


def test_a_swapped_project_in_a_backup_is_refused(
    worked: Laptop, tmp_path: Path, clock: FixedClock, project: SyntheticProject
) -> None:
    """A backup whose project file is signed by another root than the vault pins restores nothing."""
    path = backup(worked, tmp_path / "stick").path
    _swapped(path, project)
    with pytest.raises(ForeignRootError):
        restore(tmp_path / "again", path, clock)
    assert list((tmp_path / "again").iterdir()) == []


@pytest.mark.parametrize("what", ["nothing", "two", "cut", "text"])
def test_what_is_no_backup_is_refused(worked: Laptop, tmp_path: Path, clock: FixedClock, what: str) -> None:
    """An empty folder, two backups, half of one, a text: a sentence, and nothing restored."""
    place = tmp_path / "stick"
    path = backup(worked, place).path
    expected: type[FieldsurveyError] = BackupDamagedError
    if what == "nothing":
        path.unlink()
        expected = NoBackupError
    elif what == "two":
        shutil.copy(path, place / "other.fsv")
        expected = NoBackupError
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:-4000])
    else:
        path.write_text("a text")
    with pytest.raises(expected):
        restore(tmp_path / "again", place, clock)
    assert not (tmp_path / "again" / VAULT).exists()


def test_without_its_project_a_laptop_is_not_backed_up_as_whole(
    worked: Laptop, tmp_path: Path, clock: FixedClock
) -> None:
    """The project's file is missing: said, and no backup written."""
    (worked.home / PROJECT).unlink()
    with pytest.raises(ProjectGoneError):
        backup(Laptop.open(worked.home, clock), tmp_path / "stick")
    assert not (tmp_path / "stick").exists()
