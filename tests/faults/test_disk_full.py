"""A disk that fills up, fails or is pulled at any write: a typed error, nothing acknowledged lost, the retry works."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from fieldsurvey.base.errors import StorageError
from fieldsurvey.base.files import NoSpaceError
from fieldsurvey.fieldwork import Laptop, Session
from fieldsurvey.fieldwork.custody import backup
from fieldsurvey.fieldwork.work import Work
from fieldsurvey.vault.store import Store
from tests.faults.layer import file_layer
from tests.faults.rounds import CLOCK, NOW, Found, goes_on, look, recovered, remember_slots
from tests.fieldwork.conftest import WORDS, SyntheticProject, join

LONG = "long " * 8_000


class Failing:
    """The disk: at call `at` (writes, truncates, and syncs if `syncs`) it fails, and goes on failing until mended."""

    def __init__(self, at: int, error: Callable[[], Exception], *, syncs: bool = False) -> None:
        self.left = at
        self.failed = 0
        self._error = error
        self._calls = {"write", "truncate", "sync"} if syncs else {"write"}
        self.mended = False

    def __call__(self, call: str, name: str) -> None:
        """As `layer.Refuse`."""
        if call not in self._calls or self.mended:
            return
        self.left -= 1
        if self.left <= 0:
            self.failed += 1
            raise self._error()


def full() -> Exception:
    """No room."""
    return apsw.FullError("disk is full")


def failing() -> Exception:
    """The disk is gone, or a quota is reached."""
    error: Any = apsw.IOError("disk I/O error")
    error.extendedresult = apsw.SQLITE_IOERR_WRITE
    return cast("Exception", error)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    remember_slots(monkeypatch)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A laptop with one record and one draft."""
    home = tmp_path_factory.mktemp("template") / "home"
    laptop = join(home, SyntheticProject(), CLOCK)
    session = laptop.unlock(WORDS)
    for story in ("sealed", "draft"):
        work = session.start("synthetic")
        work.answer("/data/story", story)
        work.answer("/data/age", "30")
        if story == "sealed":
            work.finalise()
    session.close()
    laptop.close()
    return home


def on_disk(home: Path, copy: Path) -> Found | None:
    """What the program finds after a restart, looked at in a copy."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy)
    return recovered(copy)


def steps(session: Session, work: Work) -> Iterator[Callable[[], object]]:
    """A short day; a step that failed is taken again. Answers are taken again as `save`: they are in the interview."""
    yield work.save
    yield lambda: work.answer("/data/story", "short") if work.saved else work.save()
    yield lambda: work.answer("/data/story", LONG) if work.saved else work.save()
    yield work.finalise
    yield lambda: session.vault.locked.mark_copied(2, "stick", NOW)


def day(home: Path, copy: Path, disk: Failing) -> StorageError | None:
    """Take the steps on a failing disk; at the failure, look at what is on it; mend it and take the step again."""
    seen: StorageError | None = None
    with file_layer(home, refuse=disk):
        laptop = Laptop.open(home, CLOCK)
        session = laptop.unlock(WORDS)
        work = session.resume(session.drafts()[0].draft_id)
        for step in steps(session, work):
            before = look(session.vault)
            try:
                step()
            except StorageError as error:
                seen = error
                assert not session.vault.locked.store.connection.in_transaction
                assert look(session.vault) == before, "half of a step is there"
                found = on_disk(home, copy)
                disk.mended = True
                step()
                assert apart_from_sealing(found) in map(apart_from_sealing, (before, look(session.vault)))
        session.close()
        laptop.close()
    return seen


def apart_from_sealing(found: Found | None) -> Found:
    """A COMMIT whose last sync failed may be found after a restart; sealed again, the record has other bytes."""
    assert found is not None
    return replace(found, records=())


def campaign(template: Path, folder: Path, error: Callable[[], Exception], stride: int, *, syncs: bool) -> list[str]:
    """Fail at each `stride`-th call; the codes of the errors that were seen."""
    codes: list[str] = []
    at = 1
    while True:
        home = folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(template, home)
        disk = Failing(at, error, syncs=syncs)
        seen = day(home, folder / "copy", disk)
        if seen is not None:
            codes.append(seen.code)
        end = recovered(home)
        assert end is not None
        assert (end.head, len(end.drafts), len(end.copied)) == (2, 0, 1)
        if not disk.failed:
            return codes
        at += stride


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.long)])
def test_full_at_every_page(template: Path, tmp_path: Path, stride: int) -> None:
    """Full at each write of SQLite: said as "no room", nothing half there, and after making room the day goes on."""
    codes = campaign(template, tmp_path, full, stride, syncs=False)
    assert set(codes) == {"storage.full"}
    assert len(codes) > 20 // stride
    goes_on(tmp_path / "home")


@pytest.mark.parametrize("stride", [13, pytest.param(1, marks=pytest.mark.long)])
def test_a_disk_that_fails_at_every_call(template: Path, tmp_path: Path, stride: int) -> None:
    """An input/output error at each write, truncate and sync: said as "the disk refused", never as "damaged"."""
    codes = campaign(template, tmp_path, failing, stride, syncs=True)
    assert set(codes) == {"storage.refused"}
    assert len(codes) > 20 // stride


def test_the_control_of_the_disk_loses(template: Path, tmp_path: Path) -> None:
    """Control: a layer that drops a write and says nothing is found out."""
    home = tmp_path / "home"
    shutil.copytree(template, home)
    with file_layer(home):
        laptop = Laptop.open(home, CLOCK)
        session = laptop.unlock(WORDS)
        work = session.resume(session.drafts()[0].draft_id)
        work.answer("/data/story", "kept")
        before = look(session.vault)
        wal = (home / "vault.db-wal").read_bytes()
        work.answer("/data/story", "dropped")
        (home / "vault.db-wal").write_bytes(wal)
        found = on_disk(home, tmp_path / "copy")
        assert found != look(session.vault)
    assert found == before


_DAY = """
import sys
from pathlib import Path
from fieldsurvey.base.errors import StorageError
from fieldsurvey.fieldwork import Laptop
from tests.faults.rounds import CLOCK
from tests.fieldwork.conftest import WORDS
session = Laptop.open(Path(sys.argv[1]), CLOCK).unlock(WORDS)
work = session.start("synthetic")
done = 0
try:
    while done < 400:
        work.answer("/data/story", str(done) + " long" * 1_000)
        done += 1
        print(done, flush=True)
