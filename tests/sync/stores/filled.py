"""A central with a bit of everything in it: forks, gaps, withdrawals, absent and erased records. All synthetic."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.records.withdrawal import Tombstone, WithdrawalCode
from sync.central import Central
from sync.store import Notice, Store
from tests.sync.laptops import PROJECT, SyntheticLaptop, laptop
from tests.sync.projects import enrol

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Filled:
    """What went into it."""

    laptops: list[SyntheticLaptop] = field(default_factory=list)
    codes: list[WithdrawalCode] = field(default_factory=list)

    def tombstone(self, code: WithdrawalCode) -> Tombstone:
        """The withdrawal of a case."""
        return Tombstone(project=PROJECT, code=code.raw, requested="2026-03-01")


def fill_central(store: Store, laptops: int = 3, records: int = 8) -> Filled:
    """Merge what so many laptops sealed; one of them was cloned, one batch never came, one case is withdrawn."""
    made = Filled([laptop(records) for _ in range(laptops)], [WithdrawalCode.generate() for _ in range(2)])
    central = Central(store, FixedClock(NOW))
    enrol(central, *made.laptops)
    for item in made.laptops:
        for code in made.codes:
            item.seal(withdrawal=code.tag(PROJECT))
    cloned = made.laptops[0].clone()
    cloned.seal(size=9_000)
    made.laptops[0].seal(size=70_000)
    every = [data for item in [*made.laptops, cloned] for data in item.batches(max_entries=3)]
    for data in every[:1] + every[2:]:
        central.merge(io.BytesIO(data))
    central.withdraw(made.tombstone(made.codes[0]))
    central.erase()
    with store.write() as writer:
        writer.notice(Notice("erasure", b"n" * 32, "", b"synthetic report"))
    return made
