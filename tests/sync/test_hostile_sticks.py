"""Sticks laid out to hurt whoever plugs them in: links, pipes, files without an end. All synthetic."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from fieldsurvey.fieldwork.laptop import VAULT
from sync.central import Central
from sync.importing import import_folder
from sync.stick import Stick
from tests.sync.projects import SyntheticProject, join, seal_some

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
