"""Central in the machine: a real database, with backups, a disk that can fail, and a server."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fieldsurvey.fieldwork.withdrawals import Withdrawals
from fieldsurvey.project.signed import SignedProject
from fieldsurvey.records.withdrawal import Tombstone
from sync.backups import back_up, restore
from sync.central import Central
from sync.erasing import settle
from sync.http.service import Service
from sync.importing import ImportReport, import_folder
from sync.place import Place, open_central, write_place
from tests.sync.machine import kit
from tests.sync.machine.laptops import WrongClock
from tests.sync.machine.lines import LIMITS, Served


class Database(NamedTuple):
    """A PostgreSQL database, and how to empty it."""

    dsn: str
    empty: Callable[[], None]


@dataclass
class Centre:
    """Central and what lies beside its database."""

    home: Path
    clock: WrongClock
    central: Central
    newest: Callable[[], SignedProject]
    database: Database | None = None
    backup: Path | None = None
    server: Served | None = None

    @classmethod
    def begin(
        cls, home: Path, clock: WrongClock, newest: Callable[[], SignedProject], database: Database | None = None
    ) -> Centre:
        """An empty one that knows the project; `newest`: the version of the moment. In a file, or in a `database`."""
        home.mkdir(parents=True)
        if database is None:
            shutil.copy(kit.empty_central(), home / "central.db")
        else:
            database.empty()
            write_place(home, Place(dsn=database.dsn))
        made = cls(home, clock, open_central(home, clock=clock), newest, database)
        made.central.learn(newest().model)
        return made

    def served(self) -> Served:
        """Its server, another process in the field; started when there is none."""
        if self.server is None:
            service = Service(
                self._open, self.newest, kit.CENTRAL, home=self.home, limits=LIMITS, clock=self.clock, workers=1
            )
            self.server = Served(service)
        return self.server

    def stop_serving(self) -> None:
        """Until somebody asks again."""
        if self.server is not None:
            self.server.stop()
            self.server = None

    def _open(self) -> Central:
        return open_central(self.home, clock=self.clock)

    def withdraw(self, tombstone: Tombstone) -> None:
        """A code is shown here."""
        Withdrawals(self.home).enter(tombstone)
        settle(self.central, self.home, kit.CENTRAL, self.clock.now())

    def take(self, stick: Path, project: SignedProject, *, answers: bool) -> ImportReport:
        """A stick comes in, withdrawals first; `answers`: central's key is at hand, so receipts go back on it."""
        return import_folder(self.central, stick, project, kit.CENTRAL if answers else None, home=self.home)

    def tell(self, stones: list[tuple[bytes, bytes]]) -> None:
        """Let it know of withdrawals as central keeps them."""
        for _tag, data in stones:
            self.central.withdraw(Tombstone.from_bytes(data))

    def back_up(self) -> None:
        """As `central backup` makes one."""
        folder = self.home / "backups"
        folder.mkdir(exist_ok=True)
        self.backup = Path(back_up(self.central, self.home, folder, key=kit.CENTRAL, clock=self.clock).path)

    def restore(self) -> None:
        """Its disk failed: what the newest backup holds is brought back into a new central."""
        assert self.backup is not None
        self.stop_serving()
        self.central.close()
        for path in self.home.glob("central.db*"):
            path.unlink()
        if self.database is not None:
            self.database.empty()
        restore(self.backup, self.home, project=self.newest().model)
        self.central = self._open()

    def withdrawn(self) -> set[tuple[str, str]]:
        """(tag, day) of all that this place has been told of, the database or not."""
        return {(stone.tag, stone.requested) for stone in Withdrawals(self.home)}

    def close(self) -> None:
        """Let go of it."""
        self.stop_serving()
        self.central.close()
