"""One kind of work that is killed: prepare, do, look at what was left and finish it. See `killing`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from fieldsurvey.fieldwork import Laptop
from fieldsurvey.records.slots import FLOOR, open_slot
from fieldsurvey.vault import vault as vault_module
from tests.faults.rounds import CLOCK
from tests.fieldwork.conftest import WORDS, SyntheticProject

Say = Callable[[str], None]


class Day:
    """One kind of work. Every method gets the folder in which it happens."""

    name = ""

    def __init__(self) -> None:
        # Children are forks: what this process opened once, they open without Argon2id.
        vault_module.open_slot = functools.lru_cache(maxsize=8)(open_slot)  # type: ignore[attr-defined]
        self.project = SyntheticProject()

    def prepare(self, folder: Path) -> None:
        """What is there before the work: a laptop that joined."""
        home = folder / "home"
        Laptop.join(
            home,
            self.project.publish(),
            device_name="Synthetic laptop",
            person="E01",
            passphrase=WORDS,
            clock=CLOCK,
            argon2=FLOOR,
        ).close()
        with Laptop.open(home, CLOCK).unlock(WORDS).vault:
            pass

    def work(self, folder: Path, say: Say) -> None:
        """What is killed; says what it has acknowledged."""
        raise NotImplementedError

    def wrong(self, folder: Path, said: list[str]) -> str:
        """What is lost or twice, now and after the work was done again; "" if nothing is."""
        raise NotImplementedError

    def seal(self, folder: Path, count: int) -> None:
        """Some sealed records."""
        session = Laptop.open(folder / "home", CLOCK).unlock(WORDS)
        for n in range(count):
            work = session.start("synthetic")
            work.answer("/data/story", f"record {n}")
            work.answer("/data/age", "30")
            work.finalise()
        session.close()
