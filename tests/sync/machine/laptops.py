"""A laptop of the machine: a real vault in a folder of its own, that can be copied and put back. It judges nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from fieldsurvey.fieldwork.laptop import PROJECT as PROJECT_FILE
from fieldsurvey.fieldwork.laptop import VAULT, Laptop
from fieldsurvey.fieldwork.withdrawals import FOLDER as WITHDRAWALS
from fieldsurvey.fieldwork.withdrawals import apply_all, withdraw
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.log import LogEntry
from fieldsurvey.vault import SealedLog
from sync.folder import ExportReport, ReceiptsReport, collect, export_batches
from tests.sync.machine.kit import CODES, append, opened, template


@dataclass
class Time:
    """The true time, which no place knows for sure."""

    at: datetime

    def move(self, days: int) -> None:
        """It goes on."""
        self.at += timedelta(days=days)


@dataclass
class WrongClock:
    """A place's clock: so many days off."""

    time: Time
    days: int = 0

    def now(self) -> datetime:
        """What it shows."""
        return self.time.at + timedelta(days=self.days)

    def monotonic(self) -> float:
        """Seconds."""
        return self.time.at.timestamp()


@dataclass
class FieldLaptop:
    """One laptop, or a copy of one that went on living: then two have the same keys."""

    number: int
    home: Path
    clock: WrongClock
    laptop: Laptop
    copies: list[Path] = field(default_factory=list)

    @classmethod
    def first(cls, number: int, home: Path, time: Time, project: SignedProject) -> FieldLaptop:
        """As it joined."""
        shutil.copytree(template(number).home, home)
        clock = WrongClock(time)
        made = cls(number, home, clock, Laptop(home, opened(home), clock))
        made._believe(project)
        return made

    def _believe(self, project: SignedProject) -> None:
        (self.home / PROJECT_FILE).write_bytes(project.data)
        self.laptop.__dict__["project"] = project  # as `join` and `update` do: it was verified when it was made

    @property
    def log(self) -> SealedLog:
        """Its present log."""
        return self.laptop.locked

    @property
    def device(self) -> str:
        """Its id; clones share it."""
        return template(self.number).card.device

    def seal(self, record: bytes) -> None:
        """Finalise."""
        append(self.laptop.locked, template(self.number).key, record)

    def rows(self) -> Iterator[tuple[str, LogEntry, bytes | None]]:
        """All logs from end to end: device, entry, and the record or None where it is gone."""
        for log in self.log.logs():
            device = log.device_card().device
            for _seq, entry, record in log.rows():
                yield device, LogEntry.from_bytes(entry), record

    def copy_to(self, home: Path) -> Path:
        """A copy of the whole folder: a backup, or the disk of a clone."""
        self.log.store.tidy()
        shutil.copytree(self.home, home, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
        return home

    def clone(self, home: Path, days: int) -> FieldLaptop:
        """A copied disk goes on living in another laptop, with a clock of its own."""
        self.copy_to(home)
        clock = WrongClock(self.clock.time, days)
        made = FieldLaptop(self.number, home, clock, Laptop(home, opened(home), clock))
        made.laptop.__dict__["project"] = self.laptop.project
        return made

    def roll_back(self, copy: Path, *, remembers: bool) -> None:
        """Everything is as it was when the copy was made.

        `remembers`: the withdrawals that were known are kept, as restoring a backup does; a copied disk brings none.
        """
        known = list((self.home / WITHDRAWALS).glob("*"))
        kept = {path.name: path.read_bytes() for path in known} if remembers else {}
        self.laptop.close()
        shutil.rmtree(self.home)
        shutil.copytree(copy, self.home)
        (self.home / WITHDRAWALS).mkdir(exist_ok=True)
        for name, data in kept.items():
            (self.home / WITHDRAWALS / name).write_bytes(data)
        project = self.laptop.__dict__["project"]
        self.laptop = Laptop(self.home, opened(self.home), self.clock)
        self._believe(project)
        apply_all(self.laptop.locked)

    def export(self, stick: Path, *, entries: int, everything: bool) -> ExportReport:
        """Put on a stick what central has not confirmed."""
        return export_batches(self.log, stick, clock=self.clock, everything=everything, max_entries=entries)

    def collect(self, stick: Path) -> ReceiptsReport:
        """Take receipts, the project and withdrawals, and let go of what the policy no longer keeps."""
        return collect(self.laptop, stick)

    def withdraw(self, code: int) -> None:
        """Somebody shows the code here."""
        withdraw(self.log, CODES[code], self.clock.now().date())

    def knows_withdrawals(self) -> set[str]:
        """The tags that this laptop has been told of."""
        return {path.stem for path in (self.home / WITHDRAWALS).glob("*.fsw")}

    def close(self) -> None:
        """Let go of its files."""
        self.laptop.close()


__all__ = ["VAULT", "FieldLaptop", "Time", "WrongClock"]
