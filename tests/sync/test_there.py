"""Nothing is put where no stick is: it would look carried, and lie on the system's own disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.errors import NoFolderError
from sync.stick import there


def test_a_folder_that_is_there_is_taken(tmp_path: Path) -> None:
    """Any folder will do, on any disk, where people name one."""
    assert there(tmp_path) == tmp_path


def test_no_folder_is_made_for_a_stick_that_is_not_there(tmp_path: Path) -> None:
    """Refused, and nothing is written."""
    with pytest.raises(NoFolderError):
        there(tmp_path / "STICK")
    assert not list(tmp_path.iterdir())


def test_the_empty_folder_that_a_pulled_stick_leaves_is_no_stick(tmp_path: Path) -> None:
    """Under /media and on the system's disk: what was mounted there is gone. On another disk it is a stick."""
    left = tmp_path / "STICK"
    left.mkdir()
    with pytest.raises(NoFolderError):
        there(left, mounts=(f"{tmp_path}/",), system=tmp_path)
    assert there(left, mounts=(f"{tmp_path}/",), system=Path("/proc")) == left
