"""A supervisor's laptop that carries what others sealed: the real relay, on a folder that can be lost."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Final

from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.withdrawal import Tombstone
from sync.carrying import TakeReport, hand_on, take_stick
from sync.relay import FOLDER, Relay
from sync.settling import settle
from tests.sync.machine import kit
from tests.sync.machine.laptops import WrongClock
from tests.sync.machine.model import Genuine, Model

DAYS: Final = 5
"""The policy's, by default: so long after a request an erasure may take."""


class FieldRelay:
    """One supervisor."""

    def __init__(self, home: Path, clock: WrongClock, project: SignedProject) -> None:
        self.home = home
        self.clock = clock
        self._begin(project)

    def _begin(self, project: SignedProject) -> None:
        (self.home / FOLDER).mkdir(parents=True, exist_ok=True)
        self.relay = Relay(self.home, project, kit.SUPERVISOR, self.clock)

    def take(self, stick: Path) -> TakeReport:
        """A stick comes by."""
        return take_stick(self.relay, stick)

    def hand_on(self, stick: Path) -> None:
        """Everything goes on a stick that is on its way to central, or to laptops."""
        hand_on(self.relay, stick)

    def withdraw(self, tombstone: Tombstone) -> None:
        """A code is shown here."""
        Withdrawals(self.home).enter(tombstone)
        self.look()

    def look(self) -> None:
        """The supervisor looks at what is carried, and does nothing."""
        settle(self.relay)

    def may_wait(self, tags: set[str]) -> bool:
        """Whether the policy's days run for all of these withdrawals, as far as this clock can tell."""
        today = self.clock.now().date()
        asked = [date.fromisoformat(stone.requested) for stone in Withdrawals(self.home) if stone.tag in tags]
        return all(-1 <= (today - day).days < DAYS for day in asked)

    def check_held(self, model: Model) -> int:
        """What was taken back lies here only beside others, and only for the policy's days; how many batches do."""
        known = {stone.tag for stone in Withdrawals(self.home)}
        waiting = 0
        for data in self.held():
            lies = model.find(data)
            assert lies is not None, "a relay holds what no laptop wrote"
            carried = {model.tag(entry.record_hash) for entry in lies.present}
            if gone := {tag for tag in carried if tag in known}:
                assert carried != gone, "a relay holds nothing but what was withdrawn"
                assert self.may_wait({tag for tag in gone if tag}), "a relay holds what was withdrawn for too long"
                waiting += 1
        return waiting

    def check_gone(self, model: Model, gone: set[bytes]) -> None:
        """What is here no more is at central, or in another file, or was withdrawn, or its days are over."""
        known = {stone.tag for stone in Withdrawals(self.home)}
        vouched = model.vouched_heads()
        for data in self.held():
            vouched |= {entry.head for entry in (model.find(data) or Genuine(b"", ())).present}
        for data in gone:
            batch = model.find(data)
            assert batch is not None
            named = {tag for entry in batch.present if (tag := model.tag(entry.record_hash)) in known and tag}
            others = [entry for entry in batch.present if model.tag(entry.record_hash) not in named]
            if not named or self.may_wait(named):
                assert all(entry.head in vouched for entry in others), "a relay lost a batch"

    def lose(self, project: SignedProject) -> None:
        """The supervisor's laptop is lost; another one goes on, with the same key."""
        shutil.rmtree(self.home / FOLDER)
        self._begin(project)

    def held(self) -> list[bytes]:
        """The files that lie there."""
        folder = self.home / FOLDER / "batches"
        return [path.read_bytes() for path in sorted(folder.glob("*.fsb"))] if folder.is_dir() else []
