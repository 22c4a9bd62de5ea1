"""What one of several merging processes does. In a module of its own, so that a process that starts loads little."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime
from typing import Any

from fieldsurvey.base.clock import FixedClock
from fieldsurvey.records.withdrawal import Tombstone
from sync.central import Central
from sync.store import StoredDevice
from tests.sync.stores.kinds import Kind

CLOCK = FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


def merge_all(kind: Kind, batches: list[bytes], tombstone: bytes, seed: int, done: Any) -> None:
    """Merge every batch in an order of its own; in between, bring a withdrawal and erase. `done` counts."""
    order = random.Random(seed)
    mine = batches[:]
    order.shuffle(mine)
    with Central(kind.open(wait=120.0), CLOCK) as central:
        for number, data in enumerate(mine):
            if number == len(mine) // 2:
                central.withdraw(Tombstone.from_bytes(tombstone))
                central.erase()
            central.merge(io.BytesIO(data))
            done.value += 1


def create(kind: Kind, start: Any) -> None:
    """Open an empty store with others at the same moment, and put something into it."""
    start.wait(30)
    store = kind.open(wait=20)
    with store.write() as writer:
        writer.device(StoredDevice("d0" * 16, b"card"))
    store.close()
