"""Power cuts at every write: nothing acknowledged is lost, nothing is corrupt.

The program's own fieldwork runs on a file layer that writes down every call. From the log every state is built that a
disk may be in after a cut; each is opened by the program as it ships, verified, and compared with what was
acknowledged before the cut and the step that was under way.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest

from fieldsurvey.base import sqlite as base_sqlite
from tests.faults.disk import Acknowledged, Cut, DiskLog, Sync, SyncFolder, cuts
from tests.faults.layer import file_layer
from tests.faults.rounds import NOTHING, CorruptError, Days, Found, goes_on, recovered, remember_slots
from tests.fieldwork.conftest import SyntheticProject


@dataclass
class Recording:
    """The log of some days, and what had to be there after each acknowledgement (the first: nothing)."""

    log: DiskLog = field(default_factory=DiskLog)
    found: list[Found | None] = field(default_factory=lambda: [NOTHING])

    def say(self, found: Found) -> None:
        """A step was acknowledged."""
        self.found.append(found)
        self.log.acknowledge(len(self.found) - 1)


def record(home: Path, **how: int) -> Recording:
    """Some days, written down; the log is checked against what really lies in the folder."""
    home.mkdir()
    made = Recording()
    with file_layer(home, made.log):
        Days(home, SyntheticProject(), made.say).run(**how)
    whole = next(reversed(list(cuts(made.log, 0)))).image
    real = {path.name: path.read_bytes() for path in home.iterdir() if not path.name.endswith((".lock", "-shm"))}
    assert whole == real, "the log does not tell what was written"
    return made


@dataclass
class Tally:
    """What came of many cuts."""

    states: int = 0
    lost: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    how: Counter[str] = field(default_factory=Counter)


def campaign(recording: Recording, states: Iterable[Cut], folder: Path) -> Tally:
    """Open each state."""
    tally = Tally()
    for cut in states:
        tally.states += 1
        tally.how[cut.how.split(" write")[0]] += 1
        home = folder / "cut"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        for name, content in cut.image.items():
            (home / name).write_bytes(content)
        where = f"event {cut.at} ({cut.how}), {cut.acknowledged} acknowledged"
        try:
            found = recovered(home)
        except CorruptError as error:
            tally.corrupt.append(f"{where}: {error}")
            continue
        if found not in recording.found[cut.acknowledged : cut.acknowledged + 2]:
            tally.lost.append(where)
        if found is not NOTHING and tally.states % 25 == 0:
            goes_on(home)
    return tally


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id once for each slot."""
    remember_slots(monkeypatch)


Recorder = Callable[..., Recording]


def test_power_cut_loses_no_acknowledged_answer(tmp_path: Path) -> None:
    """A sample of the states of one day: 0 lost, 0 corrupt."""
    recording = record(tmp_path / "home")
    every = list(cuts(recording.log, 1))
    tally = campaign(recording, every[:: max(1, len(every) // 300)], tmp_path)
    assert (tally.lost, tally.corrupt) == ([], [])
    assert tally.states >= 200
    assert set(tally.how) >= {"all", "nothing", "some", "without"}


def test_the_control_loses_with_synchronous_normal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the same days with synchronous=NORMAL lose acknowledged answers in some states; the campaign sees it."""
    _weaken(monkeypatch)
    recording = record(tmp_path / "home")
    unsynced = [cut for cut in cuts(recording.log, 0) if cut.how == "nothing"]
    tally = campaign(recording, unsynced[:: max(1, len(unsynced) // 60)], tmp_path)
    assert tally.lost


def test_the_control_is_corrupt_when_the_disk_lies(tmp_path: Path) -> None:
    """Control: on a disk that ignores syncs, states are found that do not open or do not verify."""
    recording = record(tmp_path / "home")
    recording.log.events = [e for e in recording.log.events if not isinstance(e, (Sync, SyncFolder))]
    late = [cut for cut in cuts(recording.log, 1) if cut.how == "some"]
    tally = campaign(recording, islice(reversed(late), 12), tmp_path)
    assert tally.corrupt or tally.lost


def _weaken(patch: pytest.MonkeyPatch) -> None:
    weaker = tuple(p.replace("synchronous=FULL", "synchronous=NORMAL") for p in base_sqlite.PRAGMAS)
    assert weaker != base_sqlite.PRAGMAS
    patch.setattr(base_sqlite, "PRAGMAS", weaker)


@pytest.mark.long
def test_power_cut_at_every_write(tmp_path: Path) -> None:
    """Every state of two longer days, several of each cut: at least 2,500 different ones, 0 lost, 0 corrupt."""
    recording = record(tmp_path / "home", answers=6, rounds=2)
    assert sum(isinstance(event, Acknowledged) for event in recording.log.events) > 60
    tally = campaign(recording, cuts(recording.log, 6), tmp_path)
    print(f"{tally.states} states: {dict(tally.how)}")
    assert (tally.lost, tally.corrupt) == ([], [])
    assert tally.states >= 2_500


@pytest.mark.long
def test_the_long_control_loses_with_synchronous_normal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control of the long campaign: hundreds of lost acknowledgements, and still nothing corrupt (WAL's promise)."""
    _weaken(monkeypatch)
    recording = record(tmp_path / "home", answers=6, rounds=2)
    tally = campaign(recording, cuts(recording.log, 1), tmp_path)
    print(f"{tally.states} states, {len(tally.lost)} lost, {len(tally.corrupt)} corrupt")
    assert len(tally.lost) > 100
