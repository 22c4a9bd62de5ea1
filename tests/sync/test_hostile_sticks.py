"""Sticks laid out to hurt whoever plugs them in: links, pipes, files without an end. All synthetic."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.base.files import write_atomic
from fieldsurvey.fieldwork.laptop import VAULT
from sync.carrying import take_stick
from sync.central import Central
from sync.importing import import_folder
from sync.stick import Stick
from tests.sync.laptops import PROJECT, laptop
from tests.sync.projects import SyntheticProject, join, seal_some
from tests.sync.relay.kit import lay, made

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes need a right there that nobody has")


def prepared(tmp_path: Path) -> Stick:
    """An empty stick with our folders."""
    stick = Stick(tmp_path / "stick")
    stick.make(stick.batches)
    stick.make(stick.receipts)
    return stick


@POSIX
def test_a_link_in_the_place_of_an_unfinished_copy_overwrites_nothing(tmp_path: Path, central: Central) -> None:
    """A stick whose `project.fsp.part` is a link to a laptop's vault: the vault is as it was, the project is there."""
    project = SyntheticProject()
    laptop = join(project, tmp_path / "laptop")
    seal_some(laptop, 1)
    laptop.close()
    vault = tmp_path / "laptop" / VAULT
    before = vault.read_bytes()
    stick = prepared(tmp_path)
    (stick.root / "project.fsp.part").symlink_to(vault)
    report = import_folder(central, tmp_path / "stick", project.publish(), project.central, home=tmp_path / "home")
    assert vault.read_bytes() == before
    assert report.project == "written"
    assert stick.project.is_file()
    assert not stick.project.is_symlink()


@POSIX
def test_a_pipe_in_the_place_of_an_unfinished_copy_holds_nobody_up(tmp_path: Path, central: Central) -> None:
    """Opening a pipe to write waits for a reader, for ever."""
    project = SyntheticProject()
    stick = prepared(tmp_path)
    os.mkfifo(stick.root / "project.fsp.part")
    report = import_folder(central, tmp_path / "stick", project.publish(), project.central, home=tmp_path / "home")
    assert report.project == "written"


def test_a_batch_with_a_long_tail_is_refused_without_a_copy(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole batch, and gigabytes of nothing behind it: a supervisor's disk is not filled to find that out."""
    project = SyntheticProject(PROJECT)
    one = laptop(2)
    project.enrol(one.card)
    relay = made(tmp_path / "supervisor", project, clock)
    with lay(tmp_path / "stick", one.batch(), "long.fsb").open("r+b") as handle:
        handle.truncate(3 << 30)
    copied: list[Path] = []

    def counted(path: Path, pieces: bytes | Iterable[bytes], *, private: bool = False) -> str:
        copied.append(path)
        return write_atomic(path, pieces, private=private)

    monkeypatch.setattr("sync.holding.write_atomic", counted)
    monkeypatch.setattr("sync.holding.RESERVE", -1 << 62)  # whatever room this machine has
    (file,) = take_stick(relay, tmp_path / "stick").files
    assert (file.outcome, file.code) == ("refused", "untrusted.batch")
    assert not copied
    lay(tmp_path / "stick", one.batch(), "long.fsb")  # the control: without its tail it is taken
    (file,) = take_stick(relay, tmp_path / "stick").files
    assert (file.outcome, len(copied)) == ("taken", 1)