except StorageError as error:
    print(error.code, flush=True)
"""


def _run(home: Path, limit: int | None = None) -> tuple[int, str]:
    """Answers until the system refuses: the number acknowledged, and the error's code."""
    run = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n" if limit else ""
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-P", "-c", run + _DAY, str(home)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    said = done.stdout.split()
    assert done.returncode == 0, done.stderr[-2000:]
    assert not said[-1].isdigit(), "it was never full"
    return (int(said[-2]) if len(said) > 1 else 0), said[-1]


def _last_answer(home: Path) -> int:
    laptop = Laptop.open(home, CLOCK)
    session = laptop.unlock(WORDS)
    newest = [session.resume(card.draft_id).interview.question("/data/story").value for card in session.drafts()]
    session.close()
    laptop.close()
    return max((int(value.split()[0]) for value in newest if value and " long" in value), default=-1)


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
@pytest.mark.parametrize(
    "limit", [300_000, *(pytest.param(n, marks=pytest.mark.long) for n in range(150_000, 600_000, 12_345))]
)
def test_the_system_refuses_a_larger_file(template: Path, tmp_path: Path, limit: int) -> None:
    """A limit of the system's, at no page's end: the error is typed, the last acknowledged answer is there."""
    home = tmp_path / "home"
    shutil.copytree(template, home)
    acknowledged, code = _run(home, limit)
    assert code in {"storage.full", "storage.refused"}
    assert _last_answer(home) == acknowledged - 1
    goes_on(home)


def test_a_backup_for_which_there_is_no_room(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full where the snapshot is made, full where it is filled, full in the backup's folder: "no room", nothing is
    left, the vault and the backup of yesterday stay as they are; with room it works.
    """
    home = tmp_path / "home"
    shutil.copytree(template, home)
    laptop = Laptop.open(home, CLOCK)
    backup(laptop, tmp_path / "backups")
    (kept,) = (tmp_path / "backups").iterdir()
    yesterday, vault = kept.read_bytes(), (home / "vault.db").read_bytes()

    def no_room(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    def no_room_in_sqlite(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    for name, thing, instead in (
        ("touch", Path, no_room),
        ("vacuum_into", Store, no_room_in_sqlite),
        ("replace", Path, no_room),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(thing, name, instead)
            with pytest.raises(NoSpaceError):
                backup(laptop, tmp_path / "backups")
        assert [path.read_bytes() for path in (tmp_path / "backups").iterdir()] == [yesterday], name
        assert (home / "vault.db").read_bytes() == vault
        assert not list(home.glob("*.snapshot*"))
    assert backup(laptop, tmp_path / "backups").verified.whole
    laptop.close()


@contextmanager
def small_disk(place: Path, kib: int) -> Iterator[None]:
    """A real file system of this size; skips where it cannot be made."""
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(place)], check=False)
    if made.returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting needs root on Linux")
@pytest.mark.parametrize("kib", range(380, 560, 12))
def test_a_real_disk_that_is_full(template: Path, tmp_path: Path, kib: int) -> None:
    """A file system that fills up: "no room" is said; with room again, all that was acknowledged is there."""
    with small_disk(tmp_path / "disk", kib):
        shutil.copytree(template, tmp_path / "disk" / "home")
        acknowledged, code = _run(tmp_path / "disk" / "home")
        shutil.copytree(tmp_path / "disk" / "home", tmp_path / "home")
    assert code == "storage.full"
    assert _last_answer(tmp_path / "home") == acknowledged - 1
    goes_on(tmp_path / "home")
