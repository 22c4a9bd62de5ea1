"""A stick that is full, pulled or read-only at any file call of export, import, collecting, and of a relay's taking and
handing on: typed, and it goes on.
"""

from __future__ import annotations

import errno
import os
import pathlib
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from fieldsurvey.base import files
from fieldsurvey.base.errors import StorageError
from fieldsurvey.vault import vault as vault_module
from tests.faults.day import Day
from tests.faults.killing import Killer
from tests.faults.relaying import ALL

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="days are prepared where processes fork")
ERRORS = {"full": errno.ENOSPC, "pulled": errno.EIO, "gone": errno.ENODEV, "read-only": errno.EROFS}
WORK = ["export", "import", "collect", "take", "hand"]


class Refusing(Killer):
    """From file call `at` on, every one fails, as after a stick was pulled out."""

    def __init__(self, at: int, code: int) -> None:
        super().__init__(at, lambda _call: None)
        self.code = code
        self.refused = 0

    def tick(self, call: str) -> None:
        """Raises instead of killing; SQLite's disk is another one."""
        if call.startswith("file"):
            self._left -= 1
            if self._left <= 0:
                self.refused += 1
                raise OSError(self.code, os.strerror(self.code))


def work(day: Day, folder: Path, refusing: Refusing | None) -> tuple[list[str], str]:
    """What was said, and the code of the error that came, if any."""
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:  # remembers what `arm` replaces
        patch.setattr(files, "os", os)
        patch.setattr(sqlite3, "connect", sqlite3.connect)
        for name in ("replace", "unlink", "mkdir", "touch"):
            patch.setattr(pathlib.Path, name, getattr(pathlib.Path, name))
        if refusing:
            refusing.arm()
        try:
            day.work(folder, said.append)
        except StorageError as error:
            return said, error.code
    return said, ""


@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("how", ERRORS)
@pytest.mark.parametrize("name", WORK)
def test_a_stick_that_fails_at_every_file_call(
    name: str, how: str, stride: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each call: an error of storage's or a report of it; what was said is so; doing it again completes it."""
    monkeypatch.setattr("fieldsurvey.vault.vault.open_slot", vault_module.open_slot)  # type: ignore[attr-defined]
    day = ALL[name]()
    day.prepare(tmp_path / "template")
    codes: list[str] = []
    at = 1
    while True:
        folder = tmp_path / "now"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "template", folder)
        refusing = Refusing(at, ERRORS[how])
        said, code = work(day, folder, refusing)
        codes.append(code)
        assert day.wrong(folder, said) == "", (at, said, code)
        if not refusing.refused:
            break
        at += stride if stride == 1 or name not in {"take", "hand"} else 29  # of many more calls
    wanted = {"full": "storage.full", "read-only": "storage.read_only"}.get(how, "storage.gone")
    own = {"storage.own_disk_full"} if how == "full" else set()  # every file call fails here, this machine's too
    assert set(codes) <= {wanted, "", *own}
    assert codes[-1] == ""
    # an import that merged, and a relay that took, report the stick's trouble and are done
    assert name in {"import", "take"} or wanted in codes or own & set(codes)
