"""The write-ahead log cut at every byte: what is found is exactly what was committed in the bytes that are left."""

from __future__ import annotations

import random
import shutil
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fieldsurvey.vault.store import Store
from tests.faults.rounds import CLOCK, Found, look, recovered, remember_slots
from tests.fieldwork.conftest import WORDS, SyntheticProject, join

HEADER, FRAME_HEADER = 32, 24


@dataclass(frozen=True)
class Logged:
    """A vault whose last commits are all in the log: `found[n]` is what it held after n of them."""

    vault: bytes
    wal: bytes
    project: bytes
    found: list[Found]

    def commits(self, cut: int) -> int:
        """How many commits lie whole in the first `cut` bytes, by SQLite's file format, section 4."""
        page = struct.unpack_from(">I", self.wal, 8)[0]
        frame = FRAME_HEADER + page
        return sum(
            struct.unpack_from(">I", self.wal, start + 4)[0] != 0
            for start in range(HEADER, len(self.wal), frame)
            if start + frame <= cut
        )

    @property
    def edges(self) -> list[int]:
        """Where frames, and their headers, begin and end."""
        page = struct.unpack_from(">I", self.wal, 8)[0]
        starts = range(HEADER, len(self.wal) + 1, FRAME_HEADER + page)
        return [0, HEADER // 2, *starts, *(start + FRAME_HEADER for start in starts if start < len(self.wal))]


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """A few steps, one commit each, none of them yet moved from the log into the database."""
    with pytest.MonkeyPatch.context() as patch:
        remember_slots(patch)
        home = tmp_path_factory.mktemp("wal") / "home"
        laptop = join(home, SyntheticProject(), CLOCK)
        session = laptop.unlock(WORDS)
        session.close()
        vault = (home / "vault.db").read_bytes()
        session = laptop.unlock(WORDS)
        found = [look(session.vault)]
        patch.setattr(Store, "tidy", lambda _self: True)
        work = session.start("synthetic")
        found.append(look(session.vault))
        for ref, value in (("/data/story", "one"), ("/data/story", "two"), ("/data/age", "30")):
            work.answer(ref, value)
            found.append(look(session.vault))
        work.finalise()
        found.append(look(session.vault))
        made = Logged(vault, (home / "vault.db-wal").read_bytes(), (home / "project.fsp").read_bytes(), found)
        assert (home / "vault.db").read_bytes() == vault, "nothing may have been moved out of the log"
        session.close()
        laptop.close()
    assert made.commits(len(made.wal)) == len(found) - 1
    return made


def cut(logged: Logged, places: Iterable[int], folder: Path) -> list[int]:
    """The places where something else was found than was committed."""
    wrong = []
    for place in places:
        home = folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        (home / "vault.db").write_bytes(logged.vault)
        (home / "project.fsp").write_bytes(logged.project)
        (home / "vault.db-wal").write_bytes(logged.wal[:place])
        if recovered(home) != logged.found[logged.commits(place)]:
            wrong.append(place)
    return wrong


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    remember_slots(monkeypatch)


def test_wal_cut_at_the_edges(logged: Logged, tmp_path: Path) -> None:
    """At each frame's and header's edge, a byte before and after, and anywhere."""
    chosen = random.Random(1)
    places = {edge + d for edge in logged.edges for d in (-1, 0, 1)} | {
        chosen.randrange(len(logged.wal)) for _ in range(40)
    }
    assert cut(logged, sorted(p for p in places if 0 <= p <= len(logged.wal)), tmp_path) == []


def test_the_control_of_the_cut(logged: Logged, tmp_path: Path) -> None:
    """Control: a log that lost a commit is not taken for one that has it."""
    more = Logged(logged.vault, logged.wal, logged.project, logged.found[1:] + logged.found[-1:])
    assert cut(more, [0, len(logged.wal) // 2], tmp_path) != []


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
def test_wal_cut_at_every_byte(logged: Logged, tmp_path: Path, part: int) -> None:
    """Every byte; in eight parts, so that they run side by side."""
    assert cut(logged, range(part, len(logged.wal) + 1, 8), tmp_path) == []
