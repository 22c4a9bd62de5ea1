"""A supervisor's laptop that carries what others sealed: the real relay, on a folder that can be lost."""

from __future__ import annotations

import shutil
from pathlib import Path

from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.withdrawal import Tombstone
from sync.carrying import TakeReport, hand_on, take_stick
from sync.relay import FOLDER, Relay
from tests.sync.machine import kit
from tests.sync.machine.laptops import WrongClock


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
        with self.relay.alone():
            self.relay.erase()

    def lose(self, project: SignedProject) -> None:
        """The supervisor's laptop is lost; another one goes on, with the same key."""
        shutil.rmtree(self.home / FOLDER)
        self._begin(project)

    def held(self) -> list[bytes]:
        """The files that lie there."""
        folder = self.home / FOLDER / "batches"
        return [path.read_bytes() for path in sorted(folder.glob("*.fsb"))] if folder.is_dir() else []
